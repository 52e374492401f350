"""When it is known what came of a row: a number of days after its time, or when a column of it says.

Whatever reads a target asks here which rows may be looked at: an outcome that was not known yet on the day
in question is no outcome on that day, whatever the table holds by now. Nor are outcomes that are half told: a
"yes" may be known at once and a "no" only when its days are over, so that the newest rows are known to be
cases or not known at all. Those that are known are no sample of the rows of their days.
"""

from datetime import UTC, date, datetime, timedelta
from math import lgamma, log

import numpy as np
from numpy.typing import NDArray

from handrail.compute.duckdb import Connection, connect, identifier, row
from handrail.config.settings import Settings
from handrail.contract.schema import Role, of_role
from handrail.errors import ProjectError
from handrail.etl.load import require_table, table_path

DAY = timedelta(days=1)
BY_CHANCE = 1e-4  # so seldom would the last rows have the same outcome, if their order were chance
UNKNOWN_SHARE = 0.1  # of the rows among them, which are not known
ALWAYS = date(1970, 1, 1)


def known_from(settings: Settings) -> str:
    """Return the SQL expression of the moment from which a row's outcome is known, if it has one.

    It is what the column of the role `known` says, and where it says nothing, or there is none, the time of
    the row and `outcome.known_after_days`. Of a row without a time it is always known.
    """
    days, time = settings.outcome.known_after_days, settings.project.time
    due = f"TIMESTAMP '{ALWAYS}'" if time is None else identifier(time)
    due = f"{due} + INTERVAL {days} DAY" if days and time else due
    said = [column.name for column in of_role(settings.project.contract, Role.KNOWN)]
    if len(said) > 1:
        raise ProjectError(f"contract.py: {' and '.join(said)} are both known; one column can say when")
    return f"coalesce({identifier(said[0])}, {due})" if said else due


def comes_late(settings: Settings) -> bool:
    """Return whether outcomes are known only some time after their rows."""
    later = settings.outcome.known_after_days or of_role(settings.project.contract, Role.KNOWN)
    return bool(settings.project.time and later)


def known_on(connection: Connection, settings: Settings, table: str, day: date) -> str:
    """Return the SQL condition for rows of `table` whose outcome is known when `day` begins."""
    until = told_until(connection, settings, table, day)
    told = f" AND {identifier(settings.project.time or '')} < TIMESTAMP '{until}'" if until else ""
    return f"{_reached(settings, day)}{told}"


def _reached(settings: Settings, day: date) -> str:
    """Return the same, whether or not outcomes are told of all rows alike."""
    return (
        f"{identifier(settings.project.target)} IS NOT NULL AND {known_from(settings)} <= TIMESTAMP '{day}'"
    )


def told_until(connection: Connection, settings: Settings, table: str, day: date) -> date | None:
    """Return the day from which on outcomes are half told when `day` begins; None where they aren't."""
    if not comes_late(settings) or settings.project.task.predicts != "chance":
        return None
    time, target = (identifier(name or "") for name in (settings.project.time, settings.project.target))
    found = connection.execute(f"""
        SELECT CAST({time} AS DATE) AS day, count(*) FILTER (known AND {target} = 1) AS cases,
            count(*) FILTER (known AND {target} = 0) AS others, count(*) FILTER (NOT known) AS unknown
        FROM (SELECT {time}, {target}, coalesce({_reached(settings, day)}, FALSE) AS known FROM {table})
        WHERE {time} < TIMESTAMP '{day}' GROUP BY 1 ORDER BY 1
    """).fetchnumpy()
    days, *counts = (np.ma.getdata(found[name]) for name in ("day", "cases", "others", "unknown"))
    place = half_told(*counts)
    return None if place is None else days[place].astype("datetime64[D]").astype(date)


def half_told(cases: NDArray[np.int64], others: NDArray[np.int64], unknown: NDArray[np.int64]) -> int | None:
    """Return the place of the first day whose outcomes are half told, None where there is none.

    cases, others, unknown: (n) numbers of rows whose outcome is known to be yes, to be no, and not known; for
    each day, in their order.

    They are half told where all that is known after some day is the same, as it would be by chance less often
    than BY_CHANCE, while more than UNKNOWN_SHARE of the rows up to the last that is known are not.
    """
    last = [int(np.flatnonzero(counts)[-1]) if counts.any() else -1 for counts in (cases, others)]
    first, end = min(last) + 1, max(last) + 1
    told = cases + others
    alike, missing = float(told[first:end].sum()), float(unknown[first:end].sum())
    if not first or not alike or missing <= UNKNOWN_SHARE * (alike + missing):
        return None
    rest = float((others if last[0] > last[1] else cases).sum())  # all of them lie before
    return first if _all_before(rest, float(told[:first].sum()), alike) < log(BY_CHANCE) else None


def _all_before(rest: float, before: float, after: float) -> float:
    """Return the logarithm of the chance that `rest` of all rows lie `before`, and none among the others."""
    both = before + after
    return lgamma(before + 1) - lgamma(before - rest + 1) - lgamma(both + 1) + lgamma(both - rest + 1)


def due_before(settings: Settings, day: date) -> date:
    """Return the day before which a row's time lies if its outcome should be known when `day` begins."""
    return day - timedelta(days=settings.outcome.known_after_days)


def today_of(settings: Settings) -> date:
    """Return today; in the packaged example, whose year is over, the last day that has an outcome."""
    today = datetime.now(UTC).date()
    packaged = settings.example and settings.source is None and not settings.borrowed
    if not packaged or not table_path(settings, settings.project.table_name).is_file():
        return today
    return newest_known(settings, today) or today


def newest_known(settings: Settings, today: date) -> date | None:
    """Return the latest day of `today` and before on which an outcome became known; None without any."""
    table = require_table(settings, settings.project.table_name)
    with connect(settings) as connection:
        query = (
            f"SELECT CAST(max({known_from(settings)}) AS DATE) AS day FROM {table} "
            f"WHERE {known_on(connection, settings, table, today + DAY)}"
        )
        return row(connection, query)["day"]
