"""The business KPIs over time against their goals: how each is computed stands in the project's kpis.sql.

There, each is a view with the name that it has in project.yaml: a row for each day, week or month, with the
day on which that begins, and the figure as `value`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from math import isfinite

from handrail.compute.duckdb import Connection, EngineError, column_types, identifier, reason
from handrail.config.sections import Kpi
from handrail.config.settings import Settings
from handrail.dashboard.tables import remembered, tables
from handrail.errors import ProjectError
from handrail.training.known_outcomes import DAY, today_of

BORROWED = (
    "the KPIs are the worked example's, not of your data; write your own into project.yaml and kpis.sql"
)
VALUE, SHARE = "value", "share"
MOST_POINTS = 5000
LENGTHS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}  # days; a month begins on a first
COMMENTS = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
CREATED = re.compile(r'CREATE\s+VIEW\s+(?:"([^"]+)"|(\w+))\s+AS\b', re.IGNORECASE)
ENDED = re.compile(r";[ \t]*(?:--[^\n]*)?$", re.MULTILINE)


Point = tuple[date, float]  # the day on which a period begins, and its figure
COLOURS = {True: "green", False: "red", None: "gray"}  # by whether the goal is met, as Streamlit calls them


@dataclass(frozen=True)
class KpiOverTime:
    """A KPI and its figures in order.

    period: what each is of, as the query calls it, such as week · newest: the last one whose period is over,
    or else the last; None where there is none · problem: why there is none, and what to do; empty else
    """

    kpi: Kpi
    points: tuple[Point, ...] = ()
    period: str = ""
    newest: Point | None = None
    problem: str = ""

    @property
    def shown(self) -> str:
        """The newest figure, as people read it."""
        return amount(self.newest[1], self.kpi.unit) if self.newest else "-"

    @property
    def when(self) -> str:
        """Which period the newest figure is of."""
        return f"{self.period} from {self.newest[0]}" if self.newest else ""

    @property
    def goal(self) -> str:
        """The goal, in words."""
        words = {True: "goal met", False: "goal missed", None: "goal"}[self.met]
        for said, end in zip(("at least", "at most"), self.ends, strict=True):
            if end is not None:
                return f"{words}: {said} {amount(end, self.kpi.unit)}"
        return "no goal is agreed: at_least or at_most says it, in project.yaml under decision.kpis"

    @property
    def met(self) -> bool | None:
        """Whether the newest figure reaches the goal; None where one of the two is not known."""
        return self.kpi.met(self.newest[1]) if self.newest else None

    @property
    def colour(self) -> str:
        """The colour of the goal: whether it is met."""
        return COLOURS[self.met]

    @property
    def ends(self) -> tuple[float | None, float | None]:
        """Between which ends figures should be."""
        return self.kpi.at_least, self.kpi.at_most


@dataclass(frozen=True)
class Kpis:
    """The KPIs of project.yaml in their order; notes: what is wrong beside them."""

    kpis: tuple[KpiOverTime, ...]
    notes: tuple[str, ...] = ()


def amount(value: float, unit: str) -> str:
    """Return a figure as people read it: a share in percent, others with their unit."""
    if unit == SHARE:
        return f"{value:.1%}"
    whole = abs(value) >= 100 or value == round(value)
    number = f"{value:,.0f}" if whole else f"{value:.3g}"
    return f"{number} {unit}".strip()


@remembered
def read_kpis(settings: Settings) -> Kpis:
    """Return every KPI with its figures over time; one whose query fails says so, and the others are there.

    Raises ProjectError where nothing was predicted yet, or kpis.sql is missing.
    """
    file, asked = f"src/{settings.project.package}/dashboard/kpis.sql", settings.decision.kpis
    today, text = today_of(settings), settings.project.kpi_queries
    with tables(settings) as connection:
        found: dict[str, str] = {}
        notes = [BORROWED] if settings.borrowed else []
        notes += [f"{file}: {each}" for each in _create(connection, text, found)]
        names = {kpi.name for kpi in asked}
        notes += [
            f"{file}: {name} is no KPI of project.yaml; give one under decision.kpis that name, or take the "
            "query out"
            for name in found
            if name not in names
        ]
        return Kpis(tuple(_over_time(connection, kpi, found, file, today) for kpi in asked), tuple(notes))


def _create(connection: Connection, text: str, found: dict[str, str]) -> Iterator[str]:
    """Make each view of the text, and put its name with what is wrong with it into `found`.

    Yields what is wrong with the rest. Nothing but views is made: whatever else stands there is not run.
    """
    for number, statement in enumerate(_statements(connection, text), start=1):
        body = COMMENTS.sub("", statement, count=1)
        created = CREATED.match(body)
        if created is None:
            yield f"statement {number} is no CREATE VIEW name AS SELECT ..., and is not run; write it as one"
            continue
        name = created[1] or created[2]
        found[name] = f"{name} is there twice; take one out" if name in found else _made(connection, body)


def _statements(connection: Connection, text: str) -> list[str]:
    """Return the statements of a text; where one can't be read, those between semicolons at ends of lines."""
    try:
        return [each.query for each in connection.extract_statements(text)]
    except EngineError:
        return [each for each in ENDED.split(text) if COMMENTS.sub("", each, count=1).strip()]


def _made(connection: Connection, statement: str) -> str:
    try:
        if len(connection.extract_statements(statement)) != 1:
            return "holds several statements; end each with a semicolon at the end of its line"
        connection.execute(statement)
    except EngineError as error:
        return f"{reason(error)}; mend the query"
    return ""


def _over_time(
    connection: Connection, kpi: Kpi, found: dict[str, str], file: str, today: date
) -> KpiOverTime:
    if not kpi.name:
        return KpiOverTime(
            kpi, problem=f"it has no name in project.yaml; give it one, and {file} a query of it"
        )
    if kpi.name not in found:
        advice = f"CREATE VIEW {kpi.name} AS SELECT ... AS week, ... AS {VALUE} FROM predictions GROUP BY 1;"
        return KpiOverTime(kpi, problem=f"{file} has no query {kpi.name}; write one: {advice}")
    try:
        if found[kpi.name]:
            raise ProjectError(found[kpi.name])
        period, points = _points(connection, kpi.name)
    except EngineError as error:
        return KpiOverTime(kpi, problem=f"{file}: {kpi.name}: {reason(error)}; mend the query")
    except ProjectError as error:
        return KpiOverTime(kpi, problem=f"{file}: {kpi.name}: {error}")
    if not points:
        return KpiOverTime(kpi, problem="no figure yet: no outcome that its query asks for is known")
    over = [point for point in points if _end(point[0], period) <= today + DAY]
    return KpiOverTime(kpi, tuple(points), period, (over or points)[-1])


def _points(connection: Connection, name: str) -> tuple[str, list[Point]]:
    """Return what the periods of a view are called, and its figures in order.

    Raises ProjectError where its columns are others, or two rows are of one period.
    """
    types = column_types(connection, identifier(name))
    days = [column for column, kind in types.items() if kind == "DATE" or kind.startswith("TIMESTAMP")]
    if VALUE not in types or len(days) != 1:
        raise ProjectError(
            f"gives {', '.join(types)}; it has to give one day, as week, and one number, as {VALUE}"
        )
    day = identifier(days[0])
    result = connection.execute(
        f"SELECT CAST({day} AS DATE), CAST({VALUE} AS DOUBLE) FROM {identifier(name)} "
        f"WHERE {day} IS NOT NULL AND {VALUE} IS NOT NULL ORDER BY 1 LIMIT {MOST_POINTS + 1}"
    )
    points = [(day, value) for day, value in result.fetchall() if isfinite(value)]
    if len(points) > MOST_POINTS or len({point[0] for point in points}) < len(points):
        raise ProjectError(f"gives several rows of one {days[0]}; group them, as by GROUP BY {days[0]}")
    return days[0], points


def _end(day: date, period: str) -> date:
    """Return the first day after a period; one of a length that nobody knows is a day."""
    days = LENGTHS.get(period, 1)
    after = day + timedelta(days=days)
    return after.replace(day=1) if days >= LENGTHS["month"] else after
