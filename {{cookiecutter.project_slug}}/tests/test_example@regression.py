"""What is known of the flights for certain: by hand, from the raw files and from what can be."""

import duckdb
import pytest
from handrail.etl import rejected_path
from handrail.testing import whole_run
from pydantic import ValidationError

from . import project

KNOWN = "UA1545-EWR-201301010515"
# What can't be, the least and the most that has been, and what can't be either.
RANGES = {
    "distance_km": (27, 129, 8_020, 20_038),  # Newark to La Guardia; half around the Earth
    "day_of_week": (0, 1, 7, 8),
    "scheduled_hour": (-1, 0, 23, 24),
    "plane_age_years": (-1, 0, 78, 110),  # nothing flew before 1903
    "plane_seats": (0, 1, 538, 854),  # an Airbus A380 has 853 at most
    "temperature_c": (-47, -26, 41, 57),  # the records of the state, of the city, and of the Earth
    "humidity_percent": (-1, 0, 100, 101),
    "wind_speed_kmh": (-1, 0, 150, 253),  # a hurricane of the fifth category
    "wind_direction_degrees": (-1, 0, 360, 361),
    "precipitation_mm": (-1, 0, 80, 306),  # the city's wettest hour, and more than the Earth's
    "pressure_hpa": (869, 943, 1_055, 1_086),  # below and above all that was measured on the Earth
    "visibility_km": (-1, 0, 16.1, 25),  # observers look ten miles far
    "departure_delay_minutes": (-121, -60, 2_880, 4_320),  # two days late, and three
    "delay_minutes": (-121, -90, 120, 121),  # after two hours the gate is given away
}
NO_NAMES = {"flight_id": "UA1545", "carrier": "United", "origin": "ORD", "destination": "Boston"}


@pytest.fixture(scope="module")
def every_row(tmp_path_factory):
    """Return what the ETL of all departures said, and the FROM items of what it loaded and rejected."""
    settings, result = whole_run(project, tmp_path_factory.mktemp("whole"))
    return result, f"'{result.path}'", f"'{rejected_path(settings, project.table_name)}'"


@pytest.fixture(scope="module")
def departure(every_row):
    """Return a departure that is known by hand, by column."""
    found = duckdb.sql(f"SELECT * FROM {every_row[1]} WHERE flight_id = '{KNOWN}'")
    return dict(zip(found.columns, *found.fetchall(), strict=True))


def test_all_departures_but_one_keep_the_contract(every_row):
    result, _, rejected = every_row
    assert (result.raw["flights"], result.loaded) == (336_776, 336_775)
    assert result.rejected == {"distance_km: below 50": 1}
    assert duckdb.sql(f"SELECT origin, destination FROM {rejected}").fetchall() == [("EWR", "LGA")]


def test_one_known_departure_is_transformed_as_by_hand(departure):
    row = departure
    assert str(row["scheduled_at"]) == "2013-01-01 05:15:00"
    assert (row["day_of_week"], row["scheduled_hour"]) == (2, 5)
    assert (row["plane_age_years"], row["plane_seats"]) == (14, 149)
    assert (row["carrier"], row["origin"], row["destination"]) == ("UA", "EWR", "IAH")
    assert row["distance_km"] == pytest.approx(1400 * 1.609344)
    assert row["temperature_c"] == pytest.approx((39.02 - 32) / 1.8)
    assert row["wind_speed_kmh"] == pytest.approx(12.65858 * 1.609344)
    assert (row["humidity_percent"], row["wind_direction_degrees"]) == (64.43, 260)
    assert (row["precipitation_mm"], row["pressure_hpa"]) == (0, 1011.9)
    assert row["visibility_km"] == pytest.approx(10 * 1.609344)
    assert (row["departure_delay_minutes"], row["delay_minutes"]) == (2, 11)


def test_flights_without_an_arrival_have_no_delay_and_the_latest_one_of_two_hours(every_row):
    found = "count(*) - count(delay_minutes), avg(delay_minutes), max(delay_minutes)"
    query = f"SELECT {found} FROM {every_row[1]}"
    assert duckdb.sql(query).fetchall() == [(9_429, pytest.approx(4.896, abs=0.001), 120)]


@pytest.mark.parametrize("column", RANGES)
def test_the_contract_takes_what_has_been_and_nothing_that_cannot_be(column, departure):
    below, least, most, above = RANGES[column]
    for value in (least, most):
        assert getattr(project.contract(**departure | {column: value}), column) == value
    for value in (below, above):
        with pytest.raises(ValidationError, match=rf"\n{column}\n"):
            project.contract(**departure | {column: value})


@pytest.mark.parametrize("column", NO_NAMES)
def test_the_contract_takes_no_name_of_another_form(column, departure):
    with pytest.raises(ValidationError, match=rf"\n{column}\n"):
        project.contract(**departure | {column: NO_NAMES[column]})
