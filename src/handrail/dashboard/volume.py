"""How much was predicted, by whom, and how much of it is acted on."""

from dataclasses import dataclass
from datetime import date

from handrail.compute.duckdb import identifier, rows
from handrail.config.sections import AmountWords, CaseWords, Words
from handrail.config.settings import Settings
from handrail.dashboard.kpis import SHARE
from handrail.dashboard.tables import engine, remembered
from handrail.monitoring.outcomes import all_predictions


@dataclass(frozen=True)
class Day:
    """The predictions of a day by one version.

    source: model or fallback · acted: what was told beside them, on average; None where nothing was
    """

    day: date
    version: str
    source: str
    rows: int
    acted: float | None

    @property
    def by(self) -> str:
        """Who predicted."""
        return self.version if self.source == "model" else f"{self.version}, {self.source}"


@dataclass(frozen=True)
class Volume:
    """The predictions by day; acted, unit: what `Day.acted` is, in words, and its unit."""

    days: tuple[Day, ...]
    acted: str
    unit: str

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(day.rows for day in self.days)

    @property
    def told(self) -> str:
        """How many there are, of which days and by whom, in a sentence."""
        if not self.days:
            return "no prediction yet"
        by: dict[str, int] = {}
        for each in self.days:
            by[each.by] = by.get(each.by, 0) + each.rows
        parts = ", ".join(f"{rows:,} by {name}" for name, rows in by.items())
        noun = "prediction" if self.rows == 1 else "predictions"
        return f"{self.rows:,} {noun} of {self.days[0].day} to {self.days[-1].day}: {parts}"

    @property
    def by_day(self) -> list[tuple[date, str, float]]:
        """How many there are by day, and by whom."""
        return [(each.day, each.by, each.rows) for each in self.days]

    @property
    def acted_by_day(self) -> list[tuple[date, float]]:
        """Return how much of each day was acted on, whoever predicted."""
        known: dict[date, list[Day]] = {}
        for each in self.days:
            if each.acted is not None:
                known.setdefault(each.day, []).append(each)
        return [
            (day, sum(each.rows * (each.acted or 0.0) for each in parts) / sum(each.rows for each in parts))
            for day, parts in known.items()
        ]


@remembered
def read_volume(settings: Settings) -> Volume:
    """Return every answer that was given, live or archived, by the day of the row that it is of.

    Rows without a time count on the day on which they were predicted. Raises ProjectError without any.
    """
    project = settings.project
    told = next(iter(project.task.told), "prediction")
    with engine(settings) as connection:
        found = rows(
            connection,
            f"SELECT CAST({identifier(project.window)} AS DATE) AS day, version, source, count(*) AS rows, "
            f"avg(CAST({identifier(told)} AS DOUBLE)) AS acted "
            f"FROM ({all_predictions(settings, archived=True)}) "
            f"WHERE {identifier(project.window)} IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        )
    return Volume(tuple(Day(**each) for each in found), *_acted(settings))


def _acted(settings: Settings) -> tuple[str, str]:
    """Return what is told beside a prediction, in words, and its unit."""
    words = settings.section(Words)
    if isinstance(words, CaseWords):
        return f"share of {words.rows} with a {words.action}", SHARE
    return "planned, on average", words.counted if isinstance(words, AmountWords) else ""
