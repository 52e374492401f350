"""The whole ETL: extract, check, transform, check again, load."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from types import ModuleType

from ..contract import CONTRACT, TABLE
from ..engine import WRONG_DATA, Connection, EngineError, connect, parquet, reason
from ..errors import ProjectError
from ..settings import PACKAGE, Settings
from .extract import RAW_TABLES, extract
from .load import load, table_path
from .validate import check, refuse_other_columns


@dataclass(frozen=True)
class EtlResult:
    """What came in, what was loaded where, and what was not and why (rows); what parts have added."""

    raw: dict[str, int]
    path: Path
    loaded: int
    rejected: dict[str, int]
    added: tuple[tuple[str, int, str], ...] = ()


def run_etl(settings: Settings, on_step: Callable[[str], None]) -> EtlResult:
    """Build the table of the contract from the sources; running it again gives the same table.

    Raises ProjectError, with the last good table left in place, where a source or the result is bad.
    """
    with connect(settings) as connection:
        on_step("extract")
        raw = extract(connection, settings)
        on_step("transform and check")
        transform(connection, settings)
        on_step("load")
        loaded, rejected = load(connection, "checked", TABLE, settings)
        added = [row for module in tables_of_parts() for row in module.load(connection, settings)]
    return EtlResult(raw, table_path(settings, TABLE), loaded, rejected, tuple(added))


@cache
def tables_of_parts() -> tuple[ModuleType, ...]:
    """Return the module `tables.py` of each part that has one.

    Its `offer` gives transform.sql more tables; its `load` writes its own, and tells name, rows and what.
    """
    folders = sorted(path.parent.name for path in Path(__file__).parents[1].glob("*/tables.py"))
    return tuple(import_module(f"{PACKAGE}.{folder}.tables") for folder in folders)


def transform(connection: Connection, settings: Settings) -> None:
    """Run transform.sql on the raw tables; the temporary view `checked` holds its rows and `reason`."""
    for name in RAW_TABLES:
        path = settings.workspace / "data" / "raw" / f"{name}.parquet"
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {parquet(path)}")
    for module in tables_of_parts():
        module.offer(connection, settings)
    view(connection, read_query())
    refuse_other_columns(connection, "transformed", CONTRACT, "etl/transform.sql")
    try:
        check(connection, "transformed", CONTRACT)
    except WRONG_DATA as error:
        raise ProjectError(
            f"etl/transform.sql: {reason(error)}; TRY_CAST and try_strptime give NULL for what can't be read"
        ) from None


def read_query() -> str:
    """Return transform.sql."""
    return files(__package__ or "").joinpath("transform.sql").read_text(encoding="utf-8")


def view(connection: Connection, query: str) -> None:
    """Make the temporary view `transformed` of `query`; raises ProjectError where the engine refuses it."""
    try:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW transformed AS {query}")
    except EngineError as error:
        raise ProjectError(f"etl/transform.sql: {reason(error)}") from None
