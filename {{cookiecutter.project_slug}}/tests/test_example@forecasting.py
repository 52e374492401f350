"""What is known of the flights for certain: by hand, from the raw files."""

import duckdb
import pytest

from {{ cookiecutter.__package }} import contract
from {{ cookiecutter.__package }}.etl import load, pipeline

from .conftest import in_workspace

TABLE = contract.TABLE
RAW = "CAST(make_timestamp(year, month, day, hour, minute, 0) + dep_delay * INTERVAL 1 MINUTE AS TIMESTAMP)"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Return settings of a workspace with all hours; read only."""
    everything = in_workspace(tmp_path_factory.mktemp("all"), sample=None)
    pipeline.run_etl(everything, lambda step: None)
    return everything


@pytest.fixture(scope="module")
def table(loaded):
    """Return the FROM item of all hours."""
    return f"'{load.table_path(loaded, TABLE)}'"


def one(query):
    """Return the only row of a query."""
    (row,) = duckdb.sql(query).fetchall()
    return row


def test_every_hour_after_the_first_four_weeks_is_there(table):
    hours, days, weeks = 3 * 19, 365, 4
    known = (days - 7 * weeks) * hours
    ends = "min(starts_at)::TEXT, max(starts_at)::TEXT"
    found = one(f"SELECT count(*), count(departures), {ends} FROM {table}")
    assert found == (known + 7 * hours, known, "2013-01-29 05:00:00", "2014-01-07 23:00:00")


def test_every_plane_that_left_is_counted_once(loaded, table):
    raw = f"'{loaded.workspace / 'data' / 'raw' / 'flights.parquet'}'"
    left = f"SELECT count(*) FROM {raw} WHERE {RAW} BETWEEN '2013-01-29' AND '2013-12-31 23:59'"
    ((counted,), (by_day,)) = one(f"SELECT sum(departures) FROM {table}"), one(f"{left} AND hour({RAW}) >= 5")
    assert counted == by_day == 303_110
    assert one(f"SELECT count(dep_delay), count(*) FROM {raw}") == (328_521, 336_776)


def test_one_known_hour_is_counted_as_by_hand(loaded, table):
    raw = f"'{loaded.workspace / 'data' / 'raw' / 'flights.parquet'}'"
    found = duckdb.sql(f"SELECT * FROM {table} WHERE airport_hour = 'EWR-2013020508'")
    row = dict(zip(found.columns, found.fetchall()[0], strict=True))
    assert (row["airport"], row["departures"]) == ("EWR", 25)
    assert (row["day_of_week"], row["hour_of_day"]) == (2, 8)
    before = [row[f"departures_{n}_before"] for n in ("one_week", "two_weeks", "three_weeks", "four_weeks")]
    assert before == [30, 28, 32, 33]
    assert row["mean_of_four_weeks"] == 30.75
    day = f"origin = 'EWR' AND {RAW}::DATE = '2013-01-29' AND hour({RAW}) >= 5"
    counted = one(f"SELECT count(*) FROM {raw} WHERE {day}")
    assert (row["departures_of_day_one_week_before"],) == counted == (328,)


def test_the_coming_week_can_be_forecast(table):
    future = "departures IS NULL AND departures_one_week_before IS NOT NULL"
    assert one(f"SELECT count(*) FROM {table} WHERE starts_at >= '2014-01-01' AND {future}") == (7 * 57,)


def test_nothing_newer_than_the_same_day_of_the_week_before_is_known(table):
    query = f"""
        SELECT count(*) FROM {table} AS now
        JOIN {table} AS before ON before.airport = now.airport
            AND before.starts_at = now.starts_at - INTERVAL 7 DAY
        WHERE now.departures_one_week_before IS DISTINCT FROM before.departures
    """
    assert one(query) == (0,)
