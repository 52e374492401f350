"""Puts the checked table where everything else reads it, whole or not at all."""

from pathlib import Path

from ..engine import Connection, parquet, row, rows, write_parquet
from ..errors import ProjectError
from ..settings import Settings


def table_path(settings: Settings, table: str) -> Path:
    """Return the file of the loaded table."""
    return settings.workspace / "data" / f"{table}.parquet"


def rejected_path(settings: Settings, table: str) -> Path:
    """Return the file of the rows that broke the contract, with their reason."""
    return settings.workspace / "data" / "rejected" / f"{table}.parquet"


def require_table(settings: Settings, table: str) -> str:
    """Return the FROM item of the loaded table; raises ProjectError where there is none yet."""
    path = table_path(settings, table)
    if not path.is_file():
        raise ProjectError(f"{path}: no such file yet; run `etl` first")
    return parquet(path)


def load(connection: Connection, checked: str, table: str, settings: Settings) -> tuple[int, dict[str, int]]:
    """Write the good rows of `checked` and keep the others aside; return both counts, by reason.

    `checked` has the contract's columns and `reason`. Raises ProjectError, with the last good table left
    in place, where no row is good or more than `data.maximum_rejected_share` are not.
    """
    totals = row(connection, f"SELECT count(*) AS every, count(reason) AS rejected FROM {checked}")
    target, rejected = table_path(settings, table), rejected_path(settings, table)
    write_parquet(connection, f"SELECT * FROM {checked} WHERE reason IS NOT NULL", rejected)
    limit = settings.data.maximum_rejected_share
    if totals["rejected"] > limit * totals["every"] or totals["every"] == 0:
        raise ProjectError(
            f"{target.name}: {totals['rejected']} of {totals['every']} rows break the contract, at most "
            f"{limit:.1%} may; see {rejected}; the last good table stays"
        )
    loaded = write_parquet(
        connection, f"SELECT * EXCLUDE (reason) FROM {checked} WHERE reason IS NULL", target
    )
    return loaded, reasons(connection, rejected)


def reasons(connection: Connection, rejected: Path) -> dict[str, int]:
    """Return how often each reason occurs in a file of rejected rows, the most frequent first."""
    found = rows(
        connection,
        f"SELECT reason, count(*) AS n FROM {parquet(rejected)} GROUP BY reason ORDER BY n DESC, reason",
    )
    return {item["reason"]: item["n"] for item in found}
