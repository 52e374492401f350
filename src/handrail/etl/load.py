"""Puts the checked table where everything else reads it, whole or not at all."""

from hashlib import sha256
from pathlib import Path

from handrail.compute.duckdb import Connection, identifier, literal, parquet, row, rows, write_parquet
from handrail.config.settings import Settings
from handrail.errors import ProjectError


def table_path(settings: Settings, table: str) -> Path:
    """Return the file of the loaded table."""
    return settings.workspace / "data" / f"{table}.parquet"


def raw_path(settings: Settings, table: str) -> Path:
    """Return the file of a raw table, as it was brought in."""
    return settings.workspace / "data" / "raw" / f"{table}.parquet"


def rejected_path(settings: Settings, table: str) -> Path:
    """Return the file of the rows that broke the contract, with their reason."""
    return settings.workspace / "data" / "rejected" / f"{table}.parquet"


def forgotten_path(settings: Settings) -> Path:
    """Return the file of the keys that are not to be loaded again: the fingerprint of each, one a line."""
    return settings.workspace / "data" / "forgotten.txt"


def fingerprint(key: str) -> str:
    """Return what is kept of a key that is to be forgotten: its SHA-256."""
    return sha256(key.encode()).hexdigest()


def require_table(settings: Settings, table: str) -> str:
    """Return the FROM item of the loaded table; raises ProjectError where there is none yet."""
    path = table_path(settings, table)
    if not path.is_file():
        raise ProjectError(f"{path}: no such file yet; run `etl` first")
    return parquet(path)


def load(connection: Connection, checked: str, table: str, settings: Settings) -> tuple[int, dict[str, int]]:
    """Write the good rows of `checked` and keep the others aside; return both counts, by reason.

    The good ones are in the order of time and key, so that the same rows are the same file. `checked` has the
    contract's columns and `reason`; rows of forgotten keys are left out. Raises ProjectError, with the last
    good table left in place, where no row is good or more than `data.maximum_rejected_share` are not.
    """
    checked = _without_forgotten(checked, settings)
    totals = row(connection, f"SELECT count(*) AS every, count(reason) AS rejected FROM {checked}")
    target, rejected = table_path(settings, table), rejected_path(settings, table)
    write_parquet(connection, f"SELECT * FROM {checked} WHERE reason IS NOT NULL ORDER BY ALL", rejected)
    found, limit = reasons(connection, rejected), settings.data.maximum_rejected_share
    if totals["rejected"] > limit * totals["every"] or totals["every"] == 0:
        most = next((f", most often {text} ({n} rows)" for text, n in found.items()), "")
        raise ProjectError(
            f"{target.name}: {totals['rejected']} of {totals['every']} rows break the contract{most}; at "
            f"most {limit:.1%} may; see {rejected}; the last good table stays"
        )
    project = settings.project
    order = f"{identifier(project.time)}, {identifier(project.key)}"  # no two rows are alike in it
    good = f"SELECT * EXCLUDE (reason) FROM {checked} WHERE reason IS NULL ORDER BY {order}"
    return write_parquet(connection, good, target), found


def reasons(connection: Connection, rejected: Path) -> dict[str, int]:
    """Return how often each reason occurs in a file of rejected rows, the most frequent first."""
    found = rows(
        connection,
        f"SELECT reason, count(*) AS n FROM {parquet(rejected)} GROUP BY reason ORDER BY n DESC, reason",
    )
    return {item["reason"]: item["n"] for item in found}


def _without_forgotten(checked: str, settings: Settings) -> str:
    path = forgotten_path(settings)
    forgotten = path.read_text(encoding="utf-8").split() if path.is_file() else []
    if not forgotten:
        return checked
    key, known = identifier(settings.project.key), ", ".join(map(literal, forgotten))
    return f"(SELECT * FROM {checked} WHERE (sha256(CAST({key} AS VARCHAR)) IN ({known})) IS NOT TRUE)"
