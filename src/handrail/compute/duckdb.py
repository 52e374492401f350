"""The engine that runs the SQL: DuckDB, inside this process.

Everything larger than a summary stays in here; only aggregates and the float32 matrix of a training
run ever become Python objects.
"""

import os
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.files import settle, unfinished_path

Connection = duckdb.DuckDBPyConnection
EngineError = duckdb.Error
WRONG_DATA = (duckdb.DataError, duckdb.ProgrammingError)  # not: a full disk, too little memory
# Of data.memory_limit, which is meant for the whole process: the interpreter, the model, rows on their way to
# a file, and what the allocator has not given back, the engine does not count.
ENGINE_SHARE = 0.75


@contextmanager
def connect(settings: Settings, spill: Path | None = None) -> Generator[Connection]:
    """Open an engine with bounded memory that spills to the workspace; closed when the block ends.

    `spill`: the folder to spill to in its place. Errors of the engine inside the block become a ProjectError
    in the engine's own words.
    """
    try:
        with duckdb.connect(
            config={**limits(settings, spill), "preserve_insertion_order": False}
        ) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            _show_no_bar(connection)
            yield connection
    except duckdb.Error as error:
        raise advised(error) from error


def limits(settings: Settings, spill: Path | None = None) -> dict[str, str]:
    """Return the settings by which a process stays below `data.memory_limit`, and where it spills."""
    found = re.fullmatch(r"([\d.]+)\s?([KMGT])(i?)B", settings.data.memory_limit)
    if found is None:
        raise ValueError(f"data.memory_limit: {settings.data.memory_limit}")
    unit = (1024 if found[3] else 1000) ** (1 + "KMGT".index(found[2]))
    spill = spill or settings.workspace / "data" / f".spill-{os.getpid()}"
    memory = f"{int(float(found[1]) * unit * ENGINE_SHARE)}B"
    return {"memory_limit": memory, "temp_directory": str(spill)}


def advised(error: EngineError) -> ProjectError:
    """Return an error of the engine as one that people are told, in the engine's own words."""
    unknown = isinstance(error, duckdb.BinderException)
    advice = "; run `etl` again if contract.py has changed" if unknown else ""
    return ProjectError(f"the engine stopped: {reason(error)}{advice}")


def _show_no_bar(connection: Connection) -> None:
    """Print no bar of progress; where there is none, as in a notebook, even this setting would be refused."""
    if connection.sql("SELECT current_setting('enable_progress_bar')").fetchall() == [(True,)]:
        connection.execute("SET enable_progress_bar = false")


def reason(error: EngineError) -> str:
    """Return the first paragraph of an error of the engine, on one line."""
    return " ".join(str(error).strip().partition("\n\n")[0].split())


def rows(
    connection: Connection, query: str, parameters: list[Any] | Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Run `query` and return its rows by name; for summaries, not for whole tables."""
    result = connection.execute(query, parameters)
    names = [item[0] for item in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def row(connection: Connection, query: str, parameters: list[Any] | None = None) -> dict[str, Any]:
    """Run `query` and return its only row by name."""
    (only,) = rows(connection, query, parameters)
    return only


def histograms(
    connection: Connection, source: str, expressions: Sequence[str]
) -> tuple[int, list[dict[Any, int]]]:
    """Return the rows of a FROM item, and how often each value of each expression occurs, in one scan."""
    if not isinstance(connection, Connection):
        return connection.histograms(source, expressions)
    counts = [f"histogram({each}) AS h{number}" for number, each in enumerate(expressions)]
    found = row(connection, f"SELECT {', '.join(['count(*) AS n', *counts])} FROM {source}")
    return found["n"], [found[f"h{number}"] or {} for number in range(len(expressions))]


def column_types(connection: Connection, source: str) -> dict[str, str]:
    """Return the SQL type of each column of the FROM item `source`, by name and in their order."""
    described = rows(connection, f"DESCRIBE SELECT * FROM {source}")
    return {item["column_name"]: item["column_type"] for item in described}


def write_parquet(connection: Connection, query: str, path: Path) -> int:
    """Write the rows of `query` to `path`, whole or not at all, and return their number.

    An engine that is not DuckDB keeps them as a table of its own, where `path` names one.
    """
    if not isinstance(connection, Connection):
        return connection.write_to(query, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_path(path)
    try:
        result = connection.execute(f"COPY ({query}) TO {literal(unfinished)} (FORMAT parquet)")
        ((count,),) = result.fetchall()
        settle(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def literal(value: object) -> str:
    """Return `value` as a SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return a name of SQL for any name of a column, with spaces in it too."""
    return '"' + name.replace('"', '""') + '"'


def file_name(path: Path) -> str:
    """Return a path as the SQL literal that names this file alone, whatever `[`, `*` or `?` is in it."""
    return literal(re.sub(r"[\[*?]", r"[\g<0>]", path.as_posix()))


def parquet(*paths: Path) -> str:
    """Return the FROM item that reads a Parquet file, or several of the same columns.

    A path is a name: it is no pattern, and what looks like `name=value` in it adds no column.
    """
    return f"read_parquet([{', '.join(map(file_name, paths))}], hive_partitioning = false)"
