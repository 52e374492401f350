"""What is known of the flights for certain: by hand, from the raw files."""

import duckdb
import pytest

from {{ cookiecutter.__package }} import contract
from {{ cookiecutter.__package }}.etl import load, pipeline

from .conftest import in_workspace

TABLE = contract.TABLE


@pytest.fixture(scope="module")
def every_row(tmp_path_factory):
    """Return settings of a workspace with all departures, and what the ETL said; read only."""
    everything = in_workspace(tmp_path_factory.mktemp("all"), sample=None)
    return everything, pipeline.run_etl(everything, lambda step: None)


def test_all_departures_but_one_keep_the_contract(every_row):
    settings, result = every_row
    assert (result.raw["flights"], result.loaded) == (336_776, 336_775)
    assert result.rejected == {"distance_km: below 50": 1}
    rejected = duckdb.sql(f"SELECT origin, destination FROM '{load.rejected_path(settings, TABLE)}'")
    assert rejected.fetchall() == [("EWR", "LGA")]


def test_one_known_departure_is_transformed_as_by_hand(every_row):
    settings, _ = every_row
    path = load.table_path(settings, TABLE)
    found = duckdb.sql(f"SELECT * FROM '{path}' WHERE flight_id = 'UA1545-EWR-201301010515'")
    (values,) = found.fetchall()
    row = dict(zip(found.columns, values, strict=True))
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
    assert (row["departure_delay_minutes"], row["late"]) == (2, 0)


def test_about_every_sixth_departure_is_late(every_row):
    settings, _ = every_row
    ((late,),) = duckdb.sql(f"SELECT avg(late) FROM '{load.table_path(settings, TABLE)}'").fetchall()
    assert late == pytest.approx(0.181, abs=0.001)
