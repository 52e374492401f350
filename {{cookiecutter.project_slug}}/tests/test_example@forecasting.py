"""What is known of the flights for certain: by hand, from the raw files and from what can be."""

import duckdb
import pytest
from handrail.testing import whole_run
from pydantic import ValidationError

from . import project

KNOWN = "EWR-2013020508"
LEFT = "CAST(make_timestamp(year, month, day, hour, minute, 0) + dep_delay * INTERVAL 1 MINUTE AS TIMESTAMP)"
WEEKS = ("one_week", "two_weeks", "three_weeks", "four_weeks")
IN_AN_HOUR = (-1, 0, 60, 121)  # one a minute, and more than two
# What can't be, the least and the most that may be, and what can't be either.
RANGES = {
    "day_of_week": (0, 1, 7, 8),
    "hour_of_day": (-1, 0, 23, 24),
    **{f"departures_{n}_before": IN_AN_HOUR for n in WEEKS},
    "mean_of_four_weeks": IN_AN_HOUR,
    "departures_of_day_one_week_before": (-1, 0, 24 * 60, 24 * 121),
    "departures": IN_AN_HOUR,
}
NO_NAMES = {"airport_hour": "EWR-20130205", "airport": "ORD"}


@pytest.fixture(scope="module")
def every_row(tmp_path_factory):
    """Return what the ETL of all hours said, and the FROM items of the hours and of the raw flights."""
    settings, result = whole_run(project, tmp_path_factory.mktemp("whole"))
    return result, f"'{result.path}'", f"'{settings.workspace / 'data' / 'raw' / 'flights.parquet'}'"


@pytest.fixture(scope="module")
def hour(every_row):
    """Return an hour that is known by hand, by column."""
    found = duckdb.sql(f"SELECT * FROM {every_row[1]} WHERE airport_hour = '{KNOWN}'")
    return dict(zip(found.columns, *found.fetchall(), strict=True))


def one(query):
    """Return the only row of a query, or its only value."""
    (row,) = duckdb.sql(query).fetchall()
    return row if len(row) > 1 else row[0]


def test_every_hour_after_the_first_four_weeks_is_there(every_row):
    result, table, _ = every_row
    hours, days, weeks = 3 * 19, 364, 4  # the last day may not be over
    known = (days - 7 * weeks) * hours
    ends = "min(starts_at)::TEXT, max(starts_at)::TEXT"
    found = one(f"SELECT count(*), count(departures), {ends} FROM {table}")
    assert found == (known + 7 * hours, known, "2013-01-29 05:00:00", "2014-01-06 23:00:00")
    assert result.rejected == {}


def test_every_plane_that_left_is_counted_once(every_row):
    _, table, raw = every_row
    left = f"SELECT count(*) FROM {raw} WHERE {LEFT} BETWEEN '2013-01-29' AND '2013-12-30 23:59'"
    assert one(f"SELECT sum(departures) FROM {table}") == 302_354
    assert one(f"{left} AND hour({LEFT}) >= 5") == 302_354
    assert one(f"SELECT count(dep_delay), count(*) FROM {raw}") == (328_521, 336_776)


def test_one_known_hour_is_counted_as_by_hand(every_row, hour):
    _, _, raw = every_row
    assert (hour["airport"], hour["departures"]) == ("EWR", 25)
    assert (hour["day_of_week"], hour["hour_of_day"]) == (2, 8)
    assert [hour[f"departures_{n}_before"] for n in WEEKS] == [30, 28, 32, 33]
    assert hour["mean_of_four_weeks"] == 30.75
    day = f"origin = 'EWR' AND {LEFT}::DATE = '2013-01-29' AND hour({LEFT}) >= 5"
    assert hour["departures_of_day_one_week_before"] == 328
    assert one(f"SELECT count(*) FROM {raw} WHERE {day}") == 328


def test_the_coming_week_can_be_forecast(every_row):
    coming = "starts_at >= '2013-12-31' AND departures IS NULL AND departures_one_week_before IS NOT NULL"
    assert one(f"SELECT count(*) FROM {every_row[1]} WHERE {coming}") == 7 * 57


def test_nothing_newer_than_the_same_day_of_the_week_before_is_known(every_row):
    table = every_row[1]
    query = f"""
        SELECT count(*) FROM {table} AS now
        JOIN {table} AS before ON before.airport = now.airport
            AND before.starts_at = now.starts_at - INTERVAL 7 DAY
        WHERE now.departures_one_week_before IS DISTINCT FROM before.departures
    """
    assert one(query) == 0


@pytest.mark.parametrize("column", RANGES)
def test_the_contract_takes_what_may_be_and_nothing_that_cannot_be(column, hour):
    below, least, most, above = RANGES[column]
    for value in (least, most):
        assert getattr(project.contract(**hour | {column: value}), column) == value
    for value in (below, above):
        with pytest.raises(ValidationError, match=rf"\n{column}\n"):
            project.contract(**hour | {column: value})


@pytest.mark.parametrize("column", NO_NAMES)
def test_the_contract_takes_no_name_of_another_form(column, hour):
    with pytest.raises(ValidationError, match=rf"\n{column}\n"):
        project.contract(**hour | {column: NO_NAMES[column]})
