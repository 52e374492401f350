"""The whole ETL: extract, check, transform, check again, load."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from handrail.compute.data_engine import connect_data
from handrail.compute.duckdb import WRONG_DATA, Connection, EngineError, connect, identifier, parquet, reason
from handrail.config.settings import Settings
from handrail.contract.row_key import with_row_key
from handrail.contract.table_check import check, refuse_other_columns
from handrail.errors import ProjectError
from handrail.etl.load import load, raw_path, table_path, taken_path
from handrail.files import write_whole
from handrail.labelling import is_asked_for
from handrail.leftovers import remove_leftovers
from handrail.project import Project


@dataclass(frozen=True)
class EtlResult:
    """What came in, what was loaded where, and what was not and why (rows); what parts have added.

    taken: which of the loaded rows are learnt from, in a sentence, where that is not all
    """

    raw: dict[str, int]
    path: Path
    loaded: int
    rejected: dict[str, int]
    added: tuple[tuple[str, int, str], ...] = ()
    taken: str | None = None


def run_etl(settings: Settings, on_step: Callable[[str], None]) -> EtlResult:
    """Build the table of the contract from the sources; running it again gives the same table.

    Raises ProjectError, with the last good table left in place, where a source or the result is bad.
    A project that is given a `run_etl` does that instead: so the score of readiness spoils a table.
    """
    refusal = refusal_path(settings)
    try:
        done = settings.project.given.get("run_etl", build_table)(settings, on_step)
    except ProjectError as error:
        kept = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "why": error.problems}
        with suppress(OSError):  # such as a disk that is full: what was raised says more
            write_whole(refusal, json.dumps(kept) + "\n")
        raise
    refusal.unlink(missing_ok=True)
    return done


def refusal_path(settings: Settings) -> Path:
    """Return the file that says why the last etl was refused; there is none where it was not."""
    return settings.workspace / "data" / "etl-refused.json"


def build_table(settings: Settings, on_step: Callable[[str], None]) -> EtlResult:
    """Do the same, whatever the project is given."""
    remove_leftovers(settings)
    with connect_data(settings) as connection:
        on_step("extract")
        raw = settings.project.extract(connection, settings)
        on_step("transform and check")
        transform(connection, settings)
        on_step("load")
        loaded, rejected = load(connection, "checked", settings.project.table_name, settings)
        taken = _taken(connection, settings, on_step)
        added = _labels_joined(connection, settings)
    path = table_path(settings, settings.project.table_name)
    return EtlResult(raw, path, loaded, rejected, tuple(added), taken)


def _taken(connection: Connection, settings: Settings, on_step: Callable[[str], None]) -> str | None:
    """Bring what is learnt from to this machine, where the data is elsewhere; say which rows if not all."""
    if isinstance(connection, Connection):
        taken_path(settings).unlink(missing_ok=True)  # of another engine, before this one
        return None
    from handrail.etl.engine_tables import land

    on_step("take what is learnt from")
    return land(connection, settings)


def _labels_joined(connection: Connection, settings: Settings) -> list[tuple[str, int, str]]:
    """Write the raw table with people's labels, where the project asks any; name, rows and what they are."""
    if not is_asked_for(settings.root):
        return []
    from handrail.labelling import etl_tables

    if isinstance(connection, Connection):
        return etl_tables.load(connection, settings)
    with connect(settings) as local:  # of the copies that have come here
        return etl_tables.load(local, settings)


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
