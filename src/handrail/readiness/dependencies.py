"""Would a change of what the project builds on be noticed: its raw tables, its libraries?"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

from handrail.compute.duckdb import Connection, connect, identifier, literal, parquet
from handrail.errors import ProjectError
from handrail.etl.raw_files import RawTable, read_raw
from handrail.readiness.context import ReadinessContext

ROWS = 2000


def dependencies_watched(context: ReadinessContext) -> str:
    """Rename and retype columns of each raw table, which has to be refused; compare the libraries.

    The live version has to run on the libraries with which it was trained and measured.
    """
    changed = list(_changed_libraries(context.version.info["libraries"]))
    if changed:
        raise ProjectError(changed)
    with connect(context.settings) as connection, tempfile.TemporaryDirectory() as folder:
        problems = [
            problem
            for name, table in context.settings.project.raw_tables.items()
            for problem in _unnoticed(connection, context, name, table, Path(folder))
        ]
    if problems:
        raise ProjectError(problems)
    libraries = len(context.version.info["libraries"])
    return (
        f"a renamed column, a text among amounts and a file cut off were refused in {len(context.settings.project.raw_tables)} raw "
        f"tables; {libraries} libraries are those of the training"
    )


def _changed_libraries(trained_with: dict[str, str]) -> Iterator[str]:
    for name, before in trained_with.items():
        try:
            now = sys.version.split()[0] if name == "python" else installed(name)
        except PackageNotFoundError:
            continue  # what only training needs may be absent where the model is served
        if now != before:
            yield f"{name}: {before} when the model was trained, {now} now; train and promote again"


def _unnoticed(
    connection: Connection, context: ReadinessContext, name: str, table: RawTable, folder: Path
) -> Iterator[str]:
    """Yield a sentence for each change of a raw table that `etl` would take without a word."""
    source = context.settings.workspace / "data" / "raw" / f"{name}.parquet"
    if not source.is_file():
        raise ProjectError(f"data/raw/{name}.parquet: no such file; run `etl` first")
    first, amount = next(iter(table.columns)), _amount(table)
    plain = ", ".join(map(identifier, table.columns))
    other = f"{identifier(first)} AS {identifier(first + '_2')}"
    changes = {
        f"column {first} renamed": f"SELECT * RENAME ({other}) FROM {parquet(source)}",
        "cut off": f"SELECT {plain} FROM {parquet(source)} LIMIT {table.minimum_rows - 1}",
    }
    if amount:
        changes[f"a text in {amount}"] = (
            f"SELECT * REPLACE ('n/a' AS {identifier(amount)}) FROM {parquet(source)} LIMIT {ROWS}"
        )
    for change, query in changes.items():
        file = f"{name}-{len(change)}.csv"
        target = folder / file
        options = f"FORMAT csv, HEADER, DELIMITER {literal(table.separator)}"
        connection.execute(f"COPY ({query}) TO {literal(target)} ({options})").fetchall()
        try:
            read_raw(connection, replace(table, file=file), folder, target.with_suffix(".parquet"), None)
        except ProjectError:
            continue
        yield f"etl/raw.py: {name}: {change}, and nothing was said"


def _amount(table: RawTable) -> str | None:
    """Return a column of numbers, if there is one."""
    return next(
        (name for name, kind in table.columns.items() if kind in ("INTEGER", "BIGINT", "DOUBLE")), None
    )
