"""What is watched is a list: one's own checks stand beside the engine's, one that fails stops no other."""

import json
import re
from dataclasses import fields, replace
from math import inf, isnan, nan

import pytest

from handrail import Project, ProjectError
from handrail.monitoring import checks
from handrail.monitoring.checks import Look, Reading
from handrail.monitoring.monitoring_run import run_monitoring
from handrail.registry.live import load_live
from handrail.registry.versions import save_version
from tests.engine.support.lived import TIME, first_month_predicted, run
from tests.engine.support.workspaces import PROJECT, in_workspace

BUILT_IN = (
    checks.metrics_in_range,
    checks.outcomes_in_time,
    checks.canary_holds,
    checks.contract_kept,
    checks.service_answers,
    checks.young_enough,
    checks.no_drift,
    checks.values_known,
    checks.traffic_as_usual,
    checks.keys_once,
    checks.outcomes_vary,
)
WIDE = {"LIVE__DRIFT_LIMIT": "1000", "LIVE__MAXIMUM_AGE_DAYS": "1000"}


@pytest.fixture(scope="module", params=["trained", "trained_amounts"])
def predicted(request, tmp_path_factory):
    """Return settings of a workspace whose live version has predicted its first month; read only."""
    return first_month_predicted(request.getfixturevalue(request.param), tmp_path_factory.mktemp("predicted"))


def watching(settings, *own):
    """Return the same workspace as that of a project which lists these checks."""
    project = Project(settings.project.package, given={"checks": own}, root=settings.root)
    return in_workspace(settings.workspace, project)


def share_of_night(look):
    """Tell how many departures are at night; what is expected is not."""
    share = look.value(f"avg(CASE WHEN extract(hour FROM {TIME}) >= 20 THEN 1.0 ELSE 0.0 END)")
    yield look.reading("share of departures at night", share, low=0.9, high=1.0)


def test_the_project_lists_the_engine_s_checks_in_their_order():
    assert tuple(PROJECT.checks) == BUILT_IN


def test_they_are_told_in_the_order_of_the_list(predicted):
    seen = [reading.name for reading in run_monitoring(predicted).readings]
    others = ("outcomes overdue", "rows that break the contract", "age of the model in days")
    expected = [*predicted.live.expected, *others]
    assert seen[: len(expected)] == expected
    kinds = [name.partition(" of ")[0] for name in seen[len(expected) :]]
    assert [*dict.fromkeys(kinds)] == [
        "drift",
        "missing values",
        "new values",
        "traffic",
        "days",
        "days since the last prediction",
        "answers for a key once more",
        "different outcomes",
    ]
    turned = watching(predicted, checks.young_enough, checks.metrics_in_range)
    found = [reading.name for reading in run_monitoring(turned).readings]
    assert found == ["age of the model in days", *predicted.live.expected]


def test_a_check_of_ones_own_is_read_told_and_kept_like_the_others(month, monkeypatch, capsys):
    settings = watching(month, *BUILT_IN, share_of_night)
    wide = WIDE | {"LIVE__EXPECTED": json.dumps(dict.fromkeys(month.live.expected, (-1e9, 1e9)))}
    assert run(monkeypatch, settings, "monitor", **wide) == 3
    said = capsys.readouterr()
    seen = run_monitoring(settings)
    reading = next(r for r in seen.readings if r.name == "share of departures at night")
    assert 0 < reading.value < 0.9
    line = f"{seen.start} to {seen.end}: {reading.name} is {reading.value:.3f}, expected 0.9 to 1"
    assert said.err == f"alert: {line}\n"
    shown = next(row for row in said.out.splitlines() if row.startswith(reading.name))
    assert shown.removeprefix(reading.name).split() == [f"{reading.value:.3f}", "0.9", "to", "1", "alert"]
    (entry,) = (month.workspace / "reports" / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(entry)["alerts"] == [line]
    (report,) = (month.workspace / "reports" / "monitoring").glob("*.json")
    assert json.loads(report.read_text(encoding="utf-8"))["alerts"] == [reading.name]


def test_a_check_sees_what_was_predicted_and_what_came(predicted):
    seen = []

    def watch(look):
        seen.append(look)
        target = look.settings.project.target
        yield look.reading("rows", look.value("count(*)"))
        yield look.reading("outcomes", look.value(f"count({target})"))
        known = f"WHERE {target} IS NOT NULL"
        yield look.reading("mean of the prediction", look.value(f"avg(prediction) FILTER ({known})"))
        yield look.reading("the baseline's", look.value("avg(baseline)"), high=-1e8, otherwise="warning")

    found = run_monitoring(watching(predicted, watch))
    (look,) = seen
    assert isinstance(look, Look)
    assert (look.count, look.outcomes) == (found.rows, found.outcomes)
    by_name = {reading.name: reading for reading in found.readings}
    assert (by_name["rows"].value, by_name["outcomes"].value) == (found.rows, found.outcomes)
    mean = by_name["mean of the prediction"].value
    assert mean == pytest.approx(found.metrics["mean_prediction"], rel=1e-9)
    assert (by_name["the baseline's"].state, found.alerts) == ("warning", ())
    assert look.metrics == found.metrics
    assert (look.version.name, look.live.versions, look.start, look.end) == (
        found.version,
        (found.version,),
        found.start,
        found.end,
    )


def asks_for_too_much(look):
    yield look.reading("before it fails", 1.0)
    yield look.reading("night", look.value("avg(moonlight)"))


def refuses(look):
    raise ProjectError("the calendar of holidays is missing; run `etl`")


def divides(look):
    return [look.reading("share", look.count / 0)]


def forgets_to_yield(look):
    look.reading("nothing", 1.0)


def gives_a_number(look):
    yield 3.5


FAILING = {
    asks_for_too_much: 'Binder Error: Referenced column "moonlight" not found in FROM clause!',
    refuses: "the calendar of holidays is missing; run `etl`",
    divides: "ZeroDivisionError: division by zero",
    forgets_to_yield: "TypeError: 'NoneType' object is not iterable",
    gives_a_number: "gives 3.5, which is no reading; use look.reading(...)",
}


@pytest.mark.parametrize("check", FAILING, ids=lambda check: check.__name__)
def test_a_check_that_fails_is_named_and_the_others_are_run(predicted, check):
    seen = run_monitoring(watching(predicted, checks.young_enough, check, share_of_night))
    first, *_, failed, last = seen.readings
    assert (first.name, last.name) == ("age of the model in days", "share of departures at night")
    assert (failed.name, isnan(failed.value), failed.state) == (check.__name__, True, "unknown")
    (problem,) = seen.problems
    assert problem.startswith(f"monitor/checks.py: {check.__name__}: {FAILING[check]}")
    assert "\n" not in problem
    (own,) = [r for r in seen.record()["readings"] if r["name"] == check.__name__]
    assert own.pop("why").startswith(f"it failed: {FAILING[check]}")
    assert own == {"name": check.__name__, "value": None, "low": None, "high": None, "state": "unknown"}


def test_what_a_check_has_told_before_it_fails_stays_told(predicted):
    names = [r.name for r in run_monitoring(watching(predicted, asks_for_too_much)).readings]
    assert names == ["before it fails", "asks_for_too_much"]


def test_a_check_that_fails_is_exit_status_1_and_an_alert_beside_it_3(month, monkeypatch, capsys):
    problem = "error: monitor/checks.py: refuses: the calendar of holidays is missing; run `etl`\n"
    assert run(monkeypatch, watching(month, refuses, checks.contract_kept), "monitor") == 1
    said = capsys.readouterr()
    assert said.err == problem
    assert "rows that break the contract" in said.out
    (report,) = (month.workspace / "reports" / "monitoring").glob("*.json")
    kept = json.loads(report.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert kept["problems"] == [problem.removeprefix("error: ").removesuffix("\n")]
    assert run(monkeypatch, watching(month, refuses, share_of_night), "monitor") == 3
    assert [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()] == ["alert", "error"]


def test_with_the_engine_s_checks_nothing_fails(predicted):
    seen = run_monitoring(predicted)
    assert (seen.problems, seen.notes) == ((), ())


@pytest.mark.parametrize(
    ("value", "state"), [(0.9, "ok"), (1.0, "ok"), (0.89, "alert"), (1.01, "alert"), (nan, "unknown")]
)
def test_both_ends_of_a_range_are_in_it(value, state):
    look = Look(*[None] * len(fields(Look)))
    reading = look.reading("share", value, low=0.9, high=1.0)
    assert replace(reading, why="") == Reading("share", reading.value, 0.9, 1.0, state)
    assert reading.why == ("there is nothing to compute it from" if isnan(value) else "")
    assert look.reading("share", value).state == ("unknown" if isnan(value) else "ok")
    assert (look.reading("share", 1).low, look.reading("share", 1).high) == (-inf, inf)


def test_a_feature_that_an_earlier_version_lacked_does_not_drift_for_it(month):
    """Rows that were predicted before a feature was asked for are left out of its drift, and it is said."""
    version, _ = load_live(month)
    name = next(each for each in version.encoding.features if each.startswith("plane_"))
    info = json.loads((version.path / "model.json").read_text(encoding="utf-8"))
    info["encoding"]["features"].remove(name)
    earlier = save_version(month, {"model.json": json.dumps(info).encode()}, "earlier")
    before = {each.name: each.value for each in run_monitoring(month).readings}
    (log,) = (month.workspace / "data" / "predictions").glob("served-*.jsonl")
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    for line in lines[::2]:
        line.pop(name)
        line["version"] = earlier
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    seen = run_monitoring(month)
    found = {each.name: each.value for each in seen.readings}
    assert found[f"drift of {name}"] == pytest.approx(before[f"drift of {name}"], abs=0.02)
    for kind in ("missing values", "new values"):  # of half of the rows, not all of which lacked it
        assert found[f"{kind} of {name}"] == pytest.approx(before[f"{kind} of {name}"], abs=0.02)
    others, said = seen.notes
    assert re.fullmatch(
        rf"[\d,]+ of {seen.rows:,} predictions are of other versions; the metrics leave them out", others
    )
    assert re.fullmatch(
        rf"drift of {name} goes by [\d,]+ of {seen.rows:,} rows: the others were predicted by {earlier}, "
        "which did not have it yet",
        said,
    )
    few = month.model_copy(
        update={"live": month.live.model_copy(update={"minimum_outcomes": round(seen.rows * 0.9)})}
    )
    of_it = [each for each in run_monitoring(few).readings if each.name.endswith(f" of {name}")]
    assert {each.name.partition(" of ")[0]: each.state for each in of_it} == dict.fromkeys(
        ("drift", "missing values", "new values"), "unknown"
    )
