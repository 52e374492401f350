"""Tells people: a line in the alert log, and a message to each channel when a fault begins, lasts or is over.

A look back, or one that lives the past again, is logged, and neither begins a fault nor ends one.
"""

import json
import re
import secrets
from collections import deque
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

from handrail.config.sections import Alerts
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.files import write_whole
from handrail.monitoring.channels import channels
from handrail.monitoring.checks import canary_reading
from handrail.monitoring.faults import (
    Event,
    Fault,
    Key,
    State,
    Verdict,
    Wrong,
    duration,
    follow,
    found_wrong,
    one_line,
    this_moment,
    verdict_of,
)
from handrail.monitoring.monitoring_run import MonitoringRun
from handrail.monitoring.open_alerts import OpenAlerts, Waiting, change_open_alerts, read_open_alerts
from handrail.monitoring.outbox import delivered_or_kept
from handrail.registry.live import read_live
from handrail.stages.git import web_address

JOURNAL = "reports/alerts.jsonl"
JOURNAL_LINES = 10_000  # the newest of which are kept
RUNBOOK = "4-operation/runbook.md"
Past = Literal["back", "relived"]
LOOKED = ("reading", "canary", "doubt")  # what a look at the past finds, too
SECTIONS = {  # of the runbook, for what is no reading
    "canary": "the accuracy of the canary",
    "baseline": "the baseline did better",
    "doubt": "outcomes in doubt",
    "check": "a check could not be run",
    "monitor": "monitor could not look",
}


class Told(NamedTuple):
    """What a look has told, a line each: for who looks on.

    alerts: each alert of the look, whether or not it was told before · over: each fault that has ended ·
    closed: each that was closed by hand, and is still so · undelivered: each channel that took not all that
    it should
    """

    alerts: tuple[str, ...]
    over: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    undelivered: tuple[str, ...] = ()


def raise_alerts(
    settings: Settings, seen: MonitoringRun, *, past: Past | None = None, dry_run: bool = False
) -> Told:
    """Log what `seen` found wrong, tell whom the environment names, and return the lines for who looks on.

    `past`: what kind of look at the past it is, which is logged and no more. `dry_run`: the lines are
    returned, and nothing else is done.
    """
    live = read_live(settings)
    found = found_wrong(seen, live, canary_reading(settings))
    if past:
        lines = tuple(wrong.text for wrong in found if wrong.kind in LOOKED)
        if lines and not dry_run:
            _log_past(settings, seen.version, lines, past)
        return Told(lines)
    verdict = verdict_of(seen, live)
    if dry_run:
        after = _followed(settings, read_open_alerts(settings), found, verdict, this_moment())
    else:
        after = _follow(settings, seen.version, found, verdict, seen.metrics)
    quiet = after.quiet
    shown = [wrong for wrong in found if wrong.kind != "check"]  # its exception is shown on the machine
    lines = tuple(wrong.text for wrong in shown if wrong.key not in quiet)
    closed = tuple(wrong.text for wrong in shown if wrong.key in quiet)
    over = tuple(event.text for event in after.told if event.state == "over")
    return Told(lines, over, closed, () if dry_run else tuple(delivered_or_kept(settings)))


@contextmanager
def failure_told(settings: Settings, *, look_back: bool) -> Generator[None]:
    """Tell whom the environment names where `monitor` itself can't look; what was raised is raised on.

    `look_back`: whether it is a look at the past, of which nobody is told.
    """
    try:
        yield
    except Exception:
        if not look_back:
            with suppress(ProjectError, OSError):  # what was raised says more
                raise_failure(settings)
        raise


def raise_failure(settings: Settings) -> list[str]:
    """Tell that `monitor` could not look, as a fault of its own: whatever else is wrong, nobody sees it."""
    text = "`monitor` could not look at what is live; what it printed says why"
    wrong = Wrong(kind="monitor", name="monitor", text=text)
    _follow(settings, None, [wrong], lambda fault: None)
    return delivered_or_kept(settings)


def close_fault(settings: Settings, name: str) -> list[str]:
    """End the open faults of a name by hand, and tell that; each begins anew only when it was over meanwhile.

    Such as one that is watched no more, or an outage that is mended and still in the window.
    Raises ProjectError, naming what is open, where none has it.
    """
    closed: list[str] = []

    def change(state: OpenAlerts) -> OpenAlerts:
        now = this_moment()
        chosen = [fault for fault in state.faults if fault.wrong.name == name]
        if not chosen:
            listed = ", ".join(fault.wrong.name for fault in state.faults) or "none"
            raise ProjectError(f"--close {name}: no such fault is open; open are: {listed}")
        texts = [one_line(f"closed by hand after {duration(now - f.since)}: {f.wrong.name}") for f in chosen]
        events = [Event(state="over", fault=f, text=text) for f, text in zip(chosen, texts, strict=True)]
        closed[:] = texts
        _journal(settings, now, None, [], over=texts)
        faults = tuple(fault for fault in state.faults if fault not in chosen)
        quiet = (*(fault for fault in state.closed if fault.wrong.name != name), *chosen)
        outbox = _added(settings, state.outbox, events, now, None)
        return OpenAlerts(faults=faults, closed=quiet, outbox=outbox)

    change_open_alerts(settings, change)
    return closed


def test_message(settings: Settings) -> dict[str, Any]:
    """Return a message that tells of no fault, only that a message comes through."""
    return _message(settings, [], this_moment(), None) | {
        "state": "test",
        "text": "A test: nothing is wrong. Alerts come this way.",
    }


class _Followed(NamedTuple):
    """The faults that are open after a look, those closed by hand and still so, and what is to be told."""

    faults: tuple[Fault, ...]
    closed: tuple[Fault, ...]
    told: tuple[Event, ...]

    @property
    def quiet(self) -> set[Key]:
        """By what is known again what was closed by hand, and is still so."""
        return {each.wrong.key for each in self.closed}


def _followed(
    settings: Settings, state: OpenAlerts, found: Sequence[Wrong], verdict: Verdict, now: datetime
) -> _Followed:
    pause = timedelta(hours=settings.section(Alerts).remind_after_hours)
    known = {wrong.key for wrong in found}
    closed = tuple(each for each in state.closed if each.wrong.key in known or verdict(each) is None)
    quiet = {each.wrong.key for each in closed}
    new = [wrong for wrong in found if wrong.key not in quiet]
    faults, told = follow(state.faults, new, verdict, now, pause)
    return _Followed(faults, closed, told)


def _follow(
    settings: Settings,
    version: str | None,
    found: Sequence[Wrong],
    verdict: Verdict,
    metrics: Collection[str] = (),
) -> _Followed:
    """Keep what is open after a look, log it, put what is to be told into the outbox, and return that."""
    after = _Followed((), (), ())

    def change(state: OpenAlerts) -> OpenAlerts:
        nonlocal after
        now = this_moment()
        after = _followed(settings, state, found, verdict, now)
        faults, closed, told = after
        places = {f.wrong.key: runbook_place(settings, f.wrong, metrics) for f in faults if not f.runbook}
        faults = tuple(_placed(fault, places) for fault in faults)
        told = tuple(event.model_copy(update={"fault": _placed(event.fault, places)}) for event in told)
        over = [event.text for event in told if event.state == "over"]
        if found or over:
            _journal(settings, now, version, [wrong.text for wrong in found], over=over)
        outbox = _added(settings, state.outbox, told, now, version)
        return OpenAlerts(faults=faults, closed=closed, outbox=outbox)

    change_open_alerts(settings, change)
    return after


def _log_past(settings: Settings, version: str, lines: Sequence[str], past: Past) -> None:
    def change(state: OpenAlerts) -> OpenAlerts:
        _journal(settings, this_moment(), version, lines, past=past)
        return state

    change_open_alerts(settings, change)  # for its lock: nobody else writes to the log meanwhile


def _placed(fault: Fault, places: Mapping[Key, str]) -> Fault:
    return fault.model_copy(update={"runbook": fault.runbook or places.get(fault.wrong.key, "")})


def _added(
    settings: Settings,
    outbox: tuple[Waiting, ...],
    events: Sequence[Event],
    now: datetime,
    version: str | None,
) -> tuple[Waiting, ...]:
    """Return the outbox with one message of all that a look has to tell, for each channel that is set up."""
    to = tuple(channel.name for channel in channels(settings))
    if not (events and to):
        return outbox
    message = _message(settings, events, now, version)
    return (*outbox, Waiting(id=message["id"], at=now, to=to, message=message))


def _message(
    settings: Settings, events: Sequence[Event], now: datetime, version: str | None
) -> dict[str, Any]:
    """Return what a webhook gets: a text for people, and every figure; the state is the most urgent one."""
    small = f" (sample {settings.sample})" if settings.sample else ""
    states: list[State] = [event.state for event in events]
    return {
        "id": secrets.token_hex(8),
        "at": now.isoformat(),
        "project": one_line(settings.name + small),
        "state": next((state for state in ("firing", "reminder", "over") if state in states), "over"),
        "version": version,
        "text": "\n".join(event.text for event in events),
        "alerts": [event.text for event in events if event.state != "over"],
        "faults": [_figures(event) for event in events],
    }


def _figures(event: Event) -> dict[str, Any]:
    """Return one fault as a webhook gets it; `id` is the same from its beginning to its end."""
    wrong = event.fault.wrong
    return {
        "id": event.fault.id,
        "state": event.state,
        "figure": wrong.name,
        "value": wrong.value,
        "range": [wrong.low, wrong.high],
        "since": event.fault.since.isoformat(),
        "text": event.text,
        "runbook": event.fault.runbook,
    }


def runbook_place(settings: Settings, wrong: Wrong, metrics: Collection[str] = ()) -> str:
    """Return where the runbook has the section of a fault; "" without a runbook.

    It is an address on the web where git knows one of the project, else a path, with an anchor.

    It is the section whose heading, or a part of it after `; `, begins with the name, or with that of its
    group (`drift of`, `missing values`); of a metric without one, that of the measures; else the chapter of
    `monitor`.
    """
    path = settings.root / RUNBOOK
    if not path.is_file():
        return ""
    headings = re.findall(r"^### (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    name = SECTIONS.get(wrong.kind, wrong.name)
    group = name.partition(" of ")[0] if " of " in name else None
    wanted = [
        [h for h in headings if re.search(rf"(?:^|; ){re.escape(name)}(?!\w)", h)],
        [h for h in headings if group and re.fullmatch(rf"{re.escape(group)}(?: of a feature\b.*)?", h)],
        [h for h in headings if wrong.name in metrics and ", or another measure" in h],
    ]
    heading = next((found[0] for found in wanted if found), "Alerts of `monitor`")
    anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    return "/".join(filter(None, (web_address(settings.root), f"{RUNBOOK}#{anchor}")))


def _journal(
    settings: Settings,
    now: datetime,
    version: str | None,
    lines: Sequence[str],
    *,
    over: Sequence[str] = (),
    past: Past | None = None,
) -> None:
    """Add a line to the alert log, of which the newest JOURNAL_LINES are kept."""
    entry: dict[str, Any] = {"at": now.isoformat(), "version": version, "alerts": list(lines)}
    entry |= ({"over": list(over)} if over else {}) | ({past: True} if past else {})
    path = settings.workspace / JOURNAL
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as journal:
        journal.write(json.dumps(entry) + "\n")
    _shorten(path)


def _shorten(path: Path) -> None:
    with path.open(encoding="utf-8") as journal:
        count, newest = 0, deque[str](maxlen=JOURNAL_LINES)
        for count, line in enumerate(journal, 1):  # noqa: B007
            newest.append(line)
    if count > JOURNAL_LINES * 1.1:  # not each time: it is written anew
        write_whole(path, "".join(newest))
