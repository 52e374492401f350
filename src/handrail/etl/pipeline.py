"""The whole ETL: extract, check, transform, check again, load."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from handrail.compute.duckdb import WRONG_DATA, Connection, EngineError, connect, identifier, parquet, reason
from handrail.config.settings import Settings
from handrail.contract.row_key import with_row_key
from handrail.contract.table_check import check, refuse_other_columns
from handrail.errors import ProjectError
from handrail.etl.load import load, raw_path, table_path
from handrail.labelling import is_asked_for
from handrail.leftovers import remove_leftovers
from handrail.project import Project


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
    A project that is given a `run_etl` does that instead: so the score of readiness spoils a table.
    """
    return settings.project.given.get("run_etl", build_table)(settings, on_step)


def build_table(settings: Settings, on_step: Callable[[str], None]) -> EtlResult:
    """Do the same, whatever the project is given."""
    remove_leftovers(settings)
    with connect(settings) as connection:
        on_step("extract")
        raw = settings.project.extract(connection, settings)
        on_step("transform and check")
        transform(connection, settings)
        on_step("load")
        loaded, rejected = load(connection, "checked", settings.project.table_name, settings)
        added = _labels_joined(connection, settings)
    return EtlResult(raw, table_path(settings, settings.project.table_name), loaded, rejected, tuple(added))


def _labels_joined(connection: Connection, settings: Settings) -> list[tuple[str, int, str]]:
    """Write the raw table with people's labels, where the project asks any; name, rows and what they are."""
    if not is_asked_for(settings.root):
        return []
    from handrail.labelling import etl_tables

    return etl_tables.load(connection, settings)


def offer_tables(connection: Connection, settings: Settings) -> None:
    """Make a temporary view of every table that transform.sql may name: the raw ones, people's `labels`."""
    for name in settings.project.raw_tables:
        path = raw_path(settings, name)
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {identifier(name)} AS SELECT * FROM {parquet(path)}")
    if is_asked_for(settings.root):
        from handrail.labelling import etl_tables

        etl_tables.offer(connection, settings)


def transform(connection: Connection, settings: Settings) -> None:
    """Run transform.sql on the raw tables; the temporary view `checked` holds its rows and `reason`."""
    offer_tables(connection, settings)
    try:
        check(connection, transformed(connection, settings.project), settings.project.contract)
    except WRONG_DATA as error:
        raise ProjectError(
            f"etl/transform.sql: {reason(error)}; TRY_CAST and try_strptime give NULL for what can't be read"
        ) from None


def transformed(connection: Connection, project: Project) -> str:
    """Return the FROM item of what transform.sql gives, with a key where rows have none of their own.

    Raises ProjectError where a column of the contract is absent or of another kind.
    """
    transformed_view(connection, project.transform)
    refuse_other_columns(connection, "transformed", project.own_contract, "etl/transform.sql")
    return "transformed" if project.has_key else with_row_key(connection, "transformed", project.contract)


def transformed_view(connection: Connection, query: str) -> None:
    """Make the temporary view `transformed` of `query`; raises ProjectError where the engine refuses it."""
    try:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW transformed AS {query}")
    except EngineError as error:
        raise ProjectError(f"etl/transform.sql: {reason(error)}") from None
