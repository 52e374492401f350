"""How much was predicted for each day, and on each day: counted once for a look, in one scan."""

from datetime import date

from handrail.compute.duckdb import Connection, identifier, row, rows
from handrail.config.settings import Settings
from handrail.monitoring.outcomes import with_learnt

COUNTED = "predicted_days"


def predicted_days(connection: Connection, settings: Settings) -> str:
    """Return the FROM item of the counts, which are made when they are first asked for on a connection.

    A row for each `day` of the rows' own time, day on which they were predicted (`made`), `version`, and
    whether that had `learnt` from them: `n`, how many predictions those are. A row without a time has no day.
    """
    if not _is_counted(connection):
        time = identifier(settings.project.window)
        connection.execute(f"""
            CREATE TEMP TABLE {COUNTED} AS
            SELECT CAST({time} AS DATE) AS day, CAST(predicted_at AS DATE) AS made, version,
                _learnt IS TRUE AS learnt, count(*) AS n
            FROM ({with_learnt(settings)}) GROUP BY ALL
        """)
    return COUNTED


def _is_counted(connection: Connection) -> bool:
    if not isinstance(connection, Connection):
        return connection.has_temporary(COUNTED)
    there = f"SELECT count(*) AS n FROM duckdb_tables() WHERE table_name = '{COUNTED}' AND temporary"
    return bool(row(connection, there)["n"])


def count_predicted(
    connection: Connection,
    settings: Settings,
    start: date | None = None,
    end: date | None = None,
    *,
    learnt: bool = False,
) -> int:
    """Return how many predictions there are of rows from `start` on and before `end`.

    learnt: of rows that their version had learnt from, in place of the others
    """
    chosen = [f"day >= DATE '{start}'"] if start else []
    chosen += [f"day < DATE '{end}'"] if end else []
    where = " AND ".join(["learnt" if learnt else "NOT learnt", *chosen])
    query = f"SELECT coalesce(sum(n), 0) AS n FROM {predicted_days(connection, settings)} WHERE {where}"
    return int(row(connection, query)["n"])


def newest_predicted(connection: Connection, settings: Settings, before: date) -> date | None:
    """Return the day of the newest row that was predicted and not learnt from, before a day; None without."""
    source = predicted_days(connection, settings)
    query = f"SELECT max(day) AS day FROM {source} WHERE NOT learnt AND day < DATE '{before}'"
    return row(connection, query)["day"]


def days_made(connection: Connection, settings: Settings, start: date, end: date) -> list[date]:
    """Return the days from `start` on and before `end` on which something was predicted, in their order."""
    source = predicted_days(connection, settings)
    inside = f"made >= DATE '{start}' AND made < DATE '{end}'"
    query = f"SELECT DISTINCT made FROM {source} WHERE NOT learnt AND {inside} ORDER BY made"
    return [item["made"] for item in rows(connection, query)]
