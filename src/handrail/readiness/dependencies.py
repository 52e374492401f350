"""Would a change of what the project builds on be noticed: its raw tables, its libraries?"""

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from handrail.compute.duckdb import Connection, connect, identifier, literal, parquet, rows
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.load import raw_path
from handrail.etl.raw_files import RawRows, RawSource, RawTable, StoredTable, read_raw
from handrail.readiness.context import ReadinessContext

ROWS = 2000
AMOUNTS = ("INTEGER", "BIGINT", "DOUBLE")
READER = "handrail.etl.raw_files"


def dependencies_watched(context: ReadinessContext) -> str:
    """Rename and retype columns of each raw table, which has to be refused; compare the libraries.

    The live version has to run on the libraries with which it was trained and measured.
    """
    changed = list(_changed_libraries(context.version.info["libraries"]))
    if changed:
        raise ProjectError(changed)
    tables = context.settings.project.raw_tables
    with connect(context.settings) as connection, tempfile.TemporaryDirectory() as folder:
        problems = [
            problem
            for name, table in tables.items()
            for problem in _unnoticed(connection, context.settings, name, table, Path(folder))
        ]
    if problems:
        raise ProjectError(problems)
    libraries = len(context.version.info["libraries"])
    return (
        f"a renamed column, a text among amounts and a file cut off were refused in {len(tables)} raw "
        f"tables; {libraries} libraries are those of the training"
    )


def _changed_libraries(trained_with: Mapping[str, str]) -> Iterator[str]:
    for name, before in trained_with.items():
        try:
            now = sys.version.split()[0] if name == "python" else installed(name)
        except PackageNotFoundError:
            continue  # what only training needs may be absent where the model is served
        if now != before:
            yield f"{name}: {before} when the model was trained, {now} now; train and promote again"


def _unnoticed(
    connection: Connection, settings: Settings, name: str, table: RawSource, folder: Path
) -> Iterator[str]:
    """Yield a sentence for each change of a raw table that `etl` would take without a word.

    The table as it came in has to be taken, else that the others are not would show nothing.
    """
    path = raw_path(settings, name)
    if not path.is_file():
        raise ProjectError(f"data/raw/{name}.parquet: no such file; run `etl` first")
    few = replace(table, minimum_rows=0)
    if reason := _refused(connection, settings, few, f"SELECT * FROM {parquet(path)} LIMIT {ROWS}", folder):
        yield f"{READER}: {name}: as it came in, and it was refused: {reason}"
    for change, query in _changes(table, path).items():
        if not _refused(connection, settings, table, query, folder):
            yield f"{READER}: {name}: {change}, and nothing was said"


def _changes(table: RawSource, path: Path) -> Mapping[str, str]:
    """Return each change of a raw table that has to be refused, as a SELECT from the one that came in."""
    first, source = next(iter(table.columns)), parquet(path)
    amount = next((name for name, kind in table.columns.items() if kind in AMOUNTS), None)
    plain, other = ", ".join(map(identifier, table.columns)), identifier(f"{first}_2")
    changes = {
        f"column {first} renamed": f"SELECT * RENAME ({identifier(first)} AS {other}) FROM {source}",
        "cut off": f"SELECT {plain} FROM {source} LIMIT {max(0, table.minimum_rows - 1)}",
    }
    if amount:
        text = f"SELECT * REPLACE ('n/a' AS {identifier(amount)}) FROM {source} LIMIT {ROWS}"
        changes[f"a text in {amount}"] = text
    return changes


def _refused(
    connection: Connection, settings: Settings, table: RawSource, query: str, folder: Path
) -> str | None:
    """Return why a raw table with the rows of `query` is refused, or None where it is taken."""
    if isinstance(table, RawRows):
        changed: RawSource = replace(table, ask=_giving(rows(connection, query)))
    else:
        file = table.as_file() if isinstance(table, StoredTable) else table
        changed = _file_with(connection, file, query, folder)
    try:
        read_raw(connection, settings, changed, folder, folder / "taken.parquet", None)
    except ProjectError as error:
        return error.problems[0]
    return None


def _file_with(connection: Connection, table: RawTable, query: str, folder: Path) -> RawTable:
    """Write the rows of `query` as Parquet or in the plainest separated values; return their table."""
    columnar = table.file.endswith(".parquet")
    options = "FORMAT parquet" if columnar else "FORMAT csv, HEADER"
    file = f"changed.{'parquet' if columnar else 'csv'}"
    connection.execute(f"COPY ({query}) TO {literal(folder / file)} ({options})").fetchall()
    return replace(table, file=file, encoding="utf-8", separator=",", header=True)


def _giving(given: list[dict[str, Any]]) -> Callable[[Settings], Iterable[Mapping[str, Any]]]:
    """Return a function that gives these rows, as one that asks a service does."""

    def ask(settings: Settings) -> list[dict[str, Any]]:
        return given

    return ask
