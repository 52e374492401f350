"""What a machine can check of the handover, beside what people have ticked."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass

from handrail.config.settings import Settings
from handrail.stages.audit_evidence import alert_rehearsed, data_deleted, rolled_back, trained_again
from handrail.stages.checklist import Item, read_checklist
from handrail.stages.dry_run import runbook_works, tests_ran
from handrail.stages.gates import Finding, State
from handrail.stages.operation import HANDOVER, monitoring_ran

TRAINED = "Model trained"
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
