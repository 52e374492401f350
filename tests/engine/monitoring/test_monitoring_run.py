"""Monitoring: right figures, alerts where something is wrong and only there, and what follows from them."""

import json
import re
import shutil
import threading
from dataclasses import replace
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from handrail import errors
from handrail.compute import duckdb as engine
from handrail.config import sections
from handrail.contract import schema
from handrail.etl import load
from handrail.monitoring import drift, monitoring_run, outcomes
from handrail.monitoring.backtesting import backtest
from handrail.monitoring.monitoring_run import run_monitoring
from handrail.monitoring.open_alerts import read_open_alerts
from handrail.registry import canary
from handrail.registry import live as registry
from handrail.serving import inference as live
from handrail.serving import prediction_log
from handrail.stages import handover, operation
from handrail.stages.gates import State
from tests.engine.support.lived import (
    CONTRACT,
    KEY,
    TIME,
    first_month,
    first_month_predicted,
    keep,
    live_version,
    predict,
    promoted,
    rows_asked,
    run,
    variant,
)
from tests.engine.support.names import contract
from tests.engine.support.workspaces import ANY, NONE, copied

FEATURES = schema.of_role(CONTRACT, schema.Role.FEATURE)
NO_DRIFT = {"LIVE__DRIFT_LIMIT": "1000", "LIVE__MAXIMUM_AGE_DAYS": "1000"}
AMOUNT = next(c for c in FEATURES if not c.categorical and None not in (c.ge, c.le))


@pytest.fixture(scope="module", params=["trained", pytest.param("trained_amounts", marks=pytest.mark.slow)])
def predicted(request, tmp_path_factory):
    """Return settings of a workspace whose live version has predicted its first month; read only."""
    return first_month_predicted(request.getfixturevalue(request.param), tmp_path_factory.mktemp("predicted"))


@pytest.fixture(params=["trained", pytest.param("trained_amounts", marks=pytest.mark.slow)])
def project(request, tmp_path):
    """Return settings of a copy of a trained workspace: of yes or no, and of amounts."""
    return copied(request.getfixturevalue(request.param), tmp_path)


@pytest.fixture
def watched(project):
    """Return settings of a workspace with a live version that has predicted nothing yet."""
    return promoted(project)


def agreed(settings):
    """Return the name of the metric that decides."""
    return settings.accuracy.metric


def look(settings, **limits):
    """Return one look at the first month, with other limits in `live` of project.yaml."""
    start = settings.dates.live_from
    changed = settings.model_copy(update={"live": settings.live.model_copy(update=limits)})
    return run_monitoring(changed, start, start + timedelta(days=30))


def readings(seen):
    """Return the readings of a look by name."""
    return {reading.name: reading for reading in seen.readings}


def test_population_stability_by_hand():
    assert drift.population_stability([0.5, 0.5], [0.5, 0.5]) == 0
    by_hand = 0.2 * np.log(0.7 / 0.5) - 0.2 * np.log(0.3 / 0.5)
    assert drift.population_stability([0.5, 0.5], [0.7, 0.3]) == pytest.approx(by_hand, rel=1e-12)
    empty = (1 - 0.5) * np.log(1 / 0.5) + (1e-4 - 0.5) * np.log(1e-4 / 0.5)
    assert drift.population_stability([0.5, 0.5], [1, 0]) == pytest.approx(empty, rel=1e-12)


def test_population_stability_of_other_bins_is_refused():
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        drift.population_stability([0.5, 0.5], [1.0])


def test_there_is_no_drift_in_what_the_model_learnt_from(predicted):
    version = live_version(predicted)
    features = [item for item in version.bins if item.column != "prediction"]
    expected = {name: item["shares"] for name, item in version.info["reference"].items()}
    table = load.require_table(predicted, contract.TABLE)
    learnt = f"(SELECT * FROM {table} WHERE {TIME} < '{version.info['split']['validation_from']}')"
    with engine.connect(predicted) as connection:
        found = drift.drifts(connection, learnt, features, expected)
    assert found == {item.column: 0.0 for item in features}


def test_there_is_no_drift_in_the_predictions_of_the_test_period(watched):
    start, end = watched.dates.test_from, watched.dates.live_from
    records = [row for row in rows_asked(watched, start=start) if row[TIME].date() < end]
    answer, version = live.LiveModel(watched).answer(records), live_version(watched)
    (bins,) = (item for item in version.bins if item.column == "prediction")
    expected = {"prediction": version.info["reference"]["prediction"]["shares"]}
    with engine.connect(watched) as connection:
        connection.register("answered", {"prediction": answer.prediction})
        found = drift.drifts(connection, "answered", [bins], expected)
    assert found["prediction"] < 0.01


def test_a_look_joins_predictions_and_outcomes(predicted):
    rows = first_month(predicted)
    seen = look(predicted)
    assert seen.rows == len(rows)
    assert seen.version == live_version(predicted).name
    target = predicted.project.target
    known = {row[KEY]: row[target] for row in rows_asked(predicted, more=[target])}
    prediction = live.LiveModel(predicted).answer(rows).prediction
    came = [known[row[KEY]] is not None for row in rows]
    target = np.float32([known[row[KEY]] for row in rows if known[row[KEY]] is not None])
    assert seen.outcomes == sum(came)
    decision = live_version(predicted).decision
    expected = predicted.project.metrics.measure(target, prediction[came], decision)
    assert seen.metrics == pytest.approx(expected, rel=1e-9)


def test_without_dates_the_last_thirty_days_are_looked_at(predicted):
    newest = max(row[TIME] for row in first_month(predicted)).date()
    seen = run_monitoring(predicted)
    assert (seen.start, seen.end) == (newest - timedelta(days=29), newest + timedelta(days=1))


def test_the_latest_prediction_for_a_key_counts(month):
    rows = first_month(month)
    answer = live.LiveModel(month).answer(rows)
    again = [row | {"prediction": 0.5} for row in prediction_log.log_rows(rows, answer)]
    keep(month, again)
    seen = look(month)
    assert seen.rows == len(rows)
    assert seen.metrics["mean_prediction"] == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize(("share", "state"), [(0.5, "warning"), (1.0, "alert")])
def test_a_shifted_feature_is_a_warning_and_a_sudden_shift_an_alert(watched, share, state):
    rows = first_month(watched)
    moved = [row | {AMOUNT.name: AMOUNT.kind(AMOUNT.le)} for row in rows[: round(share * len(rows))]]
    predict(watched, [*moved, *rows[len(moved) :]])
    found = readings(look(watched))[f"drift of {AMOUNT.name}"]
    assert found.state == state
    assert (found.value > 2.5) == (state == "alert")


def test_shifted_predictions_are_an_alert(watched):
    rows = first_month(watched)
    answer = live.LiveModel(watched).answer(rows)
    highest = float(answer.prediction.max()) + 1
    keep(watched, [row | {"prediction": highest} for row in prediction_log.log_rows(rows, answer)])
    seen = look(watched)
    found = readings(seen)["drift of prediction"]
    assert found.value > 2
    assert found in seen.alerts


def test_rows_that_break_the_contract_are_an_alert(month):
    rejected = month.workspace / "data" / "rejected" / "scored-tomorrow.parquet"
    count = len(first_month(month))
    with engine.connect(month) as connection:
        before = f"TIMESTAMP '{month.dates.live_from}' AS {TIME}"
        engine.write_parquet(connection, f"SELECT {before} FROM range({count})", rejected)
    found = readings(look(month))["rows that break the contract"]
    assert (found.value, found.high, found.state) == (0.5, month.live.maximum_violation_share, "alert")
    assert readings(look(month, maximum_violation_share=0.5))[found.name].state == "ok"


def refused(settings, days, rows, name="scored-next"):
    """Keep so many rows as refused by `score`, each day after the first month alike."""
    day, each = settings.dates.live_from + timedelta(days=31), rows // days
    asked = f"SELECT TIMESTAMP '{day}' + INTERVAL (i // {each}) DAY AS {TIME} FROM range({rows}) AS r(i)"
    with engine.connect(settings) as connection:
        engine.write_parquet(connection, asked, settings.workspace / "data" / "rejected" / f"{name}.parquet")


def test_a_week_whose_rows_are_all_refused_is_in_the_window(month):
    newest, count = max(row[TIME] for row in first_month(month)).date(), len(first_month(month))
    refused(month, days=7, rows=7 * (count // 30))
    seen = run_monitoring(month)
    assert seen.end == newest + timedelta(days=1)
    last = month.dates.live_from + timedelta(days=38)
    days = f"{last - timedelta(days=30)} to {last}"
    assert (
        f"rows of later days were refused: drift, traffic and broken rows are of {days}, the latest"
        in seen.notes
    )
    found = readings(seen)["rows that break the contract"]
    assert (found.value, found.state) == (pytest.approx(7 / 29, abs=0.04), "alert")
    empty = readings(seen)["days of the last week without predictions"]
    assert (empty.value, empty.state) == (7, "alert")


def test_a_single_row_with_a_time_that_is_wrong_moves_no_window(month):
    refused(month, days=1, rows=19)
    found = readings(run_monitoring(month))["rows that break the contract"]
    assert (found.value, found.state) == (0.0, "ok")


def test_an_old_model_is_an_alert(predicted):
    found = readings(look(predicted, maximum_age_days=29))["age of the model in days"]
    assert (found.value, found.shown, found.high, found.state) == (30, "30", 29, "alert")
    assert readings(look(predicted, maximum_age_days=30))[found.name].state == "ok"


def test_a_metric_outside_its_range_is_an_alert(predicted):
    inside = readings(look(predicted, expected={agreed(predicted): ANY}))[agreed(predicted)]
    outside = readings(look(predicted, expected={agreed(predicted): NONE}))[agreed(predicted)]
    assert (inside.state, outside.state) == ("ok", "alert")


def test_a_range_that_nothing_lies_in_is_refused():
    with pytest.raises(ValueError, match="mae: the lower end comes first"):
        sections.Live(expected={"mae": (0.9, 0.7)})


def test_an_unknown_metric_is_refused(predicted):
    known = ", ".join(["outcomes", *predicted.project.metrics])
    with pytest.raises(errors.ProjectError, match=f"expected: charm is unknown; known are {known}$"):
        look(predicted, expected={"charm": (0, 1)})


def test_too_few_outcomes_say_nothing(predicted):
    count = len(first_month(predicted))
    few = look(predicted, expected={agreed(predicted): NONE}, minimum_outcomes=count + 1)
    assert readings(few)[agreed(predicted)].state == "unknown"
    assert (readings(few)[agreed(predicted)] in few.alerts, few.baseline_better) == (False, False)


def test_one_prediction_says_nothing_of_drift(watched):
    predict(watched, first_month(watched)[:1])
    seen = look(watched)
    drifts = {name: found for name, found in readings(seen).items() if name.startswith("drift of ")}
    assert len(drifts) == len(FEATURES) + 1
    assert {found.state for found in drifts.values()} == {"unknown"}
    assert not seen.alerts


def test_outcomes_that_are_not_in_yet_say_nothing(month):
    load.table_path(month, contract.TABLE).unlink()
    seen = look(month)
    assert (seen.rows > 0, seen.outcomes, readings(seen)[agreed(month)].state) == (True, 0, "unknown")


def test_what_is_unknown_is_a_dash_and_null(month, monkeypatch, capsys):
    assert run(monkeypatch, month, "monitor", **NO_DRIFT, LIVE__MINIMUM_OUTCOMES="1000000") == 0
    said = capsys.readouterr().out.splitlines()
    line = next(line for line in said if line.startswith(agreed(month)))
    assert line.split()[1] == "-"
    count = f"{look(month).outcomes:,} outcomes are known, live.minimum_outcomes is 1,000,000"
    assert any(line.startswith(f"not known: {agreed(month)}, ") and line.endswith(count) for line in said)
    (report,) = (month.workspace / "reports" / "monitoring").glob("*.json")
    record = json.loads(report.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert record["readings"][0] | {"low": 0, "high": 0} == {
        "name": agreed(month),
        "value": None,
        "low": 0,
        "high": 0,
        "state": "unknown",
        "why": count,
    }


def test_without_a_loaded_table_outcomes_are_not_overdue_but_not_known(month):
    load.table_path(month, month.project.table_name).unlink()
    found = readings(look(month))["outcomes overdue"]
    assert found.state == "unknown"
    assert found.why == "no table is loaded where the data is processed; run `etl`"


def test_an_unfinished_line_of_a_killed_server_is_skipped(month):
    before = look(month)
    (file,) = prediction_log.prediction_folder(month).iterdir()
    whole, _, last = file.read_bytes().rstrip(b"\n").rpartition(b"\n")
    file.write_bytes(whole + b"\n" + last[:-20])
    after = look(month)
    assert (after.rows, before.rows) == (len(first_month(month)) - 1, len(first_month(month)))
    assert readings(after)[agreed(month)].value == pytest.approx(
        readings(before)[agreed(month)].value, rel=0.05
    )


def test_predictions_of_batches_and_of_a_service_are_seen_together(month):
    (file,) = prediction_log.prediction_folder(month).iterdir()
    folder, kept = file.parent, file.with_suffix(".kept")
    before = look(month)
    with engine.connect(month) as connection:
        half = f"SELECT * FROM ({outcomes.all_predictions(month)}) WHERE hash({KEY}) % 2 = 0"
        engine.write_parquet(connection, half, folder / "scored-half.parquet")
        rest = f"SELECT * FROM ({outcomes.all_predictions(month)}) WHERE hash({KEY}) % 2 = 1"
        connection.execute(f"COPY ({rest}) TO {engine.literal(kept)} (FORMAT json)")
    kept.replace(file)
    after = look(month)
    assert after.rows == before.rows
    assert readings(after)[agreed(month)].value == pytest.approx(
        readings(before)[agreed(month)].value, rel=1e-12
    )


def test_predictions_of_a_former_contract_have_empty_columns(month):
    (file,) = prediction_log.prediction_folder(month).iterdir()
    before = look(month)
    with engine.connect(month) as connection:
        fewer = f"SELECT * EXCLUDE ({AMOUNT.name}), 1 AS gone FROM ({outcomes.all_predictions(month)})"
        engine.write_parquet(connection, fewer, file.with_name("scored-then.parquet"))
    file.unlink()
    after = look(month)
    assert (after.rows, after.metrics) == (before.rows, before.metrics)
    assert readings(after)[f"drift of {AMOUNT.name}"].state == "alert"
    assert readings(after)[f"missing values of {AMOUNT.name}"].state == "alert"


def monitor(monkeypatch, settings, expected, **environment):
    """Run the command with this range of the metric and no other limit, and return its exit status."""
    limits = NO_DRIFT | {"LIVE__EXPECTED": only(settings, expected)}
    return run(monkeypatch, settings, "monitor", **limits, **environment)


def only(settings, expected):
    """Return the ranges of project.yaml, all as wide as can be but that of the metric."""
    return json.dumps(dict.fromkeys(settings.live.expected, ANY) | {agreed(settings): expected})


def test_an_alert_is_logged_and_is_exit_status_3(month, monkeypatch, capsys):
    assert monitor(monkeypatch, month, NONE) == 3
    seen = run_monitoring(month)
    value = readings(seen)[agreed(month)].value
    said = f"{seen.start} to {seen.end}: {agreed(month)} is {value:.3f}, expected 1e+09 to 2e+09"
    assert capsys.readouterr().err == f"alert: {said}\n"
    journal = month.workspace / "reports" / "alerts.jsonl"
    (line,) = journal.read_text(encoding="utf-8").splitlines()
    entry = json.loads(line)
    assert (entry["version"], entry["alerts"]) == (seen.version, [said])
    report = month.workspace / "reports" / "monitoring" / f"{seen.start}-{seen.end}.json"
    assert json.loads(report.read_text(encoding="utf-8"))["alerts"] == [agreed(month)]


def test_without_an_alert_nothing_is_logged_and_the_status_is_0(month, monkeypatch, capsys):
    assert monitor(monkeypatch, month, ANY) == 0
    assert capsys.readouterr().err == ""
    assert not (month.workspace / "reports" / "alerts.jsonl").exists()


@pytest.fixture
def webhook():
    """Return a server that keeps what is posted to it and answers with its `status`."""
    with HTTPServer(("127.0.0.1", 0), Webhook) as server:
        server.received, server.status = [], 200
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Webhook(BaseHTTPRequestHandler):
    """Keeps the JSON that is posted."""

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.received.append((self.headers["Content-Type"], json.loads(self.rfile.read(length))))
        if self.server.status:
            self.send_response(self.server.status)
            self.end_headers()
        else:
            self.wfile.write(b"this is no HTTP\r\n\r\n")

    def log_message(self, *arguments):
        """Say nothing."""


def address(server):
    """Return where a server listens, with a part that is secret."""
    return f"http://127.0.0.1:{server.server_port}/secret"


def test_the_webhook_receives_the_alert(month, webhook, monkeypatch, capsys):
    assert monitor(monkeypatch, month, NONE, WEBHOOK_URL=address(webhook)) == 3
    ((kind, message),) = webhook.received
    said = capsys.readouterr().err.removeprefix("alert: ").removesuffix("\n")
    assert kind == "application/json"
    assert (message["project"], message["text"], message["alerts"]) == (month.name, said, [said])
    assert message["version"] == live_version(month).name


def test_the_webhook_hears_nothing_without_an_alert(month, webhook, monkeypatch):
    assert monitor(monkeypatch, month, ANY, WEBHOOK_URL=address(webhook)) == 0
    assert webhook.received == []


@pytest.mark.parametrize("status", [500, None], ids=["refuses", "speaks no HTTP"])
def test_a_webhook_that_fails_is_reported_and_the_alert_stands(month, webhook, monkeypatch, capsys, status):
    webhook.status = status
    assert monitor(monkeypatch, month, NONE, WEBHOOK_URL=address(webhook)) == 3
    alert, failure = capsys.readouterr().err.splitlines()
    assert f"{agreed(month)} is" in alert
    assert "WEBHOOK_URL: not delivered (" in failure
    assert failure.endswith("); 1 message waits for the next `alert` or `monitor`")
    assert "secret" not in failure
    journal = month.workspace / "reports" / "alerts.jsonl"
    assert len(journal.read_text(encoding="utf-8").splitlines()) == 1


def test_a_dead_webhook_is_reported_and_the_alert_stands(month, monkeypatch, capsys):
    with HTTPServer(("127.0.0.1", 0), Webhook) as gone:
        dead = address(gone)
    assert monitor(monkeypatch, month, NONE, WEBHOOK_URL=dead) == 3
    _, failure = capsys.readouterr().err.splitlines()
    assert "WEBHOOK_URL: not delivered (" in failure
    assert (month.workspace / "reports" / "alerts.jsonl").is_file()


def turned_round(settings):
    """Log for the first month the opposite of what came, beside a baseline that is right."""
    target = settings.project.target
    known = {row[KEY]: row[target] for row in rows_asked(settings, more=[target])}
    came = {key: float(target) for key, target in known.items() if target is not None}
    records = [row for row in first_month(settings) if row[KEY] in came]
    version, most = live_version(settings).name, max(came.values()) + min(came.values())
    rows = [{"prediction": most - came[row[KEY]], "baseline": came[row[KEY]], **row} for row in records]
    keep(settings, [{"version": version, "source": "model", **row} for row in rows])
    return records


def test_the_fallback_takes_over_where_the_baseline_is_better(watched, monkeypatch, capsys):
    records = turned_round(watched)
    model = live.LiveModel(watched)
    assert model.answer(records[:1]).source == "model"
    assert run(monkeypatch, watched, "monitor") == 3
    said = "the baseline did better: the fallback answers until the next promotion or rollback\n"
    assert capsys.readouterr().out.endswith(said)
    pointer = registry.read_live(watched)
    assert pointer.mode == "fallback"
    assert pointer.reason.startswith("the baseline did better from ")
    assert model.answer(records[:1]).source == "fallback"


def test_while_the_fallback_answers_though_the_model_is_good_again_somebody_is_told(
    watched, monkeypatch, capsys
):
    turned_round(watched)
    run(monkeypatch, watched, "monitor")
    shutil.rmtree(prediction_log.prediction_folder(watched))  # of the days that were mended
    records = first_month(watched)
    keep(watched, prediction_log.log_rows(records, live.LiveModel(watched).answer(records)))
    capsys.readouterr()
    name = live_version(watched).name
    assert monitor(monkeypatch, watched, ANY) == 3
    ends = f"where what was wrong is mended, `promote {name}` lets the model answer again"
    said = capsys.readouterr().err
    assert "alert: the fallback still answers (the baseline did better from " in said
    assert ends in said
    back = rf"no earlier version to go back to; the fallback answers \(.*\): `promote {name}` ends that"
    with pytest.raises(errors.ProjectError, match=back):
        registry.roll_back(watched, lambda version: None)
    registry.make_live(watched, name)
    assert monitor(monkeypatch, watched, ANY) == 0
    assert ": the model answers\n" in capsys.readouterr().out


MIRRORED = "max({target}) OVER () + min({target}) OVER () - {target}"
ANOTHER_S = "lead({target}, 1, {target}) OVER (PARTITION BY date_trunc('month', {time}) ORDER BY md5({key}))"
POISONED = {
    "all of the past and now": (
        "TRUE",
        MIRRORED,
        "with another outcome; retraining.maximum_changed_share is 0.01",
    ),
    "those that have come since": (
        "{time} >= '{since}'",
        MIRRORED,
        "may be: are they right? (retraining.usual_outcome)",
    ),
    "those that have come since, each another row's": (
        "{time} >= '{since}'",
        ANOTHER_S,
        "is its time over? (retraining.minimum_order_share)",
    ),
}


@pytest.mark.parametrize("poison", POISONED)
def test_by_poisoned_outcomes_nothing_is_switched_and_a_person_is_told(watched, monkeypatch, capsys, poison):
    which, other, why = POISONED[poison]
    its, path = watched.project, load.table_path(watched, watched.project.table_name)
    which = which.format(time=its.time, since=watched.dates.live_from)
    honest = path.with_name("honest.parquet")
    path.rename(honest)
    target, other = its.target, other.format(target=its.target, time=its.time, key=its.key)
    query = f"SELECT * REPLACE (CASE WHEN {which} THEN {other} ELSE {target} END AS {target}) FROM '{honest}'"
    with engine.connect(watched) as connection:
        engine.write_parquet(connection, query, path)
    turned_round(watched)
    before = registry.live_path(watched).read_bytes()
    assert run(monkeypatch, watched, "monitor", "--dry-run") == 3
    assert "the baseline did better: nothing would be switched, by outcomes" in capsys.readouterr().out
    assert run(monkeypatch, watched, "monitor") == 3
    said = capsys.readouterr()
    last = said.out.splitlines()[-1]
    assert last.startswith("the baseline did better: nothing is switched, by outcomes that are in doubt: ")
    assert why in last
    assert last.endswith(
        ". Mend their source, and run `etl`; if they are right, raise the limit that is named, "
        "and `monitor` switches"
    )
    version = live_version(watched).name
    assert f": the baseline did better than {version}, by outcomes that are in doubt: nothing is " in said.err
    assert registry.live_path(watched).read_bytes() == before
    (fault,) = [f for f in read_open_alerts(watched).faults if f.wrong.kind == "doubt"]
    assert fault.runbook == "4-operation/runbook.md#outcomes-in-doubt"
    path.unlink()
    honest.rename(path)
    shutil.rmtree(prediction_log.prediction_folder(watched))
    turned_round(watched)
    assert run(monkeypatch, watched, "monitor") == 3
    assert registry.read_live(watched).mode == "fallback"


def test_where_the_model_is_fed_with_wrong_values_the_fallback_takes_over(watched, monkeypatch):
    """Features are no outcomes: the baseline does better in truth."""
    its, path = watched.project, load.table_path(watched, watched.project.table_name)
    turned_round(watched)
    with engine.connect(watched) as connection:
        empty = f"CASE WHEN {its.time} < '{watched.dates.live_from}' THEN {AMOUNT.name} END AS {AMOUNT.name}"
        engine.write_parquet(connection, f"SELECT * REPLACE ({empty}) FROM '{path}'", path)
    assert run(monkeypatch, watched, "monitor") == 3
    assert registry.read_live(watched).mode == "fallback"


def test_a_look_back_changes_nothing(watched, monkeypatch, capsys):
    turned_round(watched)
    start = watched.dates.live_from
    window = ("--from", f"{start}", "--to", f"{start + timedelta(days=31)}")
    assert run(monkeypatch, watched, "monitor", *window) == 3
    assert capsys.readouterr().out.endswith("the baseline did better; a look back changes nothing\n")
    assert registry.read_live(watched).mode == "model"
    assert run(monkeypatch, watched, "monitor", *window[:2]) == 3
    assert registry.read_live(watched).mode == "model"


def test_the_months_lived_again_change_nothing(watched, monkeypatch, capsys):
    turned_round(watched)
    assert run(monkeypatch, watched, "monitor", "--relive") == 3
    assert "the baseline did better; a look back changes nothing\n" in capsys.readouterr().out
    assert registry.read_live(watched).mode == "model"


def test_a_version_promoted_meanwhile_is_not_put_aside_for_the_fault_of_another(watched):
    turned_round(watched)
    seen = run_monitoring(watched)
    assert (seen.newest, seen.baseline_better) == (True, True)
    another = variant(watched, lambda info: info.update(seed=1))
    registry.make_live(watched, another)
    said = f"the baseline did better: {seen.version} is not live any more, and nothing is changed"
    assert monitoring_run.act_on(watched, seen) == [said]
    assert (registry.read_live(watched).mode, live_version(watched).name) == ("model", another)


def test_a_canary_that_is_tried_by_now_is_not_withdrawn_for_the_fault_of_another(watched):
    name = with_canary(watched, wrong=True)
    seen = run_monitoring(watched)
    assert (seen.canary, seen.canary_worse) == (name, True)
    another = variant(watched, lambda info: info.update(seed=2))
    canary.start_canary(watched, another, 0.1)
    said = f"the canary did worse: {name} answers nothing any more"
    assert monitoring_run.act_on(watched, seen) == [said]
    assert registry.read_live(watched).canary.name == another


def test_the_fallback_stays_away_where_the_model_is_better(month, monkeypatch):
    assert monitor(monkeypatch, month, ANY) == 0
    assert registry.read_live(month).mode == "model"


def test_a_new_version_does_not_answer_for_an_earlier_one(watched, monkeypatch):
    turned_round(watched)
    registry.make_live(watched, variant(watched, lambda info: info.update(seed=1)))
    assert run(monkeypatch, watched, "monitor") == 3
    assert registry.read_live(watched).mode == "model"


def with_canary(settings, wrong):
    """Let a canary answer half of the first month, `wrong` or like the live version, and return its name."""
    name, start = variant(settings, lambda info: info.update(seed=1)), settings.dates.live_from
    canary.start_canary(settings, name, 0.5)
    shown = rows_asked(settings, more=(settings.project.target,), start=start)
    rows = [row for row in shown if row[TIME].date() < start + timedelta(days=30)]
    right = live.LiveModel(settings).answer(rows).prediction
    for row, value in zip(rows, right.tolist(), strict=True):
        chosen = canary.is_chosen(row[KEY], 0.5)
        row |= {
            "version": name if chosen else live_version(settings).name,
            "source": "model",
            "prediction": -50 - value if wrong and chosen else value,
            "baseline": 1e6,
        }
    keep(settings, rows)
    return name


def test_a_canary_that_does_worse_is_an_alert_and_withdrawn(watched, monkeypatch, capsys):
    name = with_canary(watched, wrong=True)
    assert monitor(monkeypatch, watched, ANY) == 3
    said = capsys.readouterr()
    assert f": {agreed(watched)} gained by the canary is " in said.err
    done = f"the canary did worse: {name} is withdrawn, the live version answers everything\n"
    assert said.out.endswith(done)
    assert registry.read_live(watched).canary is None


def test_a_canary_that_does_as_well_stays(watched, monkeypatch):
    name = with_canary(watched, wrong=False)
    found = readings(look(watched, expected={}))[f"{agreed(watched)} gained by the canary"]
    assert found.state == "ok"
    assert re.fullmatch(r"with 95% certainty from -?[0-9.]+ to [0-9.]+", found.why)
    assert monitor(monkeypatch, watched, ANY) == 0
    assert registry.read_live(watched).canary.name == name


def test_of_a_canary_with_few_outcomes_nothing_is_known(watched):
    with_canary(watched, wrong=True)
    seen = look(watched, expected={}, minimum_outcomes=100_000)
    found = readings(seen)[f"{agreed(watched)} gained by the canary"]
    assert found.state == "unknown"
    assert re.fullmatch(
        r"[0-9,]+ outcomes of what it answered are known, live.minimum_outcomes is 100,000", found.why
    )
    assert not seen.canary_worse
    (kept,) = (r for r in seen.record()["readings"] if r["name"] == f"{agreed(watched)} gained by the canary")
    assert (kept["value"], kept["high"]) == (None, None)


def test_of_a_canary_with_many_outcomes_of_few_days_nothing_is_known(watched):
    with_canary(watched, wrong=True)
    start = watched.dates.live_from
    section = watched.live.model_copy(update={"expected": {}, "minimum_outcomes": 10})
    few = watched.model_copy(update={"live": section})
    seen = run_monitoring(few, start, start + timedelta(days=5))
    found = readings(seen)[f"{agreed(watched)} gained by the canary"]
    assert found.state == "unknown"
    assert found.why.endswith(
        " outcomes of what it answered are known, of 5 days: too few to tell anything from chance"
    )


def test_of_a_canary_that_has_answered_nothing_nothing_is_known(month):
    canary.start_canary(month, variant(month, lambda info: info.update(seed=2)), 0.5)
    found = readings(look(month))[f"{agreed(month)} gained by the canary"]
    assert (found.state, found.shown) == ("unknown", "-")


def test_a_canary_is_told_to_be_gone_where_the_fallback_has_taken_over(watched):
    name = with_canary(watched, wrong=True)
    seen = replace(run_monitoring(watched), baseline_better=True)
    answers, gone = monitoring_run.act_on(watched, seen)
    assert answers.endswith("the fallback answers until the next promotion or rollback")
    assert gone == f"the canary did worse: {name} answers nothing any more"
    assert (registry.read_live(watched).mode, registry.read_live(watched).canary) == ("fallback", None)


def test_every_metric_that_can_decide_can_be_watched(predicted):
    expected = dict.fromkeys(predicted.project.metrics, ANY)
    found = readings(look(predicted, expected=expected))
    assert {found[metric].state for metric in expected} == {"ok"}
    assert not look(predicted).baseline_better


def test_monitor_without_a_live_model_says_what_to_do(project, monkeypatch, capsys):
    assert run(monkeypatch, project, "monitor") == 1
    said = f"error: {registry.live_path(project)}: no model is live yet; run `train`, then `promote`\n"
    assert capsys.readouterr().err == said


def test_monitor_without_predictions_says_what_to_do(watched, monkeypatch, capsys):
    assert run(monkeypatch, watched, "monitor") == 1
    folder = prediction_log.prediction_folder(watched)
    said = f"error: {folder}: no prediction yet; monitoring starts with the first\n"
    assert capsys.readouterr().err == said


def test_monitor_of_an_empty_log_says_what_to_do(watched, monkeypatch, capsys):
    folder = prediction_log.prediction_folder(watched)
    folder.mkdir()
    (folder / "served-2013-09-01-1.jsonl").touch()
    assert run(monkeypatch, watched, "monitor") == 1
    assert capsys.readouterr().err == "error: no prediction yet; monitoring starts with the first\n"


def test_monitor_of_a_window_without_predictions_says_so(month, monkeypatch, capsys):
    assert run(monkeypatch, month, "monitor", "--from", "1999-01-01", "--to", "1999-02-01") == 1
    said = "error: no prediction from 1999-01-01 on and before 1999-02-01; choose another window\n"
    assert capsys.readouterr().err == said


def test_monitor_of_a_window_the_wrong_way_round_is_refused(month, monkeypatch, capsys):
    assert run(monkeypatch, month, "monitor", "--from", "2013-10-01", "--to", "2013-09-01") == 1
    said = "error: from 2013-10-01 on and before 2013-09-01: no day lies between them\n"
    assert capsys.readouterr().err == said


def test_relive_lives_month_after_month_until_the_first_alert(watched, monkeypatch, capsys):
    calm, bad = only(watched, ANY), only(watched, NONE)
    assert run(monkeypatch, watched, "monitor", "--relive", **NO_DRIFT, LIVE__EXPECTED=calm) == 0
    months = looked_at(capsys.readouterr().out)
    assert months[0][0] == watched.dates.live_from
    assert [end for _, end in months[:-1]] == [start for start, _ in months[1:]]
    assert run(monkeypatch, watched, "monitor", "--relive", **NO_DRIFT, LIVE__EXPECTED=bad) == 3
    said = capsys.readouterr()
    assert looked_at(said.out) == months[:1]
    assert said.err.startswith(f"alert: {months[0][0]} to {months[0][1]}: {agreed(watched)} is ")
    rehearsed, ran = handover.alert_rehearsed(watched), operation.monitoring_ran(watched)
    assert (rehearsed.state, ran.state) == (State.OPEN, State.OPEN)
    assert rehearsed.evidence == "only by looks at the past"
    assert ran.evidence == "only of months that were lived again"
    assert run(monkeypatch, watched, "monitor", **NO_DRIFT, LIVE__EXPECTED=bad) == 3
    assert handover.alert_rehearsed(watched).state is State.DONE
    assert operation.monitoring_ran(watched).state is State.DONE


def looked_at(shown):
    """Return the first day of each window that was looked at, and the first after it."""
    found = re.findall(r"^(\S+) to (\S+): [0-9,]+ predictions", shown, flags=re.MULTILINE)
    return [(date.fromisoformat(start), date.fromisoformat(end)) for start, end in found]


def test_relive_predicts_a_month_once(watched):
    first = next(backtest(watched))
    folder = prediction_log.prediction_folder(watched)
    logged = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in folder.iterdir())
    assert next(backtest(watched)) == first
    again = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in folder.iterdir())
    assert (logged, again) == (first.rows, first.rows)


@pytest.mark.parametrize("name", ["work[12]", "work*", "work?", "stage=live"])
def test_a_folder_s_name_is_no_pattern_and_no_column(predicted, tmp_path, name):
    before = look(predicted)
    for folder in (tmp_path / name, tmp_path / "work1"):
        shutil.copytree(predicted.workspace, folder)
    there = predicted.model_copy(update={"workspace": tmp_path / name})
    rejected = there.workspace / "data" / "rejected" / "scored-tomorrow.parquet"
    keep(there.model_copy(update={"workspace": tmp_path / "work1"}), first_month(there)[:10])
    with engine.connect(there) as connection:
        half = f"SELECT * FROM ({outcomes.all_predictions(there)}) WHERE hash({KEY}) % 2 = 0"
        engine.write_parquet(
            connection, half, prediction_log.prediction_folder(there) / "scored-half.parquet"
        )
        broken = f"SELECT TIMESTAMP '{there.dates.live_from}' AS {TIME} FROM range({before.rows})"
        engine.write_parquet(connection, broken, rejected)
    after = look(there)
    assert (after.rows, after.outcomes, after.metrics) == (before.rows, before.outcomes, before.metrics)
    assert readings(after)["rows that break the contract"].value == 0.5
