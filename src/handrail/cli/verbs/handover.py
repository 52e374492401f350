"""The verb `handover`."""

from typing import TYPE_CHECKING

import click

from handrail.cli.verb import verb
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.config.settings import Settings
    from handrail.stages.checklist import Item


@verb()
@click.option(
    "--rehearse",
    is_flag=True,
    help="first run the tests, and each command of the runbook on a copy of the project",
)
def handover(settings: "Settings", rehearse: bool) -> None:
    """Check the handover: what a machine finds of it, beside who has ticked it."""
    from handrail.console import say, table
    from handrail.stages.checklist import missing_items
    from handrail.stages.handover import by_its_author, contradictions, rows
    from handrail.stages.operation import HANDOVER, handover_items

    broken = _rehearse(settings) if rehearse else []
    found = rows(settings)
    shown = [(row.name, row.found.state.value, row.found.evidence, *_signature(row.item)) for row in found]
    header = ("item", "found", "evidence", "owner", "date")
    table(header, shown, texts=header)
    say(f"The other items of {HANDOVER} only people can check.")
    gone = missing_items(settings, HANDOVER, handover_items(settings))
    refused = [*broken, *gone, *contradictions(found), *by_its_author(settings, found)]
    if refused:
        raise ProjectError(refused)


def _rehearse(settings: "Settings") -> list[str]:
    """Try everything, keep what came of it, and return a sentence for each thing that does not work."""
    from handrail.console import progress, table
    from handrail.files import write_whole
    from handrail.stages.dry_run import RUNBOOK, dry_run_path, run_dry

    with progress("handover") as step:
        tried = run_dry(settings, step)
    write_whole(dry_run_path(settings), tried.model_dump_json(indent=1) + "\n")
    everything = (tried.tests, *tried.commands)
    shown = [(each.command, "works" if each.works else "fails", each.said) for each in everything]
    table(("tried", "result", "said"), shown, texts=("result", "said"))
    return [
        f"{'tests' if each is tried.tests else RUNBOOK}: `{each.command}` does not work: {each.said}"
        for each in everything
        if not each.works
    ]


def _signature(item: "Item | None") -> tuple[str, str]:
    return (item.owner, f"{item.date}") if item and item.done else ("-", "-")
