"""Every other section, on figures known by hand; what is missing or broken is a sentence."""

import json
from datetime import UTC, date, datetime

import numpy as np
import pytest

from handrail.compute.duckdb import connect, row
from handrail.config.sections import ErrorCosts
from handrail.dashboard import (
    query,
    read_alerts,
    read_budget,
    read_error_costs,
    read_monitored,
    read_standing,
    read_volume,
)
from handrail.errors import ProjectError
from handrail.monitoring.faults import Fault, Wrong
from handrail.monitoring.open_alerts import OpenAlerts, change_open_alerts
from handrail.tasks import Classification, Regression
from tests.engine.dashboard.made_up_board import (
    CAME,
    ROWS,
    VERSION,
    Wait,
    board,
    filled,
    kept,
    known,
    looked,
    predicted,
)

MONITOR = "no look at the predictions yet; `uv run made-up-board monitor` is the first"
WAITS = [(1, 0, 10.0, 12.0, 9.0), (2, 1, 20.0, 22.0, 30.0), (3, 40, 5.0, 7.0, 5.0)]


def refused(read, settings):
    """Return what a section says in place of its figures."""
    with pytest.raises(ProjectError) as error:
        read(settings)
    return str(error.value)


def test_predictions_are_counted_by_day_and_by_whom(tmp_path):
    settings = filled(tmp_path)
    predicted(settings, [(8, 0, 0.9, True, 0.1)], name="scored-b.parquet", version="2024-01-01-bbbbbbbb")
    found = read_volume(settings)
    assert found.rows == 8
    assert found.told == (
        f"8 predictions of 2024-01-01 to 2024-01-16: 7 by {VERSION}, 1 by 2024-01-01-bbbbbbbb"
    )
    assert found.by_day[:2] == [(date(2024, 1, 1), VERSION, 1), (date(2024, 1, 1), "2024-01-01-bbbbbbbb", 1)]
    assert dict(found.acted_by_day)[date(2024, 1, 1)] == 1.0
    assert dict(found.acted_by_day)[date(2024, 1, 2)] == 0.0
    assert (found.acted, found.unit) == ("share of visits with a warning", "share")


def test_what_the_fallback_answered_is_told_apart(tmp_path):
    settings = board(tmp_path)
    folder = tmp_path / "data" / "predictions"
    folder.mkdir(parents=True)
    line = {
        "predicted_at": "2024-01-01T10:00:00",
        "version": VERSION,
        "source": "fallback",
        "prediction": 0.5,
        "baseline": 0.5,
        "flagged": True,
        "visit_id": "V1",
        "seen_at": "2024-01-01T10:00:00",
        "heat": 1.0,
    }
    (folder / "served-2024-01-01-aa.jsonl").write_text(json.dumps(line) + "\n" + '{"predicted_at": "20')
    assert read_volume(settings).told == f"1 prediction of 2024-01-01 to 2024-01-01: 1 by {VERSION}, fallback"


def test_amounts_are_those_that_were_planned(tmp_path):
    settings = board(tmp_path, contract=Wait)
    predicted(settings, WAITS)
    found = read_volume(settings)
    assert found.acted_by_day == [
        (date(2024, 1, 1), 12.0),
        (date(2024, 1, 2), 22.0),
        (date(2024, 2, 10), 7.0),
    ]
    assert found.unit == "minutes"


def test_errors_cost_what_they_cost_beside_the_simple_technique_and_doing_nothing(tmp_path):
    found = read_error_costs(filled(tmp_path))
    # Told: V2 was missed (7), V4 for nothing (2). Simple, from 0.5 on: V1, V2 and V6 (2) told, V3 (7) missed.
    assert found.totals == {"acting on what was told": 9, "on the simple technique": 9, "doing nothing": 21}
    assert (found.currency, found.rows, len(found.months)) == ("EUR", 6, 1)


def test_errors_of_amounts_cost_by_unit_and_nobody_can_do_nothing(tmp_path):
    settings = board(tmp_path, contract=Wait)
    predicted(settings, WAITS)
    known(settings, {1: (0, 15), 2: (1, 20), 3: (40, 7)})
    kept(settings, margin=1.0)
    found = read_error_costs(settings)
    # Told: 3 short (21), 2 over (4), 0. Simple and a margin of 1: 5 short (35), 11 over (22), 1 short (7).
    assert found.totals == {"acting on what was told": 25, "on the simple technique": 64}
    assert [(month.month, month.told) for month in found.months] == [
        (date(2024, 1, 1), 25),
        (date(2024, 2, 1), 0),
    ]


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        (
            (7, 2),
            ". At what errors cost, acting on it costs more than warnings for all visits: EUR 9 against "
            "EUR 6.",
        ),
        (
            (1, 8),
            ". At what errors cost, acting on it costs more than no warnings at all: EUR 9 against EUR 3.",
        ),
        ((7, 6), ""),  # told: V2 was missed, V4 in vain: 13; never: 21, always: 18
    ],
)
def test_where_acting_has_cost_more_than_doing_without_it_is_said(tmp_path, costs, said):
    settings = filled(tmp_path, error_costs={"currency": "EUR", "too_low": costs[0], "too_high": costs[1]})
    found = read_error_costs(settings).told
    assert found.endswith(f"as it would have been otherwise{said}")


@pytest.mark.parametrize(
    ("planned", "said"),
    [
        ((12.0, 22.0, 7.0), ""),
        # One plan for all that suits them best: 20, which leaves 5 and 13 over.
        (
            (0.0, 0.0, 0.0),
            ". At what errors cost, acting on it costs more than the same plan for all visits: EUR 294 "
            "against EUR 36.",
        ),
    ],
)
def test_where_one_plan_for_all_would_have_cost_less_it_is_said(tmp_path, planned, said):
    settings = board(tmp_path, contract=Wait)
    told = [(*row[:3], plan, row[4]) for row, plan in zip(WAITS, planned, strict=True)]
    predicted(settings, told)
    known(settings, {1: (0, 15), 2: (1, 20), 3: (40, 7)})
    kept(settings, margin=1.0)
    assert read_error_costs(settings).told.endswith(f"as it would have been otherwise{said}")


def test_predictions_of_a_version_that_is_gone_are_left_out_and_counted(tmp_path):
    settings = filled(tmp_path)
    predicted(settings, [(8, 0, 0.9, True, 0.1)], name="scored-b.parquet", version="2023-11-01-cccccccc")
    known(settings, CAME | {8: (0, 1)})
    found = read_error_costs(settings)
    assert found.rows == 6
    assert found.notes == ("of versions that are not kept any more, left out: 1",)


@pytest.mark.parametrize("task", [Classification(), Regression()], ids=lambda task: task.kind)
def test_the_cost_in_sql_is_that_of_the_payoff(task, empty):
    rng, costs = np.random.default_rng(1), ErrorCosts(currency="EUR", too_low=7, too_high=2)
    chance = task.predicts == "chance"
    target = rng.integers(0, 2, 500) if chance else rng.random(500) * 10
    prediction = (rng.random(500) if chance else rng.random(500) * 10).astype(np.float32)
    decision = {"threshold": 0.4} if chance else {"margin": 1.25}
    payoff = task.payoff(target, prediction, decision, costs)
    expected = 7 * target.sum() - payoff.sum() if chance else -payoff.sum()
    acts = task.acts_in_sql("prediction", decision)
    with connect(empty) as connection:
        connection.execute("CREATE TABLE given (target DOUBLE, prediction FLOAT)")
        connection.executemany(
            "INSERT INTO given VALUES (?, ?)", list(zip(target.tolist(), prediction.tolist(), strict=True))
        )
        found = row(
            connection, f"SELECT sum({task.error_cost_in_sql('target', acts, costs)}) AS cost FROM given"
        )
    assert found["cost"] == pytest.approx(expected)


def test_what_an_error_costs_has_to_be_agreed_and_known(tmp_path):
    settings = board(tmp_path)
    assert refused(read_error_costs, settings).startswith("no prediction yet; ")
    predicted(settings, ROWS)
    assert (
        refused(read_error_costs, settings) == "no outcome of a prediction is known yet; `etl` loads outcomes"
    )
    open_ones = settings.model_copy(
        update={"error_costs": ErrorCosts(currency="units", too_low=1, too_high=1)}
    )
    assert refused(read_error_costs, open_ones) == (
        "nobody has said yet what an error costs; `error_costs` in project.yaml says it"
    )


def test_the_budget_is_told_with_what_is_left(tmp_path):
    assert refused(read_budget, board(tmp_path)) == "no budget is agreed; `budget` in project.yaml says it"
    budget = {"currency": "EUR", "total": 1000, "spent": 1250}
    assert read_budget(board(tmp_path, budget=budget)).told == [
        "Budget: 1,250 of 1,000 EUR spent, 250 more than agreed."
    ]
    budget |= {"spent": 400, "research": {"begins": "2024-01-01", "days": 20, "money": 500}}
    money = read_budget(board(tmp_path, budget=budget))
    assert money.left == 600
    assert [each.unit for each in money.research] == ["days", "EUR"]


def test_the_newest_reading_of_a_figure_and_window_counts(tmp_path):
    settings = board(tmp_path)
    looked(settings, {"value": 0.5}, {"value": 0.8, "at": "2024-02-02 00:00:00+00:00"})
    looked(settings, {"value": 0.4, "at": "2024-02-03T00:00:00+00:00", "of": "relived"})
    looked(settings, {"value": 0.6, "start": "2023-12-01", "end": "2023-12-31", "of": "relived"})
    (found,) = read_monitored(settings).accuracy
    assert found.points == [(date(2023, 12, 30), 0.6), (date(2024, 1, 30), 0.8)]
    assert found.lines == {
        "looked at": [(date(2024, 1, 30), 0.8)],
        "lived again": [(date(2023, 12, 30), 0.6)],
    }
    assert found.told == "0.800, expected 0.7 to 0.9: ok. 2024-01-01 to 2024-01-31, 8 of 10 outcomes known"


def test_a_look_back_is_no_point_and_never_the_newest(tmp_path):
    settings = board(tmp_path)
    back = {"start": "2024-02-01", "end": "2024-03-01", "at": "2024-03-02T00:00:00+00:00", "of": "back"}
    looked(settings, {"value": 0.1, "state": "alert", **back})
    assert refused(read_monitored, settings).startswith("no look at the predictions yet; ")
    looked(settings, {"value": 0.8}, {"value": 0.1, "of": "back"})
    (found,) = read_monitored(settings).accuracy
    assert (found.newest.value, found.points) == (0.8, [(date(2024, 1, 30), 0.8)])


def test_what_is_not_known_says_why_and_is_no_point(tmp_path):
    settings = board(tmp_path)
    looked(settings, {"value": None, "state": "unknown", "why": "fewer than 500 outcomes", "high": None})
    (found,) = read_monitored(settings).accuracy
    assert found.points == []
    assert found.told.startswith("not known (fewer than 500 outcomes), expected at least 0.7: unknown.")


def test_drift_is_drawn_for_the_prediction_and_what_moved_furthest(tmp_path):
    settings = board(tmp_path)
    moved = {"prediction": 0.01, "a": 0.1, "b": 0.5, "c": 0.2, "d": 0.3, "e": 0.4}
    looked(
        settings,
        *(
            {"figure": f"drift of {name}", "value": value, "low": 0, "high": 0.25}
            for name, value in moved.items()
        ),
        {"figure": "age of the model in days", "value": 61.0, "low": 0, "high": 100},
    )
    found = read_monitored(settings)
    assert found.furthest == [f"drift of {name}" for name in ("prediction", "b", "e", "d", "c")]
    assert found.drift_limit == 0.25
    assert [each["is"] for each in found.table][-1] == "61"
    assert found.accuracy == ()


def test_alerts_are_open_until_they_are_over(tmp_path):
    settings = board(tmp_path)
    assert read_alerts(settings).told == "nobody has looked yet"
    looked(settings, {"value": 0.6, "state": "alert"})
    began = datetime(2024, 2, 1, tzinfo=UTC)
    wrong = Wrong(kind="reading", name="roc_auc", text="roc_auc is 0.600, expected at least 0.7")
    fault = Fault(wrong=wrong, since=began, told=began)
    change_open_alerts(settings, lambda state: OpenAlerts(faults=(fault,)))
    assert read_alerts(settings).told == "open: roc_auc is 0.600, expected at least 0.7 (since 2024-02-01)"
    change_open_alerts(settings, lambda state: OpenAlerts())
    assert read_alerts(settings).told == "open: none"


def test_alerts_that_were_raised_are_listed_the_newest_first(tmp_path):
    settings = board(tmp_path)
    path = tmp_path / "reports" / "alerts.jsonl"
    path.parent.mkdir()
    lines = [
        {"at": "2024-01-01T10:00:00+00:00", "version": "v", "alerts": ["a is 1", "b is 2"], "relived": True},
        {"at": "2024-01-02T10:00:00+00:00", "version": "v", "alerts": ["c is 3"], "delivered": {"more": 1}},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"at": "2024-01-')
    found = read_alerts(settings)
    assert [(each["at (UTC)"], each["alert"], each[""]) for each in found.table] == [
        ("2024-01-02 10:00", "c is 3", ""),
        ("2024-01-01 10:00", "b is 2", "lived again"),
        ("2024-01-01 10:00", "a is 1", "lived again"),
    ]
    assert found.notes == ("reports/alerts.jsonl, line 3 can't be read, and is left out",)


def test_a_line_that_is_being_written_is_no_fault_and_a_broken_one_is(tmp_path):
    settings = board(tmp_path)
    looked(settings, {})
    path = tmp_path / "reports" / "monitoring" / "series.ndjson"
    whole = path.read_text()
    path.write_text(whole + whole[:50])
    assert read_monitored(settings).notes == ()
    path.write_text("no JSON\n" + whole + '{"figure": "x"}\n')
    found = read_monitored(settings)
    assert [figure.name for figure in found.accuracy] == ["roc_auc"]
    assert found.notes == tuple(
        f"reports/monitoring/series.ndjson, line {number} can't be read, and is left out" for number in (1, 3)
    )


def test_where_nobody_has_looked_it_says_what_to_run(tmp_path):
    assert refused(read_monitored, board(tmp_path)) == MONITOR


def live(folder, *events, **more):
    """Write what is live, and the history of it."""
    (folder / "models").mkdir(exist_ok=True)
    said = {"versions": ["v1", "v2"], "checksums": ["1", "2"], "mode": "model", "reason": "promoted"}
    (folder / "models" / "live.json").write_text(json.dumps(said | more))
    (folder / "models" / "history.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))


def test_what_is_live_is_told_since_when_with_fallback_and_canary(tmp_path):
    settings = board(tmp_path)
    assert read_standing(settings).live == (
        "no model is live; `uv run made-up-board promote` puts one into staging",
    )
    events = [
        {"at": "2024-01-01T00:00:00+00:00", "live": "v2", "stage": "live"},
        {"at": "2024-02-01T00:00:00+00:00", "live": "v1", "stage": "live"},
        {"at": "2024-03-01T00:00:00+00:00", "live": "v2", "stage": "live"},
        {"at": "2024-04-01T00:00:00+00:00", "live": "v2", "stage": "live", "reason": "canary"},
    ]
    canary = {"name": "v3", "checksum": "3", "share": 0.1}
    live(tmp_path, *events, launched=True, mode="fallback", reason="the baseline did better", canary=canary)
    assert read_standing(settings).live == (
        "v2 is live, since 2024-03-01",
        "the fallback answers in place of the model: the baseline did better",
        "the canary v3 answers 10% of what is asked",
    )
    (tmp_path / "models" / "live.json").write_text("{")
    (said,) = read_standing(settings).live
    assert "live.json: not readable" in said


def test_the_stages_are_those_of_status(tmp_path):
    found = read_standing(board(tmp_path))
    assert [stage.name for stage in found.stages] == ["Discovery", "Research", "Production", "Operation"]
    assert found.lead == "Who is ill. Sponsor: Ada."
    assert found.next.startswith("Next (1-discovery, ")


def test_one_s_own_section_can_ask_the_same_tables(tmp_path):
    settings = filled(tmp_path)
    assert query(settings, "SELECT count(*) AS n, count(ill) AS known FROM predictions") == [
        {"n": 7, "known": 6}
    ]
    with pytest.raises(ProjectError, match=r"the engine stopped: .*nothing_there"):
        query(settings, "SELECT * FROM nothing_there")
