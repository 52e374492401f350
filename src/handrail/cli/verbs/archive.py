"""Move old data to the archive, by the retention in project.yaml; show it first."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime

from handrail.config.settings import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Take whether to do it."""
    parser.add_argument("--really", action="store_true", help="do it; without, it is only shown")


def run(options: Namespace, settings: Settings) -> int:
    """Show what is old enough, or move it."""
    from handrail.console import progress, say, table
    from handrail.retention.inventory import listing
    from handrail.retention.retirement import archive, to_archive

    today = datetime.now(UTC).date()
    items = to_archive(settings, today)
    if not items:
        say("nothing is old enough for the archive")
        return 0
    if not options.really:
        table(*listing(items, today))
        say(f"nothing was moved; `archive --really` moves these {len(items)} to data/archive/")
        return 0
    with progress("archive") as on_step:
        for item in archive(settings, items, today):
            on_step(item.path.name)
    say(f"{len(items)} moved to data/archive/{today}/; each is a line in data/lifecycle.jsonl")
    return 0
