"""What goes wrong in practice is noticed, and what is as always is not."""

import re
from collections import Counter
from datetime import timedelta
from statistics import mean

import duckdb
import numpy as np
import pytest

from handrail.monitoring import checks, monitoring_run, usual
from handrail.monitoring.monitoring_run import run_monitoring
from handrail.monitoring.usual import traffic
from handrail.serving import inference as live
from handrail.serving import prediction_log
from tests.engine.support.lived import KEY, TIME, keep, promoted, rows_asked
from tests.engine.support.workspaces import copied

WINDOW = timedelta(days=30)
LOOSE = {"maximum_age_days": 1000, "minimum_outcomes": 300, "expected": {}}


@pytest.fixture(scope="module")
def months(trained, tmp_path_factory):
    """Return settings, and the rows of the first two months after the split: the first is predicted."""
    settings = promoted(copied(trained, tmp_path_factory.mktemp("months")))
    live_section = settings.live.model_copy(update=LOOSE)
    settings = settings.model_copy(update={"live": live_section})
    first = settings.dates.live_from
    every = [row for row in rows_asked(settings) if row[TIME].date() < first + 2 * WINDOW]
    earlier = [row for row in every if row[TIME].date() < first + WINDOW]
    return settings, earlier, [row for row in every if row[TIME].date() >= first + WINDOW]


@pytest.fixture
def watched(months, tmp_path):
    """Return a function that predicts the second month, as it is changed, and looks at it."""
    settings, earlier, later = months
    there = copied(settings, tmp_path).model_copy(update={"live": settings.live})
    model = live.LiveModel(there)
    keep(there, prediction_log.log_rows(earlier, model.answer(earlier)))

    def look(change=lambda rows: rows):
        rows = change([dict(row) for row in later])
        keep(there, prediction_log.log_rows(rows, model.answer(rows)))
        start = settings.dates.live_from + WINDOW
        seen = run_monitoring(there, start, start + WINDOW)
        assert seen.problems == ()
        notes[:] = seen.notes
        return {each.name: each for each in seen.readings}

    notes = look.notes = []
    look.rows = later
    return look


def alerts(readings):
    return {name for name, reading in readings.items() if reading.state == "alert"}


def changed(name, change):
    """Return a change of one column, where it has a value."""

    def of(rows):
        return [row | {name: None if row[name] is None else change(row[name])} for row in rows]

    return of


def some(share, change):
    """Return a change of a share of the rows."""
    rng = np.random.default_rng(1)

    def of(rows):
        other = change(rows)
        return [b if rng.random() < share else a for a, b in zip(rows, other, strict=True)]

    return of


def test_two_ordinary_months_raise_no_alert(watched):
    readings = watched()
    assert alerts(readings) == set()
    told = {
        "missing values of wind_speed_kmh",
        "new values of carrier",
        "days of the last week without predictions",
    }
    assert told | {"traffic of the last week", "different outcomes"} <= {*readings}
    assert readings["answers for a key once more"].value == 0


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (changed("temperature_c", lambda c: c * 9 / 5 + 32), "new values of temperature_c"),
        (changed("distance_km", lambda km: km / 1.609344), "new values of distance_km"),
        (changed("visibility_km", lambda km: km / 1.609344), "drift of visibility_km"),
        (changed("humidity_percent", lambda _: None), "missing values of humidity_percent"),
        (changed("temperature_c", lambda _: 15.0), "drift of temperature_c"),
        (changed("carrier", {"UA": "United"}.get), "missing values of carrier"),
        (changed("carrier", lambda name: "United" if name == "UA" else name), "new values of carrier"),
        (some(0.2, changed("carrier", lambda _: "ZZ")), "new values of carrier"),
        (lambda rows: rows[::2], "traffic of the last week"),
        (lambda rows: rows[::3], "traffic of the last week"),
        (
            lambda rows: [
                row for row in rows if row[TIME].date() != rows[-1][TIME].date() - timedelta(days=3)
            ],
            "days of the last week without predictions",
        ),
        (lambda rows: [*rows, *rows], "answers for a key once more"),
    ],
    ids=[
        "a temperature in Fahrenheit",
        "distances in miles",
        "visibility in miles",
        "a column all null",
        "a column constant",
        "all but one name null",
        "a name renamed",
        "a fifth of the names new",
        "half of the traffic missing",
        "two thirds of the traffic missing",
        "a day without any",
        "each key twice",
    ],
)
def test_it_is_noticed(watched, change, expected):
    readings = watched(change)
    assert expected in alerts(readings), {name: (r.value, r.state) for name, r in readings.items()}


@pytest.fixture
def outcomes_all_0(watched, months, tmp_path):
    """Return a function that looks at the second month, of which every outcome is 0."""
    settings, *_ = months
    there = next(tmp_path.rglob("departures.parquet"))
    new = there.with_name("new.parquet")
    target, start = settings.project.target, settings.dates.live_from + WINDOW
    told = f"CASE WHEN {TIME} >= '{start}' AND {target} IS NOT NULL THEN 0 ELSE {target} END"
    query = f"SELECT * REPLACE ({told} AS {target}) FROM '{there}'"
    duckdb.sql(query).write_parquet(str(new))
    new.replace(there)
    return watched


def test_outcomes_that_are_all_the_same_are_noticed(outcomes_all_0):
    assert "different outcomes" in alerts(outcomes_all_0())


@pytest.mark.slow
def test_thirty_windows_of_what_was_learnt_raise_one_alert_at_most(months, tmp_path):
    settings, earlier, _ = months
    learnt = [
        row
        for row in rows_asked(settings, start="2013-01-01")
        if row[TIME].date() < settings.dates.validation_from
    ]
    start, raised, rng = settings.dates.live_from, Counter(), np.random.default_rng(3)
    for number in range(30):
        there = copied(settings, tmp_path / str(number)).model_copy(update={"live": settings.live})
        model = live.LiveModel(there)
        drawn = [learnt[place] for place in rng.integers(0, len(learnt), 2 * len(earlier))]
        days = rng.permutation(np.arange(len(drawn)) % 60)
        rows = [
            row
            | {
                KEY: f"UA{n}-EWR-201309010000",
                TIME: row[TIME].replace(year=2013, month=9, day=1) + timedelta(days=int(day)),
            }
            for n, (row, day) in enumerate(zip(drawn, days, strict=True), start=1)
        ]
        keep(there, prediction_log.log_rows(rows, model.answer(rows)))
        seen = run_monitoring(there, start + WINDOW, start + 2 * WINDOW)
        # The keys are made up, so that no outcome ever comes.
        raised.update(each.name for each in seen.alerts if each.name != "outcomes overdue")
    assert raised.total() <= 1, raised


def test_the_usual_of_a_day_is_that_of_the_same_days_before():
    week = [100, 100, 100, 100, 100, 40, 30]
    assert traffic(week * 5) == (1.0, 0)
    assert traffic([*week * 4, *(each // 2 for each in week)]) == (pytest.approx(0.5, abs=0.01), 0)
    silent = [*week]
    silent[2] = 0
    share, days = traffic([*week * 4, *silent])
    assert (round(share, 3), days) == (round(470 / 570, 3), 1)
    few = "predictions are known of 14 whole days; from 21 on it is known how many are usual"
    assert traffic(week * 2) == few
    weekly = "on most days of the week, fewer than 20 predictions are usual"
    assert traffic([*[1000, 0, 0, 0, 0, 0, 0] * 8]) == weekly
    assert mean(week) > 80


@pytest.fixture
def daily(months, tmp_path):
    """Return a function that keeps the first month as predicted on the day before each row, and settings."""
    settings, earlier, _ = months
    there = copied(settings, tmp_path).model_copy(update={"live": settings.live})
    first = settings.dates.live_from

    def look(today, made=f"CAST({TIME} AS DATE) - 1", rows=earlier, **limits):
        keep(there, prediction_log.log_rows(rows, live.LiveModel(there).answer(rows)))
        (log,) = prediction_log.prediction_folder(there).glob("*.jsonl")
        query = f"SELECT * REPLACE (CAST({made} AS TIMESTAMP) AS predicted_at) FROM read_json('{log}')"
        duckdb.sql(query).write_parquet(str(log.with_name("scored-daily.parquet")))
        log.unlink()
        limited = there.model_copy(update={"live": there.live.model_copy(update=limits)})
        return {r.name: r for r in run_monitoring(limited, today=first + timedelta(days=today)).readings}

    return look


def test_a_service_that_nobody_has_asked_since_is_noticed(daily):
    reading = daily(today=33)["days since the last prediction"]
    assert (reading.value, reading.high, reading.state) == (5, 2, "alert")


def test_it_is_not_where_it_was_asked_yesterday(daily):
    reading = daily(today=29)["days since the last prediction"]
    assert (reading.value, reading.high, reading.state) == (1, 2, "ok")


def test_what_is_scored_once_a_week_may_wait_a_week(daily):
    readings = daily(today=35, made=f"date_trunc('week', {TIME})")
    reading = readings["days since the last prediction"]
    assert (reading.value, reading.high, reading.state) == (6, 8, "ok")


def test_of_what_was_scored_on_few_days_nobody_knows_how_often_it_is(daily):
    reading = daily(today=35, made="TIMESTAMP '2013-09-20'")["days since the last prediction"]
    assert (reading.state, reading.why) == (
        "unknown",
        "of the last 90 days, predictions were made on a single day; "
        "from 5 on it is known how often they are",
    )


def test_in_the_first_weeks_nobody_knows_how_much_traffic_is_usual(daily):
    readings = daily(today=12)
    for name in ("traffic of the last week", "days of the last week without predictions"):
        assert (readings[name].state, readings[name].why) == (
            "unknown",
            "predictions are known of 12 whole days; from 21 on it is known how many are usual",
        )


def test_days_to_come_are_not_missing_in_a_look_back(months, tmp_path):
    settings, earlier, _ = months
    there = copied(settings, tmp_path).model_copy(update={"live": settings.live})
    keep(there, prediction_log.log_rows(earlier, live.LiveModel(there).answer(earlier)))
    first = settings.dates.live_from
    seen = run_monitoring(there, first, first + timedelta(days=40), today=first + timedelta(days=29))
    found = {each.name: each for each in seen.readings}
    assert found["days of the last week without predictions"].value == 0
    assert found["traffic of the last week"].state == "ok"


def test_a_metric_of_three_days_is_no_reason_for_an_alarm(months, daily):
    settings, earlier, _ = months
    few = [row for row in earlier if row[TIME].date() < settings.dates.live_from + timedelta(days=3)]
    metric = settings.accuracy.metric
    limits = {"expected": {metric: (1e6, 1e7)}, "minimum_outcomes": 100}
    found = daily(today=40, rows=few, **limits)[metric]
    later = daily(today=40, **limits)[metric]
    assert found.why == "the outcomes are known of rows of 3 days; from 7 days on it is known"
    assert (found.state, later.state) == ("unknown", "alert")


def test_two_days_are_held_against_no_week(months, daily):
    settings, earlier, _ = months
    few = [row for row in earlier if row[TIME].date() < settings.dates.live_from + timedelta(days=6)]
    many = [row | {KEY: f"{row[KEY]}{n}"} for row in few for n in range(8)]
    two_days = [row for row in many if row[TIME].date() < settings.dates.live_from + timedelta(days=2)]
    readings = daily(today=8, rows=two_days)
    drifts = [reading for name, reading in readings.items() if name.startswith("drift of ")]
    assert {reading.state for reading in drifts} == {"unknown"}
    assert len(drifts) > 10
    assert {reading.why for reading in drifts} == {
        "the predictions are of rows of 2 days; from 7 days on it is known"
    }


def test_a_summer_that_is_25_degrees_too_warm_is_no_summer(watched):
    """Nearly all of it lies beyond the last bin of what was learnt, and so does the month before."""
    usual = watched()["drift of temperature_c"]
    warmer = watched(changed("temperature_c", lambda degrees: degrees + 25))["drift of temperature_c"]
    assert usual.state != "alert"
    assert (warmer.value > usual.value + 1, warmer.state) == (True, "alert")


def test_a_week_in_another_unit_is_an_alert_before_it_is_half_of_the_window(watched):
    """Another 25 degrees since Monday: what is 23% of the window, and each may be a day in summer."""
    last = max(row[TIME].date() for row in watched.rows) - timedelta(days=7)
    warmer = changed("temperature_c", lambda degrees: degrees + 25)
    seen = watched(lambda rows: [warmer([row])[0] if row[TIME].date() > last else row for row in rows])
    found = seen["drift of temperature_c"]
    assert (found.state, found.value < found.alert_above) == ("alert", True)
    assert re.fullmatch(r"its last week lies [0-9.]+ deviations of a day from the days before", found.why)


def test_the_first_rain_after_a_dry_month_is_no_jump(watched):
    wet = watched.rows[-1][TIME].date() - timedelta(days=3)
    readings = watched(
        lambda rows: [row | {"precipitation_mm": 0.3 * (row[TIME].date() == wet)} for row in rows]
    )
    assert readings["drift of precipitation_mm"].state != "alert"


@pytest.mark.parametrize(("usual", "state"), [(0.999, "ok"), (0.9, "alert")])
def test_outcomes_that_are_nearly_always_the_same_may_all_be(monkeypatch, outcomes_all_0, usual, state):
    """Of one case in a thousand, some hundred outcomes without any are no fault."""
    monkeypatch.setattr(checks, "usual_share", lambda look: usual)
    reading = outcomes_all_0()["different outcomes"]
    assert (reading.value, reading.state) == (1, state)


def test_beyond_the_most_rows_a_sample_by_key_is_looked_at_and_said(monkeypatch, watched):
    whole = watched()
    monkeypatch.setattr(monitoring_run, "MOST_ROWS", 600)
    monkeypatch.setattr(checks, "MOST_COMPARED", 600)
    monkeypatch.setattr(usual, "MOST_COMPARED", 600)
    sampled = watched()
    (said,) = watched.notes
    counted = re.fullmatch(r"looked at is a sample by key, (\d+) of ([\d,]+) predictions", said)
    assert int(counted[1]) == pytest.approx(300, rel=0.15)  # each was predicted twice
    assert {*sampled} == {*whole}
    share = sampled["new values of carrier"].value
    assert share == pytest.approx(whole["new values of carrier"].value, abs=0.01)
    assert sampled["traffic of the last week"].value == pytest.approx(
        whole["traffic of the last week"].value, abs=0.06
    )
