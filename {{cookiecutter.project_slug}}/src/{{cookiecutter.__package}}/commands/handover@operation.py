"""Check the handover: what a machine finds of it, beside who has ticked it."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from ..errors import ProjectError
from ..settings import Settings

if TYPE_CHECKING:
    from ..stages.checklist import Item


def add_arguments(parser: ArgumentParser) -> None:
    """Take nothing."""


def run(options: Namespace, settings: Settings) -> int:
    """Show every item; refuse what is ticked though nothing shows it."""
    from ..console import say, table
    from ..stages.handover import by_its_author, contradictions, rows
    from ..stages.operation import HANDOVER

    found = rows(settings)
    shown = [(row.name, row.found.state.value, row.found.evidence, *_signature(row.item)) for row in found]
    table(("item", "found", "evidence", "owner", "date"), shown)
    say(f"The other items of {HANDOVER} only people can check.")
    refused = [*contradictions(found), *by_its_author(settings, found)]
    if refused:
        raise ProjectError(refused)
    return 0


def _signature(item: "Item | None") -> tuple[str, str]:
    return (item.owner, f"{item.date}") if item and item.done else ("-", "-")
