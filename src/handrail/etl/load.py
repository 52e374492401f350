"""Puts the checked table where everything else reads it, whole or not at all.

What `retrain` builds lies in a folder of its own until its look at the data has accepted it; refused, it
stays there, to be looked at, until the next is built.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from handrail.compute.data_engine import connect_data, has_table
from handrail.compute.duckdb import Connection, identifier, parquet, row, rows, write_parquet
from handrail.config.settings import Settings, instead
from handrail.contract.table_check import duplicate_reason
from handrail.errors import ProjectError
from handrail.etl.forgotten import without_forgotten

SHOWN_REJECTED = 100_000  # of the rejected rows of another engine, that come to this machine


def table_path(settings: Settings, table: str) -> Path:
    """Return the file of the loaded table."""
    folder = not_accepted_folder(settings) if settings.not_accepted else settings.workspace / "data"
    return folder / f"{table}.parquet"


def not_accepted_folder(settings: Settings) -> Path:
    """Return the folder of what `retrain` has built and not accepted: a table, and its rejected rows."""
    return settings.workspace / "data" / "not-accepted"


def raw_path(settings: Settings, table: str) -> Path:
    """Return the file of a raw table, as it was brought in."""
    return settings.workspace / "data" / "raw" / f"{table}.parquet"


def rejected_path(settings: Settings, table: str) -> Path:
    """Return the file of the rows that broke the contract, with their reason."""
    if settings.not_accepted:
        return not_accepted_folder(settings) / f"{table}-rejected.parquet"
    return settings.workspace / "data" / "rejected" / f"{table}.parquet"


def accept(settings: Settings, table: str) -> None:
    """Put the table that `retrain` has built where everything else reads it, and its rejected rows."""
    built, read = (settings.with_table(accepted=accepted) for accepted in (False, True))
    if settings.compute.engine != "duckdb":
        with connect_data(settings) as connection:
            for path in (rejected_path, table_path):
                cast("Any", connection).move(path(built, table), path(read, table))
    for path in (rejected_path, table_path):  # the table is the last: it is what counts
        if path(built, table).is_file():
            path(read, table).parent.mkdir(parents=True, exist_ok=True)
            path(built, table).replace(path(read, table))
    taken_path(read).unlink(missing_ok=True)
    if taken_path(built).is_file():
        taken_path(built).replace(taken_path(read))


def drop(settings: Settings, table: str) -> None:
    """Delete what `retrain` has built, where nothing is left to decide about it."""
    built = settings.with_table(accepted=False)
    if settings.compute.engine != "duckdb":
        with connect_data(settings) as connection:
            for path in (rejected_path, table_path):
                cast("Any", connection).discard(path(built, table))
    for path in (rejected_path, table_path):
        path(built, table).unlink(missing_ok=True)


def taken_path(settings: Settings) -> Path:
    """Return the file that says which rows of the table came to this machine, where that is not all."""
    return table_path(settings, settings.project.table_name).with_name("taken.txt")


def read_taken(settings: Settings) -> str | None:
    """Return in a sentence which rows of the table came to this machine; None where all did."""
    path = taken_path(settings)
    return path.read_text(encoding="utf-8").strip() if path.is_file() else None


def require_table(settings: Settings, table: str) -> str:
    """Return the FROM item of the loaded table, in DuckDB's SQL; raises ProjectError where there is none yet.

    `connect_data` finds the whole table by it, wherever the data is processed, and `connect` what came here.
    """
    path = table_path(settings, table)
    if not path.is_file():
        small = f" --sample {settings.sample}" if settings.sample else ""
        raise ProjectError(f"{path}: no such file yet; run `etl{small}` first{instead(settings, path)}")
    refuse_part(settings)
    return parquet(path)


def refuse_part(settings: Settings) -> None:
    """Raise ProjectError where this machine is the engine, and has only what came to it from another one."""
    taken = read_taken(settings) if settings.compute.engine == "duckdb" else None
    if taken:
        name = settings.shown(table_path(settings, settings.project.table_name))
        raise ProjectError(f"{name}: a part, as another engine left it: {taken}; run `etl`, which loads all")


def loaded_table(connection: Connection, settings: Settings) -> str | None:
    """Return the FROM item of the loaded table where the data is processed; None where nothing is loaded.

    Raises ProjectError where there is only a part of it.
    """
    refuse_part(settings)
    path = table_path(settings, settings.project.table_name)
    return parquet(path) if has_table(connection, path) else None


def load(connection: Connection, checked: str, table: str, settings: Settings) -> tuple[int, dict[str, int]]:
    """Write the good rows of `checked` and keep the others aside; return both counts, by reason.

    The good ones are in the order of time and key, or of the key alone, so that the same rows are the same
    file. `checked` has the contract's columns and `reason`; rows of forgotten keys are left out. Raises
    ProjectError, with the last good table left in place, where no row is good or more than
    `data.maximum_rejected_share` are not.
    """
    checked = without_forgotten(checked, settings, settings.project.erasable)
    totals = row(connection, f"SELECT count(*) AS every, count(reason) AS rejected FROM {checked}")
    target, rejected = table_path(settings, table), rejected_path(settings, table)
    write_parquet(connection, f"SELECT * FROM {checked} WHERE reason IS NOT NULL ORDER BY ALL", rejected)
    if not isinstance(connection, Connection):  # here, too, to be looked at
        connection.land(f"SELECT * FROM {parquet(rejected)} ORDER BY ALL LIMIT {SHOWN_REJECTED}", rejected)
    found, limit = reasons(connection, rejected), settings.data.maximum_rejected_share
    if totals["rejected"] > limit * totals["every"] or totals["every"] == 0:
        raise ProjectError(_refused(settings, target, totals, found))
    project = settings.project
    order = ", ".join(map(identifier, project.ordered_by))  # no two rows are alike in it
    good = f"SELECT * EXCLUDE (reason) FROM {checked} WHERE reason IS NULL ORDER BY {order}"
    return write_parquet(connection, good, target), found


def _refused(settings: Settings, target: Path, totals: Mapping[str, int], found: Mapping[str, int]) -> str:
    """Say why a table is not loaded: what its rows break most often, and what to do where it is the key."""
    key, table = settings.project.key, settings.project.table_name
    if totals["every"] == 0:
        said = f"{target.name}: etl/transform.sql gives no row; is a condition or a JOIN too narrow?"
    else:
        said = (
            f"{target.name}: {totals['rejected']:,} of {totals['every']:,} rows {_what(key, found)}; at most "
            f"{settings.data.maximum_rejected_share:.1%} may; see "
            f"{settings.shown(rejected_path(settings, table))}"
        )
    if next(iter(found), "").startswith(duplicate_reason(key)):
        said += (
            f"; {key} does not tell the rows apart: take the column that does, or make one in "
            f"etl/transform.sql of all that do, as concat_ws('-', {key}, ...), or keep one row of each there"
        )
    before = table_path(settings.with_table(accepted=True), table)
    return f"{said}; the last good table stays" if before.is_file() else f"{said}; nothing is loaded"


def _what(key: str, found: Mapping[str, int]) -> str:
    """Say what is wrong with rejected rows, by how often each reason was found."""
    again = duplicate_reason(key)
    if [*found] == [again]:
        return f"are duplicates: their {key} is another's"
    most, count = next(iter(found.items()))
    or_twice = " or are duplicates" if again in found else ""
    return f"break the contract{or_twice}, most often {most} ({count:,} rows)"


def reasons(connection: Connection, rejected: Path) -> dict[str, int]:
    """Return how often each reason occurs in a file of rejected rows, the most frequent first."""
    found = rows(
        connection,
        f"SELECT reason, count(*) AS n FROM {parquet(rejected)} GROUP BY reason ORDER BY n DESC, reason",
    )
    return {item["reason"]: item["n"] for item in found}
