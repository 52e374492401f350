"""Every reading of every look, as a row of a time series: `reports/monitoring/series.ndjson`."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from math import inf
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from handrail.config.settings import Settings
from handrail.monitoring.checks import State, told_range, told_value
from handrail.monitoring.monitoring_run import MonitoringRun

Kind = Literal["latest", "back", "relived"]


@dataclass(frozen=True)
class SeriesRow:
    """A reading of a look.

    at: when it was looked · start, end: the window, its first day and the first after its last · version: the
    one that was measured · rows, outcomes: how many predictions the window had, and known outcomes
    figure, value, low, high, state, why: the reading; what is not known, or has no end, is None
    of: whether it was a look at the latest predictions, one back, or at a month that was lived again
    """

    at: datetime
    start: date
    end: date
    version: str
    rows: int
    outcomes: int
    figure: str
    value: float | None
    low: float | None
    high: float | None
    state: State
    why: str
    of: Kind

    @property
    def shown(self) -> str:
        """The value as people read it."""
        return "not known" if self.value is None else told_value(self.figure, self.value)

    @property
    def expected(self) -> str:
        """The range as people read it; empty where it has no end."""
        return told_range(-inf if self.low is None else self.low, inf if self.high is None else self.high)


@dataclass(frozen=True)
class Series:
    """All rows, in the order in which they were kept; broken: the numbers of the lines that can't be read."""

    rows: tuple[SeriesRow, ...]
    broken: tuple[int, ...] = ()


ROW = TypeAdapter(SeriesRow)


def series_path(settings: Settings) -> Path:
    """Return the file of the time series."""
    return settings.workspace / "reports" / "monitoring" / "series.ndjson"


def keep_series(settings: Settings, seen: MonitoringRun, at: datetime, *, relived: bool = False) -> None:
    """Add a row for each reading of a look that was taken `at` that time."""
    kind: Kind = "relived" if relived else "latest" if seen.newest else "back"
    look = (at, seen.start, seen.end, seen.version, seen.rows, seen.outcomes)
    found = [SeriesRow(*look, r.name, **r.plain, state=r.state, why=r.why, of=kind) for r in seen.readings]
    path = series_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:  # in one piece, after whatever else is added meanwhile
        file.write("".join(f"{json.dumps(asdict(each), default=str)}\n" for each in found).encode())


def read_series(settings: Settings) -> Series:
    """Return the whole series; a last line that is only half there may be in the making, and is no fault."""
    path = series_path(settings)
    content = path.read_bytes() if path.is_file() else b""
    found, broken = [], []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            found.append(ROW.validate_json(line))
        except ValidationError:
            broken.append(number)
    if broken and not content.endswith(b"\n"):
        broken.remove(content.count(b"\n") + 1)
    return Series(tuple(found), tuple(broken))


def newest_rows(rows: Iterable[SeriesRow]) -> list[SeriesRow]:
    """Return the last row of each figure and window, by figure and time, without looks back.

    What was seen when it happened counts more than what was seen when it was lived again. A look back is at a
    window that somebody chose: it is kept, and no point of what happened over time.
    """
    found: dict[tuple[str, date, date], SeriesRow] = {}
    for each in rows:
        key = (each.figure, each.end, each.start)
        if each.of == "latest" or (each.of == "relived" and (key not in found or found[key].of == "relived")):
            found[key] = each
    return sorted(found.values(), key=lambda each: (each.figure, each.end, each.start))


def newest_row(rows: Iterable[SeriesRow]) -> SeriesRow:
    """Return the row of the last look at the latest predictions; without any, of the last lived again."""
    return max(rows, key=lambda each: (each.of == "latest", each.at, each.end))
