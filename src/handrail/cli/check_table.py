"""The rows of `handrail check`, as people read them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from handrail.console import say, table
from handrail.scaffold.check import Checked, Look

HEADER = ("project", "template", "behind", "standard files", "engine", "signed", "last look")


def show(found: Sequence[Checked]) -> None:
    """Print a row for each project, and below them what somebody has to see to."""
    table(HEADER, [_row(each) for each in found], texts=HEADER)
    for each in found:
        for fault in each.faults:
            say(f"{_name(each)}: {fault}")
    for why in dict.fromkeys(each.why for each in found if each.why):
        count = sum(each.why == why for each in found)
        say(f"how far {count} of them {'is' if count == 1 else 'are'} behind is not known: {why}")
    good = sum(not each.faults for each in found)
    say(f"{good} of {len(found)} projects as they should be")


def _name(each: Checked) -> str:
    return Path(each.folder).resolve().name


def _row(each: Checked) -> tuple[str, ...]:
    if each.problem:
        return _name(each), "-", "-", "-", "-", "-", "-"
    behind = (
        "?"
        if each.behind is None
        else f"{each.behind} commit{'s' * (each.behind > 1)}, {each.newest}"
        if each.behind
        else "no"
    )
    signed = ", ".join(text if name == "decision" else f"{name} {text}" for name, text in each.signed.items())
    engine = f"{each.engine}, wrong" if each.engine_fault else each.engine
    return _name(each), each.version, behind, _files(each), engine, signed, _look(each.look)


def _files(each: Checked) -> str:
    if each.missing is None or each.altered is None:
        return "not recorded"
    counts = [(len(each.missing), "missing"), (len(each.altered), "altered")]
    return ", ".join(f"{count} {word}" for count, word in counts if count) or "all"


def _look(look: Look | None) -> str:
    if look is None:
        return "none here"
    days = (datetime.now(UTC) - look.at).days
    when = "today" if days < 1 else "yesterday" if days == 1 else f"{days} days ago"
    return f"{when}, {look.alerts} {'alert' if look.alerts == 1 else 'alerts'}" if look.alerts else when
