"""Brings raw tables into an engine that is not DuckDB, and to this machine what it needs of the engine's.

PostgreSQL is given what DuckDB has read here, file by file; Spark reads files itself, on its workers. A
table that is there already, of the database or of the cluster, is a `StoredTable`.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handrail.compute.duckdb import (
    WRONG_DATA,
    EngineError,
    column_types,
    connect,
    identifier,
    literal,
    parquet,
    reason,
    row,
    rows,
)
from handrail.compute.strict_casts import known_types, stopped
from handrail.compute.translated import TooFewRowsError
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.forgotten import without_forgotten
from handrail.etl.load import raw_path, table_path, taken_path
from handrail.etl.raw_files import (
    UNFINISHED,
    UNSAID,
    RawRows,
    RawSource,
    RawTable,
    StoredTable,
    cast_columns,
    half_written,
    is_folder_in,
    parts_by_types,
    unpacked,
)
from handrail.etl.separated_values import WHITESPACE, is_separated
from handrail.files import write_whole

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from handrail.compute.spark import Spark


def bring_into_engine(
    connection: Any, settings: Settings, tables: Mapping[str, RawSource], folder: Path | None
) -> dict[str, int]:
    """Bring every one of `tables` into the engine and return the rows of each; all of them, or none.

    Raises ProjectError with what is wrong with any of them.
    """
    by_engine = {name: table for name, table in tables.items() if _is_read_there(connection, settings, table)}
    here = {name: table for name, table in tables.items() if name not in by_engine}
    problems: list[str] = []
    counts: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="handrail-raw-") as unpacked_into, connection.atomic():
        for name, table in by_engine.items():
            try:
                source = _source(connection, settings, table, folder, Path(unpacked_into))
                kept = without_forgotten(source, settings, _of_whom(settings, table))
                counts[name] = _stored(connection, settings, name, table, f"SELECT * FROM {kept}")
            except ProjectError as error:
                problems.extend(error.problems)
        if problems:
            raise ProjectError(problems)
        if here:
            counts |= _through_here(connection, settings, here, folder)
    return {name: counts[name] for name in tables}


def _is_read_there(connection: Any, settings: Settings, table: RawSource) -> bool:
    """Return whether the engine itself reads a raw table, so that it has no copy here before `land`."""
    if isinstance(table, StoredTable):
        return True
    # What a bucket or a database has is fetched by this machine, which remembers what it has already.
    reads_itself = connection.target == "spark" and not settings.sample and not settings.source_address
    return reads_itself and isinstance(table, RawTable) and table.separator != WHITESPACE


def _through_here(
    connection: Any, settings: Settings, tables: Mapping[str, RawSource], folder: Path | None
) -> dict[str, int]:
    """Bring tables in that DuckDB reads on this machine, whose copies stay in data/raw/."""
    from handrail.etl.extract import bring_in

    with connect(settings) as local:
        counts = bring_in(local, settings, tables, folder)
    for name in tables:
        connection.bring_in(raw_path(settings, name), raw_path(settings, name))
    return counts


def _of_whom(settings: Settings, table: RawSource) -> list[str]:
    return sorted(filter(None, {*settings.project.erasable, table.subject} & {*table.columns}))


def _stored(connection: Any, settings: Settings, name: str, table: RawSource, query: str) -> int:
    try:
        return connection.store(query, raw_path(settings, name), table.minimum_rows)
    except TooFewRowsError as error:
        raise ProjectError(
            f"{table.file}: {error.count} rows, at least {table.minimum_rows} expected; is it cut off?"
        ) from None
    except EngineError as error:
        if not isinstance(error, WRONG_DATA):
            raise
        raise ProjectError(f"{table.file}: {stopped(error)}") from None


def _source(
    connection: Any, settings: Settings, table: RawSource, folder: Path | None, temporary: Path
) -> str:
    """Return the FROM item of a table that the engine reads itself, each column cast to its type."""
    with connect(settings) as local:
        kinds = known_types(local, dict(table.columns), table.file)
    if isinstance(table, StoredTable):
        try:
            _require_whole_files(connection, table)
            source = connection.there_already(table.name)
        except EngineError as error:
            raise ProjectError(f"{table.name}: {reason(error)}; see etl/extract.py") from None
        return _cast_of(connection, table, source, kinds)
    if isinstance(table, RawRows):
        raise TypeError(table.file)
    try:
        frames = _frames(connection, settings, table, folder, temporary)
    except EngineError as error:
        raise ProjectError(f"{table.file}: it can't be read ({reason(error)})") from None
    parts = []
    for number, frame in enumerate(frames):
        view = f"raw_{abs(hash(table.file))}_{number}"
        frame.createOrReplaceTempView(view)
        parts.append(f"SELECT * FROM {_cast_of(connection, table, identifier(view), kinds)}")
    return f"({' UNION ALL '.join(parts)})"


def _require_whole_files(connection: Any, table: StoredTable) -> None:
    """Raise ProjectError where files of Spark's are being written, or one is empty: Spark leaves that out."""
    files = re.fullmatch(r"\w+\.`([^`]+)`", table.name)
    if files is None or connection.target != "spark":
        return
    sizes = connection.listing(files[1])
    unfinished = next((path for path in sizes if f"/{UNFINISHED}/" in path), None)
    if unfinished:
        raise ProjectError(half_written(table.name, unfinished))
    empty = [path for path, size in sizes.items() if not size and path.rpartition("/")[2][0] not in "_."]
    if empty:
        raise ProjectError(f"{table.name}: {path} is an empty file; have it written anew" for path in empty)


def _frames(
    spark: Spark, settings: Settings, table: RawTable, folder: Path | None, temporary: Path
) -> list[DataFrame]:
    """Return the rows of a raw file; of a folder, those of the files whose used columns have the same types.

    Spark itself would leave out an empty file, and take a column for empty in a file that lacks it.
    """
    from handrail.compute.spark import address

    if is_folder_in(table, folder):
        with connect(settings) as local:
            together = parts_by_types(local, table, folder)
        return [spark.files_of((folder or Path()) / table.file, files) for files in together]
    place = address(unpacked(folder, table.file, temporary))
    if not is_separated(Path(table.file)):
        return [spark.parquet(place)]
    size = sum(spark.listing(place).values())
    frame = spark.separated(place, table.separator, table.encoding, header=table.header, size=size)
    return [frame if table.header else frame.toDF(*table.columns, *frame.columns[len(table.columns) :])]


def _cast_of(connection: Any, table: RawSource, source: str, kinds: Mapping[str, str]) -> str:
    """Return the FROM item of a table's columns, each cast to its type, without what stands for nothing."""
    try:
        present = column_types(connection, source)
    except EngineError as error:
        raise ProjectError(f"{table.file}: {reason(error)}; see etl/extract.py") from None
    absent = [column for column in table.columns if column not in present]
    if absent:
        raise ProjectError(
            f"{table.file}: no column {', '.join(absent)} among {', '.join(present)}; has it changed "
            "upstream? See the columns in etl/extract.py"
        )
    missing = tuple(dict.fromkeys(("", *table.missing))) if table.missing is not None else ()
    if table.missing is None and is_separated(Path(table.file)):
        # Among names NA is a name, where nobody has said that it is missing.
        nothing = ", ".join(map(literal, ("", UNSAID)))
        emptied = ", ".join(
            f"CASE WHEN {n} NOT IN ({nothing if kinds[c] != 'VARCHAR' else literal('')}) THEN {n} END AS {n}"
            for c, n in ((c, identifier(c)) for c in kinds)
        )
        source = f"(SELECT {emptied} FROM {source})"
    return cast_columns(source, present, kinds, missing, table.file)


def land(connection: Any, settings: Settings) -> str | None:
    """Bring what is learnt from to this machine; say in a sentence which rows that is, where it is not all.

    It is the whole table up to `compute.training_rows`; of a larger one, about as many rows, which a hash of
    their key or subject chooses, always the same ones of the same table, or the newest by whole days.
    """
    project, most = settings.project, settings.compute.training_rows
    path = table_path(settings, project.table_name)
    whole = row(connection, f"SELECT count(*) AS n FROM {parquet(path)}")["n"]
    chosen, how = training_rows(connection, settings, whole)
    order = ", ".join(map(identifier, project.ordered_by))
    said = taken_path(settings)
    if how:  # before there is only a part here
        write_whole(said, f"some of {whole:,} rows: {how}\n")
    else:
        said.unlink(missing_ok=True)
    count = connection.land(f"SELECT * FROM {parquet(path)} WHERE {chosen} ORDER BY {order}", path)
    sentence = f"{count:,} of {whole:,} rows are learnt from: {how} (compute.training_rows in project.yaml)"
    if how:
        write_whole(said, f"{sentence}\n")
    for name, table in project.raw_tables.items():
        if not _is_read_there(connection, settings, table):
            continue
        local, source = raw_path(settings, name), parquet(raw_path(settings, name))
        if row(connection, f"SELECT count(*) AS n FROM {source}")["n"] <= most:
            connection.land(f"SELECT * FROM {source}", local)
        else:
            local.unlink(missing_ok=True)  # an older copy would be taken for the table
    return sentence if how else None


def training_rows(connection: Any, settings: Settings, whole: int) -> tuple[str, str]:
    """Return the SQL condition for the rows, of `whole` in the loaded table, that come to this machine.

    The second is how they are chosen, in words; empty where it is all of them.
    """
    project, limits = settings.project, settings.compute
    if whole <= limits.training_rows:
        return "TRUE", ""
    if limits.training_takes == "newest" and project.time:
        first = _first_of_newest(connection, settings)
        return f"{identifier(project.time)} >= TIMESTAMP '{first}'", f"those from {first} on"
    below = f"{int(limits.training_rows / whole * 2**32):08x}"
    chosen = f"md5('learnt ' || CAST({identifier(project.unit)} AS VARCHAR)) < '{below}'"
    return chosen, f"a sample by a hash of {project.unit}"


def _first_of_newest(connection: Any, settings: Settings) -> date:
    """Return from which day on the newest rows are at most compute.training_rows; the last is always in."""
    table = parquet(table_path(settings, settings.project.table_name))
    day = f"CAST({identifier(settings.project.window)} AS DATE)"
    counted = rows(connection, f"SELECT {day} AS day, count(*) AS n FROM {table} GROUP BY 1 ORDER BY 1 DESC")
    taken, first = 0, counted[0]["day"]
    for each in counted:
        taken += each["n"]
        if taken > settings.compute.training_rows:
            break
        first = each["day"]
    return first
