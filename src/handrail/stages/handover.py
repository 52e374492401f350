"""What a machine can check of the handover: what people's work for it has left in histories and logs."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.registry.history import history_path
from handrail.retention.audit_log import audit_log_path
from handrail.stages.checklist import Item, read_checklist
from handrail.stages.dry_run import runbook_works, tests_ran
from handrail.stages.gates import Finding, State, command, done, still_open
from handrail.stages.operation import HANDOVER, monitoring_ran

TRAINED = "Model trained"


def trained_again(settings: Settings) -> Finding:
    """Find a second version that was promoted."""
    history = _lines(history_path(settings))
    promoted = [line for line in history if line["reason"] == "promoted"]
    count = len({line["live"] for line in promoted})
    if count < 2:
        return still_open("no second version was ever promoted", command(settings, "train"))
    return done(f"{count} versions promoted, the last on {promoted[-1]['at'][:10]}")


def alert_rehearsed(settings: Settings) -> Finding:
    """Find an alert that was raised by a look at the latest predictions, not by one at the past."""
    raised = _lines(settings.workspace / "reports" / "alerts.jsonl")
    raised = [line for line in raised if line.get("alerts") != []]  # others tell what is over
    rehearsed = [line for line in raised if not line.get("relived") and not line.get("back")]
    if not rehearsed:
        only = "only by looks at the past" if raised else "no alert was ever raised"
        return still_open(only, "narrow a range in project.yaml, then `monitor`")
    return done(f"an alert on {rehearsed[-1]['at'][:10]}")


def rolled_back(settings: Settings) -> Finding:
    """Find a rollback, and that a version was promoted afterwards."""
    history = _lines(history_path(settings))
    places = [number for number, line in enumerate(history) if line["reason"] == "rolled back"]
    if not places:
        return still_open("no version was ever rolled back", command(settings, "rollback"))
    after = [line for line in history[places[0] :] if line["reason"] == "promoted"]
    if not after:
        return still_open("nothing was promoted after the rollback", command(settings, "promote"))
    return done(f"back on {history[places[-1]]['at'][:10]}, forward on {after[-1]['at'][:10]}")


def data_deleted(settings: Settings) -> Finding:
    """Find data that was archived or deleted."""
    last = _last(audit_log_path(settings))
    if last is None:
        return still_open("nothing was ever archived or deleted", command(settings, "purge"))
    return done(f"{last['action']} on {last['at'][:10]}", by=last["by"])


CHECKS: dict[str, Callable[[Settings], Finding]] = {
    "Installed": tests_ran,
    TRAINED: trained_again,
    "Rolled back": rolled_back,
    "Monitored": monitoring_ran,
    "Alert rehearsed": alert_rehearsed,
    "Data kept and deleted": data_deleted,
    "Runbook tried": runbook_works,
}


@dataclass(frozen=True)
class Row:
    """An item, what the machine found of it, and its row in the checklist, if it has one."""

    name: str
    found: Finding
    item: Item | None


def rows(settings: Settings) -> list[Row]:
    """Return every item that a machine can check; raises ProjectError where the list can't be read."""
    items = {item.item: item for item in read_checklist(settings, HANDOVER)}
    return [Row(name, find(settings), items.get(name)) for name, find in CHECKS.items()]


def contradictions(found: list[Row]) -> list[str]:
    """Return a sentence for each item that is ticked though the machine finds nothing of it."""
    return [
        f"{HANDOVER}: {row.name}: ticked by {row.item.owner}, but {row.found.evidence}; {row.found.next_step}"
        for row in found
        if row.item and row.item.done and row.found.state is not State.DONE
    ]


def by_its_author(settings: Settings, found: list[Row]) -> list[str]:
    """Return a sentence where the author has trained again what somebody else has to be able to train."""
    path = settings.root / "pyproject.toml"
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"] if path.is_file() else {}
    authors = {author.get("name") for author in project.get("authors", ())}
    return [
        f"{HANDOVER}: {row.name}: {row.item.owner} built it; let somebody else do it"
        for row in found
        if row.name == TRAINED and row.item and row.item.done and row.item.owner in authors
    ]


def _last(path: Path) -> dict[str, Any] | None:
    return (_lines(path) or [None])[-1]


def _lines(path: Path) -> list[dict[str, Any]]:
    """Return the records of a log, none where there is no file; raises ProjectError where it is broken."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        raise ProjectError(f"{path}: not readable; mend the line that is no JSON") from None
