"""The engine that project.yaml chooses for the data: DuckDB in this process, PostgreSQL or Spark.

What grows with the data goes through here: ETL, the contract's check, scoring, monitoring. What has come to
this machine, a table that is learnt from or a page that is drawn, is read by `handrail.compute.connect`.
"""

from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import duckdb

from handrail.compute.duckdb import Connection, advised, connect
from handrail.config.settings import Settings
from handrail.errors import ProjectError

NEEDED = {"postgres": ("psycopg", "sqlglot"), "spark": ("pyspark", "sqlglot")}


@contextmanager
def connect_data(settings: Settings) -> Generator[Connection]:
    """Connect to the engine of project.yaml; closed when the block ends.

    It is DuckDB's connection, or does what of that the modules use. Raises ProjectError where the engine
    can't be reached, and for the engine's own errors inside the block.
    """
    engine = settings.compute.engine
    if engine == "duckdb":
        with connect(settings) as connection:
            yield connection
        return
    try:
        with _other(settings) as connection:
            yield cast("Connection", connection)
    except duckdb.Error as error:
        raise advised(error) from error


def _other(settings: Settings) -> Any:
    engine = settings.compute.engine
    absent = [name for name in NEEDED[engine] if find_spec(name) is None]
    if absent:
        raise ProjectError(
            f"compute.engine is {engine}, and {' and '.join(absent)} is not installed; add the extra: "
            f"uv add 'handrail[{engine}]'"
        )
    if engine == "postgres":
        from handrail.compute.postgres import connect_postgres

        return connect_postgres(settings)
    from handrail.compute.spark import connect_spark

    return connect_spark(settings)


def has_table(connection: Connection, path: Path) -> bool:
    """Return whether the engine has the table that `path` names: for DuckDB, whether there is the file."""
    if isinstance(connection, duckdb.DuckDBPyConnection):
        return path.is_file()
    return cast("Any", connection).is_stored(path)
