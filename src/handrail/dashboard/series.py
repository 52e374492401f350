"""What monitoring has read so far: each figure of each look, with the range in which it was expected."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import nan
from pathlib import Path
from typing import Any

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.monitoring.checks import Reading
from handrail.stages.gates import command

LATEST, BACK, RELIVED = "latest", "back", "relived"
FILE = "series.ndjson"


@dataclass(frozen=True)
class Figure:
    """A reading: a figure of a window, and what followed.

    at: of the look · start, end: the window (end: the first day after it) · version: whose predictions ·
    rows, outcomes: of how many, with how many outcomes known · value, low, high: None where not known, or
    without an end · state: ok, warning, alert or unknown · why: why it is not known · of: latest, back, or
    relived
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
    state: str
    why: str
    of: str

    @property
    def shown(self) -> str:
        """The figure as people read it, as that of `Reading`."""
        if self.value is None:
            return "not known"
        return Reading(self.figure, self.value, nan, nan, "ok").shown


@dataclass(frozen=True)
class Series:
    """The newest reading of each figure and window, by window and in their order; notes: what is broken."""

    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()


def read_series(settings: Settings) -> Series:
    """Return what monitoring has read; a project that has no series yet has the records of its looks.

    Raises ProjectError where there is neither.
    """
    folder = settings.workspace / "reports" / "monitoring"
    path = folder / FILE
    broken: list[str] = []
    found = list(_lines(path, broken) if path.is_file() else _records(folder, broken))
    if not found and not broken:
        raise ProjectError(f"no look at the predictions yet; `{command(settings, 'monitor')}` is the first")
    newest: dict[tuple[str, date, date], Figure] = {}
    for each in found:
        before = newest.get((each.figure, each.start, each.end))
        # What was seen when it happened counts more than what was seen when it was lived again.
        if before is None or (before.of != RELIVED, before.at) <= (each.of != RELIVED, each.at):
            newest[each.figure, each.start, each.end] = each
    notes = tuple(f"{settings.shown(folder)}/{each} can't be read, and is left out" for each in broken)
    return Series(tuple(sorted(newest.values(), key=lambda each: (each.end, each.start))), notes)


def _lines(path: Path, broken: list[str]) -> Iterator[Figure]:
    lines = path.read_bytes().splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            yield _figure(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            if number < len(lines) or path.read_bytes().endswith(b"\n"):  # else it is being written just now
                broken.append(f"{path.name}, line {number}")


def _records(folder: Path, broken: list[str]) -> Iterator[Figure]:
    """Yield the readings of the records of looks; a figure's range there is that of its reading."""
    for path in sorted(folder.glob("*.json")):
        try:
            look = json.loads(path.read_bytes())
            whole = {"at": look.get("at") or f"{look['end']}T00:00:00+00:00", "of": _kind(look)}
            common = {name: look[name] for name in ("start", "end", "version", "rows", "outcomes")} | whole
            yield from [_figure(common | each | {"figure": each["name"]}) for each in look["readings"]]
        except (ValueError, KeyError, TypeError, AttributeError):
            broken.append(path.name)


def _kind(look: Mapping[str, Any]) -> str:
    return RELIVED if look.get("relived") else LATEST if look.get("newest") else BACK


def _figure(said: Mapping[str, Any]) -> Figure:
    """Return a reading as it was written; whatever else stands there is left alone."""
    value, low, high = (
        None if said.get(name) is None else float(said[name]) for name in ("value", "low", "high")
    )
    return Figure(
        at=moment(said["at"]),
        start=date.fromisoformat(said["start"]),
        end=date.fromisoformat(said["end"]),
        version=str(said["version"]),
        rows=int(said["rows"]),
        outcomes=int(said["outcomes"]),
        figure=str(said["figure"]),
        value=value,
        low=low,
        high=high,
        state=str(said["state"]),
        why=str(said.get("why") or ""),
        of=str(said["of"]),
    )


def moment(text: str) -> datetime:
    """Return a moment as it was written; one that says no zone is UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
