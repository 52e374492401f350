"""The verb `archive`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from handrail.cli.verb import verb

if TYPE_CHECKING:
    from handrail.config.settings import Settings


@verb()
@click.option("--really", is_flag=True, help="do it; without, it is only shown")
def archive(settings: "Settings", really: bool) -> None:
    """Move old data to the archive, by the retention in project.yaml; show it first."""
    from handrail.console import progress, say, table
    from handrail.retention import retirement
    from handrail.retention.inventory import listing

    today = datetime.now(UTC).date()
    items = retirement.to_archive(settings, today)
    if not items:
        say("nothing is old enough for the archive")
        return
    if not really:
        table(*listing(items, today))
        say(f"nothing was moved; `archive --really` moves these {len(items)} to data/archive/")
        return
    with progress("archive") as on_step:
        for item in retirement.archive(settings, items, today):
            on_step(item.path.name)
    say(f"{len(items)} moved to data/archive/{today}/; each is a line in data/lifecycle.jsonl")
