"""Rehearses in a copy that a subject, or else a key, is forgotten: no byte of it may be left."""

import json
import re
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

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
from handrail.retention.erasure import erase, find_traces

REHEARSED_ROWS = 200  # of each file


def rehearse_forgetting(settings: Settings) -> int:
    """Forget one of them in a small copy of `data/`, and return in how many files it stood.

    Raises ProjectError where a byte of it is left.
    """
    project = settings.project
    with connect(settings) as connection:
        table = require_table(settings, project.table_name)
        unit = identifier(project.unit)
        query = f"SELECT CAST({unit} AS VARCHAR) AS key FROM {table} WHERE {unit} IS NOT NULL LIMIT 1"
        key = row(connection, query)["key"]
    with TemporaryDirectory(prefix="readiness-") as folder:
        secret = {SECRET: secrets.token_hex()}  # of the copy, and gone with it
        there = settings.model_copy(update={"workspace": Path(folder), **secret})
        _copy_small(settings, there, key)
        traces = find_traces(there, key)
        list(erase(there, key, traces))
        left = [path.relative_to(there.workspace).as_posix() for path in _holding(there, key)]
    if left:
        raise ProjectError(
            f"{name}: still holds {key} after `purge --key`; see handrail.retention.erasure" for name in left
        )
    return sum(not trace.raw for trace in traces)


def _copy_small(settings: Settings, there: Settings, key: str) -> None:
    """Copy a few rows of every file under `data/`; the key's own are put among them."""
    data, own = settings.workspace / "data", (settings.project.unit, key)
    with connect(settings) as connection:
        for path in sorted([*data.rglob("[!.]*.parquet"), *data.rglob("[!.]*.jsonl")]):
            target = there.workspace / path.relative_to(settings.workspace)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".parquet":
                _copy_table(connection, path, target, own)
            else:
                _copy_lines(path, target, own)


def _copy_table(connection: Connection, path: Path, target: Path, own: tuple[str, str]) -> None:
    column, key = own
    few = f"SELECT * FROM {parquet(path)} LIMIT {REHEARSED_ROWS}"
    one = f"SELECT * REPLACE ({literal(key)} AS {identifier(column)}) FROM ({few}) LIMIT 1"
    keyed = column in column_types(connection, parquet(path))
    write_parquet(connection, f"({few}) UNION ALL ({one})" if keyed else few, target)


def _copy_lines(path: Path, target: Path, own: tuple[str, str]) -> None:
    column, key = own
    with path.open(encoding="utf-8", errors="replace") as lines:
        few = [line for _, line in zip(range(REHEARSED_ROWS), lines, strict=False)]
    one = [json.dumps(json.loads(line) | {column: key}) + "\n" for line in few[:1] if column in line]
    target.write_text("".join([*few, *one]), encoding="utf-8")


def _holding(settings: Settings, key: str) -> Iterator[Path]:
    """Yield every file under `data/` in which the key still stands, whatever the column.

    A key that is a number may stand elsewhere by chance, as a count: that is looked for in its own columns.
    """
    own = settings.project.erasable if key.isdecimal() else ()
    with connect(settings) as connection:
        for path in sorted((settings.workspace / "data").rglob("*.*")):
            if path.suffix == ".parquet":
                names = [n for n in column_types(connection, parquet(path)) if n in own or not own]
                held = " OR ".join(_holds(name, key, alone=bool(own)) for name in names) or "FALSE"
                if row(connection, f"SELECT count_if({held}) AS n FROM {parquet(path)}")["n"]:
                    yield path
            elif path.is_file() and _stands_in(path.read_text(encoding="utf-8", errors="replace"), key, own):
                yield path


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
