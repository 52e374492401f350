"""What a fault is: when it begins, when it is told again, and when it is over.

A fault is known again by what is wrong, never by how wrong it is; but a figure that is too high now is not
the fault that it was when it was too low. Nothing here touches a file or the network.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from handrail.moments import moment
from handrail.monitoring.checks import Reading
from handrail.monitoring.monitoring_run import MonitoringRun
from handrail.registry.live import Live

Kind = Literal["reading", "canary", "check", "baseline", "doubt", "monitor"]
State = Literal["firing", "reminder", "over"]
Key = tuple[str, str, str, str]
LONGEST = 400  # letters of a line: names and texts of one's own checks are as long as somebody makes them
BASELINE = "baseline against model"
LESS = {"warning": "a warning now", "alert": "beyond the other end now"}
CHECKS_FILE = "monitor/checks.py: "  # what the line of a check that failed begins with


class Wrong(BaseModel):
    """Something that a look found wrong, by what it is known again, and how it is told.

    of: what else keeps two of one name apart, such as the version of a canary · value, low, high: the figure
    and its range, None where there is none
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    name: str
    of: str = ""
    text: str
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def side(self) -> Literal["", "low", "high"]:
        """On which side of its range the figure is; "" where it is on none."""
        if self.value is None:
            return ""
        if self.low is not None and self.value < self.low:
            return "low"
        return "high" if self.high is not None and self.value > self.high else ""

    @property
    def key(self) -> Key:
        """What a fault is known again by."""
        return self.kind, self.name, self.of, self.side


class Fault(BaseModel):
    """A fault that is open: what was wrong when it was last seen, since when, and when it was last told."""

    model_config = ConfigDict(frozen=True)

    wrong: Wrong
    since: AwareDatetime
    told: AwareDatetime
    runbook: str = ""

    @property
    def id(self) -> str:
        """The same in everything that is told of this fault, and in nothing that is told of another."""
        known = (self.wrong.kind, self.wrong.name, self.wrong.of, self.since.isoformat())
        return sha256("\n".join(known).encode()).hexdigest()[:16]


class Event(BaseModel):
    """One thing that is told of one fault."""

    model_config = ConfigDict(frozen=True)

    state: State
    fault: Fault
    text: str


@dataclass(frozen=True)
class Ended:
    """How a fault is over, in words, and the figure and its range by which it is; None where it has none."""

    text: str
    value: float | None = None
    low: float | None = None
    high: float | None = None


Verdict = Callable[[Fault], Ended | None]


def follow(
    faults: Sequence[Fault], found: Sequence[Wrong], verdict: Verdict, now: datetime, pause: timedelta
) -> tuple[tuple[Fault, ...], tuple[Event, ...]]:
    """Return the faults that are open after a look, and what is to be told of it: what is new comes first.

    found: what the look found wrong · verdict: how a fault is over, None where the look can't tell · pause:
    how long an open fault isn't told again
    """
    there = {each.key: each for each in found}
    known = {fault.wrong.key for fault in faults}
    begun = [Fault(wrong=each, since=now, told=now) for key, each in there.items() if key not in known]
    events = [Event(state="firing", fault=fault, text=fault.wrong.text) for fault in begun]
    kept = []
    for fault in faults:
        wrong = there.get(fault.wrong.key)
        ended = None if wrong else verdict(fault)
        if ended is not None:
            text = one_line(f"over after {duration(now - fault.since)}: {ended.text}")
            figures = {"value": ended.value, "low": ended.low, "high": ended.high}
            last = fault.wrong.model_copy(update=figures)
            events.append(Event(state="over", fault=fault.model_copy(update={"wrong": last}), text=text))
            continue
        seen = fault.model_copy(update={"wrong": wrong or fault.wrong})
        if now - fault.told >= pause:
            seen = seen.model_copy(update={"told": now})
            events.append(Event(state="reminder", fault=seen, text=_again(seen, there)))
        kept.append(seen)
    order = ("firing", "reminder", "over")
    return (*kept, *begun), tuple(sorted(events, key=lambda event: order.index(event.state)))


def _again(fault: Fault, there: Iterable[Key]) -> str:
    """Return how a fault is told once more."""
    since = f"since {moment(fault.since)}"
    if fault.wrong.key in there:
        return one_line(f"{fault.wrong.text}; {since}")
    return one_line(
        f"{fault.wrong.name}: open {since}, and not known at this look; `alert --close` ends what is watched "
        "no more"
    )


def found_wrong(seen: MonitoringRun, live: Live | None, canary_name: str) -> list[Wrong]:
    """Return what a look found wrong: readings, checks that failed, and a baseline that answers or might.

    canary_name: of the reading that decides on the canary, which is another fault for each version tried
    """
    found = [_of_reading(seen, reading, canary_name) for reading in seen.alerts]
    better = seen.baseline_better and live is not None and live.versions[-1] == seen.version
    told = f"{seen.start} to {seen.end}: the baseline did better than {seen.version}"
    if better and seen.doubts:
        text = f"{told}, by outcomes that are in doubt: nothing is switched; {seen.doubts[0]}"
        found.append(Wrong(kind="doubt", name="outcomes in doubt", text=one_line(text)))
    if better and not seen.doubts:
        text = f"{told}; the fallback answers"
        found.append(Wrong(kind="baseline", name=BASELINE, text=one_line(text)))
    elif live is not None and live.mode == "fallback":
        found.append(Wrong(kind="baseline", name=BASELINE, text=one_line(still_fallback(live))))
    # What the exception said stays on the machine: it may hold a value of somebody's data.
    found += [
        Wrong(
            kind="check",
            name=name,
            text=f"the check {name} could not be run; what `monitor` printed says why",
        )
        for name in failed_checks(seen)
    ]
    return found


def still_fallback(live: Live) -> str:
    """Say that the fallback answers though this look does not say that it should, and how to end that."""
    name = live.versions[-1]
    return (
        f"the fallback still answers ({live.reason}); where what was wrong is mended, `promote {name}` lets "
        "the model answer again"
    )


def _of_reading(seen: MonitoringRun, reading: Reading, canary_name: str) -> Wrong:
    name, canary = one_line(reading.name), seen.canary if reading.name == canary_name else None
    told = one_line(f"{seen.start} to {seen.end}: {reading.told}")
    kind: Kind = "canary" if canary else "reading"
    figures = reading.plain
    if reading.alert_above is not None:
        figures["high"] = reading.alert_above  # up to which nobody is told
    return Wrong(kind=kind, name=name, of=canary or "", text=told, **figures)


def failed_checks(seen: MonitoringRun) -> list[str]:
    """Return the names of the checks that could not be run."""
    names = [problem.removeprefix(CHECKS_FILE).partition(": ")[0] for problem in seen.problems]
    return [one_line(name) for name in dict.fromkeys(names)]


def verdict_of(seen: MonitoringRun, live: Live | None) -> Verdict:
    """Return what a look says of a fault that it did not find: how it is over, or None if it can't tell.

    A reading that is unknown or not there ends nothing; one that is a warning now, or beyond the other end of
    its range, does. One that is there for a whole group, as `missing values` is for `missing values of temp`,
    tells of each of them.
    """
    readings = {one_line(reading.name): reading for reading in seen.readings}
    failed = failed_checks(seen)
    back = live is not None and live.mode == "model" and not seen.baseline_better
    others: dict[Kind, str | None] = {
        "monitor": "`monitor` looks again",
        "baseline": "the model answers" if back else None,
        "doubt": None if seen.doubts else "nothing speaks for the fallback, or nothing against the outcomes",
    }

    def verdict(fault: Fault) -> Ended | None:
        kind, name = fault.wrong.kind, fault.wrong.name
        if kind == "check":
            return None if name in failed else Ended(f"the check {name} runs again")
        if kind == "canary" and seen.canary != fault.wrong.of:
            return Ended(f"{fault.wrong.of} is not tried any more")
        if kind in others:
            said = others[kind]
            return Ended(said) if said else None
        group = (key for key in readings if name.startswith(f"{key} of "))
        reading = readings.get(name)
        if reading is None:
            reading = readings.get(max(group, key=len, default=""))
            done = reading is not None and reading.state == "ok"
            return Ended(f"{name}: {reading.told}", **reading.plain) if reading and done else None
        if reading.state == "unknown":
            return None
        now = "" if reading.state == "ok" else f"; {LESS[reading.state]}"
        return Ended(f"{reading.told}{now}", **reading.plain)

    return verdict


def one_line(text: str) -> str:
    """Return a text without line breaks, control and invisible characters, and not longer than LONGEST.

    Names of readings may come from data, and end up in terminals, logs, chats and headers of mails.
    """
    plain = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text)
    plain = " ".join(plain.split())
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"


def duration(lasted: timedelta) -> str:
    """Return how long something lasted, in the largest unit of which there are at least two."""
    seconds = max(0.0, lasted.total_seconds())
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return "a minute"


def this_moment() -> datetime:
    """Return the present moment in UTC, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
