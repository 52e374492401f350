"""What was live, or tried, and when: the lines of `models/history.jsonl`, of which each change adds one."""

from dataclasses import dataclass, fields
from pathlib import Path

from handrail.config.settings import Settings
from handrail.files import json_lines
from handrail.registry.versions import model_folder


@dataclass(frozen=True)
class Event:
    """What was so from a moment on: `at` in UTC; which version was live, and which a canary, if any."""

    at: str
    live: str
    stage: str
    mode: str = "model"
    reason: str = ""
    canary: str | None = None
    share: float | None = None


@dataclass(frozen=True)
class Withdrawn:
    """A version that was tried as a canary, or was live, and was taken back: when (UTC), and why."""

    name: str
    at: str
    reason: str
    was_live: bool

    @property
    def told(self) -> str:
        """The same in words."""
        before = "was live and was rolled back" if self.was_live else "was tried as a canary and withdrawn"
        return f"{self.name} {before} on {self.at[:10]} ({self.reason})"


def history_path(settings: Settings) -> Path:
    """Return the file of the history."""
    return model_folder(settings) / "history.jsonl"


def read_history(settings: Settings) -> list[Event]:
    """Return every change in order, of whichever machine; a line that a kill has cut off says nothing."""
    known, found = {each.name for each in fields(Event)}, []
    for said in json_lines(history_path(settings)):
        try:
            found.append(Event(**{name: value for name, value in said.items() if name in known}))
        except (AttributeError, TypeError):  # no event, or half of one
            continue
    return found


def tried_since(settings: Settings, name: str) -> str | None:
    """Return the moment since which version `name` is the canary; None where the history does not say."""
    since = None
    for event in reversed(read_history(settings)):
        if event.canary != name:
            break
        since = event.at
    return since


def last_promoted(settings: Settings) -> str:
    """Return the moment of the last promotion; "" where the history does not say."""
    return max((each.at for each in read_history(settings) if each.reason == "promoted"), default="")


def withdrawn(settings: Settings) -> list[Withdrawn]:
    """Return the versions that were taken back, in order; not those that are tried, or were live, since.

    A canary that went as the fallback took over was not judged, and is none of them.
    """
    found: dict[str, Withdrawn] = {}
    before: Event | None = None
    for event in read_history(settings):
        for name in (event.live, event.canary):
            found.pop(name or "", None)
        if before and event.live != before.live and event.reason == "rolled back":
            found[before.live] = Withdrawn(before.live, event.at, event.reason, was_live=True)
        elif (
            before
            and before.canary
            and (event.live, event.canary, event.mode) == (before.live, None, "model")
        ):
            found[before.canary] = Withdrawn(before.canary, event.at, event.reason, was_live=False)
        before = event
    return list(found.values())
