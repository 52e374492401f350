"""The rows that the live version does not know, and what was usual before them, month by month."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from handrail.compute.duckdb import Connection, identifier, literal, parquet, row, rows
from handrail.config.sections import Shares, Split
from handrail.config.settings import Settings
from handrail.contract.schema import Role, of_role
from handrail.registry.learnt_keys import LEARNT, key_hash
from handrail.registry.versions import Version, learnt_before
from handrail.training.dataset import period
from handrail.training.known_outcomes import DAY, due_before, known_on, today_of

TABLE = "looked_at"
WHOLE = "all"  # where rows have no time, they are one month of this name
FEWEST_DAYS = 7  # of a month, for its rows a day to say something


@dataclass(frozen=True)
class Month:
    """A month of rows, or what lies of it before or after the day from which on the live version knows none.

    new: whether it does not know them · rows: how many · days: of that many days, 0 where rows have no time ·
    outcomes: how many are known · overdue: how many are not, and should be · mean: of those known, None
    without any · error: its standard error, whole days or subjects taken as one · deviation: of one outcome
    part: whose rows these are, as "carrier UA", or all
    """

    name: str
    new: bool
    rows: int
    days: int
    outcomes: int
    overdue: int
    mean: float | None
    error: float
    deviation: float
    part: str = ""

    @property
    def source(self) -> str:
        """The FROM item of its rows."""
        return f"(SELECT * FROM {TABLE} WHERE month = {literal(self.name)} AND is_new = {self.new})"

    @property
    def daily(self) -> float:
        """The number of rows a day."""
        return self.rows / self.days if self.days else 0.0

    @property
    def known(self) -> float:
        """The share of rows whose outcome is known."""
        return self.outcomes / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class NewestRows:
    """What is known when `until` begins, in the temporary table TABLE: `is_new`, `is_known`, `month`.

    start: the first day of the rows that the live version does not know; None where chance has parted them
    """

    connection: Connection
    settings: Settings
    start: date | None
    until: date

    @property
    def source(self) -> str:
        """The FROM item of the new rows."""
        return f"(SELECT * FROM {TABLE} WHERE is_new)"

    @property
    def with_outcome(self) -> str:
        """The FROM item of those whose outcome is known."""
        return f"(SELECT * FROM {TABLE} WHERE is_new AND is_known)"

    @cached_property
    def count(self) -> int:
        """How many new rows have a known outcome."""
        return row(self.connection, f"SELECT count(*) AS n FROM {self.with_outcome}")["n"]

    @property
    def told(self) -> str:
        """Which rows these are, in words."""
        return (
            f"from {self.start} on and before {self.until}" if self.start else "that it has not learnt from"
        )

    @cached_property
    def first_day(self) -> date | None:
        """The day of the first row of all, None without a time."""
        if not self.settings.project.time:
            return None
        time = identifier(self.settings.project.time)
        return row(self.connection, f"SELECT CAST(min({time}) AS DATE) AS day FROM {TABLE}")["day"]

    @cached_property
    def _begins(self) -> date | None:
        """The first day of the new rows; of forecasts it lies as far ahead as they reach."""
        if not (self.start and self.settings.project.origin):
            return self.start
        time = identifier(self.settings.project.time or "")
        found = row(self.connection, f"SELECT CAST(min({time}) AS DATE) AS day FROM {self.source}")
        return found["day"] or self.start

    def months(self, column: str | None = None) -> list[Month]:
        """Return the months in order, those before the new rows first; of each value of `column`, its own."""
        project = self.settings.project
        target = f"CAST({identifier(project.target)} AS DOUBLE)"
        time, by = identifier(project.time or ""), f"CAST({identifier(column or '')} AS VARCHAR)"
        whose = identifier(project.subject) if project.subject else f"CAST({time} AS DATE)"
        alike = f"CAST({whose} AS VARCHAR)" if project.subject or project.time else "CAST(rowid AS VARCHAR)"
        due = f"{time} < TIMESTAMP '{due_before(self.settings, self.until)}'" if project.time else "FALSE"
        found = rows(
            self.connection,
            f"""
            WITH alike AS (SELECT month, is_new, {by if column else "''"} AS part, {alike} AS whose,
                count(*) AS rows, count_if({due} AND NOT is_known) AS overdue, count_if(is_known) AS n,
                coalesce(sum({target}) FILTER (is_known), 0) AS y,
                coalesce(sum({target} * {target}) FILTER (is_known), 0) AS yy FROM {TABLE} GROUP BY ALL)
            SELECT month, is_new, part, sum(rows) AS rows, sum(overdue) AS overdue, sum(n) AS n, sum(y) AS y,
                sum(yy) AS yy, sum(y * y) AS squares,
                CAST(sum(n * y) AS DOUBLE) AS products, CAST(sum(n * n) AS DOUBLE) AS counts
            FROM alike WHERE part IS NOT NULL GROUP BY ALL ORDER BY is_new, month, part
            """,
        )
        return [self._month(each, column) for each in found]

    def _month(self, sums: Mapping[str, Any], column: str | None) -> Month:
        n, y = float(sums["n"]), float(sums["y"])
        mean = y / n if n else 0.0
        apart = sums["squares"] - 2 * mean * sums["products"] + mean * mean * float(sums["counts"])
        return Month(
            name=sums["month"],
            new=sums["is_new"],
            rows=int(sums["rows"]),
            days=self._days(sums["month"], new=sums["is_new"]),
            outcomes=int(n),
            overdue=int(sums["overdue"]),
            mean=mean if n else None,
            error=max(apart, 0.0) ** 0.5 / n if n else 0.0,
            deviation=max(float(sums["yy"]) / n - mean * mean, 0.0) ** 0.5 if n else 0.0,
            part=f"{column} {sums['part']}" if column else "",
        )

    def _days(self, month: str, *, new: bool) -> int:
        """Return how many days of a month lie in the rows that are looked at."""
        if month == WHOLE:
            return 0
        first = date.fromisoformat(f"{month}-01")
        after = (first + timedelta(days=32)).replace(day=1)
        begins, ends = self.first_day or first, self.until
        if self.start:
            new_from = max(self._begins or begins, begins)
            begins, ends = (new_from, ends) if new else (begins, min(self.start, ends))
        return max((min(after, ends) - max(first, begins)).days, 0)


def newest_rows(
    connection: Connection, settings: Settings, table: str, live: Version, split: Split | Shares
) -> NewestRows:
    """Look at the rows of the FROM item `table` with what is known when `split` ends; now, if by chance."""
    project = settings.project
    until = split.live_from if isinstance(split, Split) else today_of(settings) + DAY
    start = _start(settings, live, split)
    month = f"strftime({identifier(project.time)}, '%Y-%m')" if project.time else f"'{WHOLE}'"
    before = period(project.contract, None, until) if project.time else "TRUE"
    if isinstance(split, Split):
        known = known_on(connection, settings, table, until)
    else:
        known = f"{identifier(project.target)} IS NOT NULL"
    columns = {project.key, project.target, *filter(None, (project.time, project.subject, project.origin))}
    columns |= {each.name for each in of_role(project.contract, Role.FEATURE, Role.KNOWN)}
    columns |= {each.name for each in of_role(project.contract, *Role) if each.sliced}
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {TABLE} AS SELECT {', '.join(map(identifier, sorted(columns)))}, "
        f"{_is_new(settings, live, start)} AS is_new, coalesce({known}, FALSE) AS is_known, "
        f"{month} AS month FROM {table} AS t WHERE {before}"
    )
    return NewestRows(connection, settings, start, until)


def _start(settings: Settings, live: Version, split: Split | Shares) -> date | None:
    """Return from which day on the live version knows no row; None where its keys tell."""
    if (live.path / LEARNT).is_file():
        return None
    return learnt_before(settings, live) if settings.project.time else None


def _is_new(settings: Settings, live: Version, start: date | None) -> str:
    """Return the SQL condition for rows that the live version does not know."""
    if start:
        return period(settings.project.contract, start, None, settings.project.made)
    if not (live.path / LEARNT).is_file():
        return "FALSE"  # nothing tells
    learnt = f"(SELECT key_hash FROM {parquet(live.path / LEARNT)})"
    return f"({key_hash(settings.project, 't')} NOT IN {learnt})"
