"""What broke the contract: rows of requests that the service refused, and rows that a verb kept aside."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from handrail.compute.duckdb import connect, parquet, rows
from handrail.config.settings import Settings
from handrail.etl.load import rejected_path
from handrail.serving.activity import read_activity


@dataclass(frozen=True)
class Refusals:
    """Rows that broke a rule of the contract, as `distance: less_than_equal` or in the words of a check.

    where: the service, or the file with these rows · records: how many · first, last: when they came, in UTC:
    of requests to a few seconds, of a file when it was written
    """

    where: str
    rule: str
    records: int
    first: datetime
    last: datetime


def read_refusals(settings: Settings, start: date, end: date) -> list[Refusals]:
    """Return which rules were broken from `start` on and before `end` (in UTC), the newest first."""
    asked = [
        Refusals("requests", each.rule, each.records, each.first, each.last)
        for each in read_activity(settings, start, end).broken
    ]
    return sorted([*asked, *_kept_aside(settings, start, end)], key=lambda each: (each.last, each.records))[
        ::-1
    ]


def _kept_aside(settings: Settings, start: date, end: date) -> Iterator[Refusals]:
    """Yield what `etl` and `score` have kept aside, by file and reason; the number of a line is no reason."""
    first, after = (datetime.combine(each, time()) for each in (start, end))
    said = r"regexp_replace(reason, '^line \d+: ', '')"
    for path in sorted(rejected_path(settings, "any").parent.glob("[!.]*.parquet")):
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(tzinfo=None)
        if not first <= at < after:
            continue
        with connect(settings) as connection:
            query = f"SELECT {said} AS rule, count(*) AS records FROM {parquet(path)} GROUP BY rule"
            for each in rows(connection, query):
                yield Refusals(settings.shown(path), each["rule"], each["records"], at, at)


def last_days(days: int) -> tuple[date, date]:
    """Return the first of the last so many days, today with them, and the day after it (in UTC)."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    return tomorrow - timedelta(days=days), tomorrow
