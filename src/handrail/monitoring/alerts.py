"""Tells people: a line in the alert log, and a message to each channel when a fault begins, lasts or is over.

A look at the past, or one that lives it again, is logged, and neither begins a fault nor ends one.
"""

import json
import re
import secrets
from collections import deque
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from handrail.config.sections import Alerts
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.files import write_whole
from handrail.monitoring.channels import channels
from handrail.monitoring.checks import canary_reading
from handrail.monitoring.faults import (
    Event,
    Fault,
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
from handrail.monitoring.open_alerts import OpenAlerts, Waiting, change_open_alerts
from handrail.monitoring.outbox import delivered_or_kept
from handrail.registry.live import read_live
from handrail.stages.git import web_address

JOURNAL = "reports/alerts.jsonl"
JOURNAL_LINES = 10_000  # the newest of which are kept
RUNBOOK = "4-operation/runbook.md"
SECTIONS = {  # of the runbook, for what is no reading
    "canary": "the accuracy of the canary",
    "baseline": "the baseline did better",
    "doubt": "outcomes in doubt",
    "check": "a check could not be run",
    "monitor": "monitor could not look",
}


def raise_alerts(settings: Settings, seen: MonitoringRun, *, relived: bool = False) -> list[str]:
    """Log what `seen` found wrong, tell whom the environment names, and return the lines for who looks on.

    Those are one for each alert of the look, told before or not; one for each fault that is over; and one for
    each channel that took not all that it should. `relived`: a look back, which is logged and no more.
    """
    live = read_live(settings)
    found = found_wrong(seen, live, canary_reading(settings))
    alerts = [wrong for wrong in found if wrong.kind in ("reading", "canary", "doubt")]
    lines = [wrong.text for wrong in alerts]
    if relived:
        if lines:
            _log_relived(settings, seen.version, lines)
        return lines
    events = _follow(settings, seen.version, found, verdict_of(seen, live), seen.metrics)
    over = [event.text for event in events if event.state == "over"]
    return [*lines, *over, *delivered_or_kept(settings)]


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
    """End the open faults of a name by hand, such as one that is watched no more, and tell that.

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
        return OpenAlerts(faults=faults, outbox=_added(settings, state.outbox, events, now, None))

    change_open_alerts(settings, change)
    return closed


def test_message(settings: Settings) -> dict[str, Any]:
    """Return a message that tells of no fault, only that a message comes through."""
    return _message(settings, [], this_moment(), None) | {
        "state": "test",
        "text": "A test: nothing is wrong. Alerts come this way.",
    }


def _follow(
    settings: Settings,
    version: str | None,
    found: Sequence[Wrong],
    verdict: Verdict,
    metrics: Collection[str] = (),
) -> tuple[Event, ...]:
    """Keep what is open after a look, log it, put what is to be told into the outbox, and return that."""
    pause = timedelta(hours=settings.section(Alerts).remind_after_hours)
    told: tuple[Event, ...] = ()

    def change(state: OpenAlerts) -> OpenAlerts:
        nonlocal told
        now = this_moment()
        faults, told = follow(state.faults, found, verdict, now, pause)
        places = {f.wrong.key: runbook_place(settings, f.wrong, metrics) for f in faults if not f.runbook}
        faults = tuple(_placed(fault, places) for fault in faults)
        told = tuple(event.model_copy(update={"fault": _placed(event.fault, places)}) for event in told)
        over = [event.text for event in told if event.state == "over"]
        if found or over:
            _journal(settings, now, version, [wrong.text for wrong in found], over=over)
        return OpenAlerts(faults=faults, outbox=_added(settings, state.outbox, told, now, version))

    change_open_alerts(settings, change)
    return told


def _log_relived(settings: Settings, version: str, lines: Sequence[str]) -> None:
    def change(state: OpenAlerts) -> OpenAlerts:
        _journal(settings, this_moment(), version, lines, relived=True)
        return state

    change_open_alerts(settings, change)  # for its lock: nobody else writes to the log meanwhile


def _placed(fault: Fault, places: dict[tuple[str, str, str], str]) -> Fault:
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
    relived: bool = False,
) -> None:
    """Add a line to the alert log, of which the newest JOURNAL_LINES are kept."""
    entry: dict[str, Any] = {"at": now.isoformat(), "version": version, "alerts": list(lines)}
    entry |= ({"over": list(over)} if over else {}) | ({"relived": True} if relived else {})
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
