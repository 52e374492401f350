"""When it is known what came of a row: a number of days after its time, or when a column of it says.

Whatever reads a target asks here which rows may be looked at: an outcome that was not known yet on the day
in question is no outcome on that day, whatever the table holds by now.
"""

from datetime import UTC, date, datetime, timedelta

from handrail.compute.duckdb import connect, identifier, row
from handrail.config.settings import Settings
from handrail.contract.schema import Role, of_role
from handrail.errors import ProjectError
from handrail.etl.load import require_table, table_path

DAY = timedelta(days=1)
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


def known_on(settings: Settings, day: date) -> str:
    """Return the SQL condition for rows whose outcome is known when `day` begins."""
    return (
        f"{identifier(settings.project.target)} IS NOT NULL AND {known_from(settings)} <= TIMESTAMP '{day}'"
    )


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
    query = (
        f"SELECT CAST(max({known_from(settings)}) AS DATE) AS day FROM {table} "
        f"WHERE {known_on(settings, today + DAY)}"
    )
    with connect(settings) as connection:
        return row(connection, query)["day"]
