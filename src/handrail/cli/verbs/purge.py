"""Delete old data, or all that is kept of one key; show it first."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime

from handrail.config.settings import Settings
from handrail.errors import ProjectError


def add_arguments(parser: ArgumentParser) -> None:
    """Take the key, if it is about one, and whether to do it."""
    parser.add_argument("--key", metavar="KEY", help="delete all rows of this key, such as a person")
    parser.add_argument("--really", action="store_true", help="do it; without, it is only shown")


def run(options: Namespace, settings: Settings) -> int:
    """Show what would be deleted, or delete it."""
    if options.key is None:
        return _old(settings, options.really)
    if not options.key.strip():
        raise ProjectError("--key: is empty; write the key as it stands in the data")
    return _of_key(settings, options.key, options.really)


def _old(settings: Settings, really: bool) -> int:
    from handrail.console import progress, say, table
    from handrail.retention.inventory import listing
    from handrail.retention.retirement import purge, to_purge

    today = datetime.now(UTC).date()
    items = to_purge(settings, today)
    if not items:
        say("nothing is old enough to be deleted")
        return 0
    if not really:
        table(*listing(items, today))
        say(f"nothing was deleted; `purge --really` deletes these {len(items)} for good")
        return 0
    with progress("purge") as on_step:
        for item in purge(settings, items):
            on_step(item.path.name)
    say(f"{len(items)} deleted; each is a line in data/lifecycle.jsonl")
    return 0


def _of_key(settings: Settings, key: str, really: bool) -> int:
    from handrail.console import progress, say, table
    from handrail.retention.erasure import erase, find_elsewhere, find_traces, listing

    traces = find_traces(settings, key)
    for name in find_elsewhere(settings, key):
        say(f"{name} names it too; delete it there yourself")
    if not really:
        table(*listing(settings, traces))
        say("nothing was deleted; `purge --key` with `--really` deletes these rows for good")
        return 0
    with progress("purge") as on_step:
        for trace in erase(settings, key, traces):
            on_step(trace.path.name)
    count = sum(trace.rows for trace in traces if not trace.raw)
    say(f"{count} rows deleted; each file is a line in data/lifecycle.jsonl; `etl` leaves the key out")
    return 0
