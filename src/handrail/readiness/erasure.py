"""Rehearses in a copy that a subject, or else a key, is forgotten: no byte of it may be left."""

import json
import re
import secrets
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from handrail.compute.duckdb import (
    Connection,
    column_types,
    connect,
    identifier,
    literal,
    parquet,
    row,
    write_parquet,
)
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.forgotten import SECRET
from handrail.etl.load import require_table
from handrail.monitoring.outcomes import all_predictions
from handrail.project import Project
from handrail.retention.erasure import erase, find_traces, is_of, lines_of
from handrail.retention.links import kept_files
from handrail.serving.prediction_log import prediction_folder

REHEARSED_ROWS = 200  # of each file


def rehearse_forgetting(settings: Settings) -> int:
    """Forget one of them in a small copy of `data/`, and return in how many files it stood.

    Raises ProjectError where a byte of it is left.
    """
    key = _one(settings)
    with TemporaryDirectory(prefix="readiness-") as folder:
        secret = {SECRET: secrets.token_hex()}  # of the copy, and gone with it
        there = settings.on_this_machine(Path(folder)).model_copy(update=secret)
        _copy_small(settings, there, key)
        traces = find_traces(there, key)
        list(erase(there, key, traces))
        left = [path.relative_to(there.workspace).as_posix() for path in _holding(there, key)]
    if left:
        raise ProjectError(
            f"{name}: still holds {key} after `purge --key`; see handrail.retention.erasure" for name in left
        )
    return sum(not trace.raw for trace in traces)


def _one(settings: Settings) -> str:
    """Return a subject, or else a key, of the loaded table; of rows without their own, one that was asked."""
    project = settings.project
    unit = identifier(project.unit)
    with connect(settings) as connection:
        table = require_table(settings, project.table_name)
        if _is_made(project) and any(prediction_folder(settings).glob("*.*")):
            kept = f"SELECT {unit} FROM {table}"
            asked = f"SELECT {unit} FROM ({all_predictions(settings)}) WHERE {unit} IN ({kept})"
            table = f"({asked} UNION ALL {kept})"
        query = f"SELECT CAST({unit} AS VARCHAR) AS key FROM {table} WHERE {unit} IS NOT NULL LIMIT 1"
        return row(connection, query)["key"]


def _is_made(project: Project) -> bool:
    """Return whether what is forgotten is a key that is made of what was asked."""
    return not (project.has_key or project.subject)


def _copy_small(settings: Settings, there: Settings, key: str) -> None:
    """Copy a few rows of every file under `data/`; the key's own are put among them."""
    data, project = settings.workspace / "data", settings.project
    with connect(settings) as connection:
        for path in kept_files(data):
            target = there.workspace / path.relative_to(settings.workspace)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".parquet":
                _copy_table(connection, path, target, project, key)
            else:
                _copy_lines(connection, path, target, project, key)


def _copy_table(connection: Connection, path: Path, target: Path, project: Project, key: str) -> None:
    """Copy a few rows, and one of the key: another's with its name, or, where that is made of it, its own."""
    few = f"SELECT * FROM {parquet(path)} LIMIT {REHEARSED_ROWS}"
    if not _is_made(project) and project.unit in column_types(connection, parquet(path)):
        one = f"SELECT * REPLACE ({literal(key)} AS {identifier(project.unit)}) FROM ({few}) LIMIT 1"
    else:
        one = f"SELECT * FROM {parquet(path)} WHERE {is_of(connection, path, project, key)} LIMIT 1"
    write_parquet(connection, f"({few}) UNION ALL ({one})", target)


def _copy_lines(connection: Connection, path: Path, target: Path, project: Project, key: str) -> None:
    """Copy a few lines, and one of the key, as of a table."""
    with path.open("rb") as lines:
        few = [*islice(lines, REHEARSED_ROWS)]
        if _is_made(project):
            one = [_line_at(lines, *found) for found in islice(lines_of(connection, path, project, key), 1)]
        else:
            one = [_line_of(line, project.unit, key) for line in few[:1] if project.unit.encode() in line]
    target.write_bytes(b"".join([*few, *one]))


def _line_at(file: BinaryIO, place: int, length: int) -> bytes:
    file.seek(place)
    return file.read(length) + b"\n"


def _line_of(line: bytes, column: str, key: str) -> bytes:
    """Return a line of another as one of the key."""
    return json.dumps(json.loads(line.decode(errors="replace")) | {column: key}).encode() + b"\n"


def _holding(settings: Settings, key: str) -> Iterator[Path]:
    """Yield every file under `data/` in which the key still stands, whatever the column.

    A key that is a number may stand elsewhere by chance, as a count: that is looked for in its own columns.
    """
    project = settings.project
    own = project.erasable if key.isdecimal() else ()
    with connect(settings) as connection:
        for path in filter(Path.is_file, sorted((settings.workspace / "data").rglob("*.*"))):
            if path.suffix == ".parquet":
                names = [n for n in column_types(connection, parquet(path)) if n in own or not own]
                held = [_holds(name, key, alone=bool(own)) for name in names]
                held += [] if project.has_key else [is_of(connection, path, project, key)]
                if held and _any(connection, path, " OR ".join(held)):
                    yield path
            elif _stands_in(path.read_text(encoding="utf-8", errors="replace"), key, own) or (
                not project.has_key and any(lines_of(connection, path, project, key))
            ):
                yield path


def _any(connection: Connection, path: Path, condition: str) -> bool:
    return row(connection, f"SELECT count(*) AS n FROM {parquet(path)} WHERE {condition}")["n"] > 0


def _holds(name: str, key: str, *, alone: bool) -> str:
    """Return the SQL condition for rows that have the key in a column: as a part of it, or `alone`."""
    text = f"CAST({identifier(name)} AS VARCHAR)"
    return f"{text} = {literal(key)}" if alone else f"contains({text}, {literal(key)})"


def _stands_in(text: str, key: str, own: Sequence[str]) -> bool:
    """Return whether the key stands in a text, or, if any are given, in one of its `own` fields."""
    if not own:
        return key in text
    fields = "|".join(map(re.escape, own))
    return re.search(rf'"({fields})": ?"?{key}\b', text) is not None
