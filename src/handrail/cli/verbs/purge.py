"""The verb `purge`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from handrail.cli.verb import verb
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.config.settings import Settings


@verb()
@click.option("--key", metavar="KEY", help="delete all rows of this key or subject, such as a person")
@click.option("--really", is_flag=True, help="do it; without, it is only shown")
def purge(settings: "Settings", key: str | None, really: bool) -> None:
    """Delete old data, or all that is kept of one key; show it first."""
    from handrail.leftovers import remove_leftovers

    remove_leftovers(settings, fresh_seconds=0)
    if key is None:
        _old(settings, really)
    elif key.strip():
        _of_key(settings, key, really)
    else:
        raise ProjectError("--key: is empty; write the key as it stands in the data")


def _old(settings: "Settings", really: bool) -> None:
    from handrail.console import progress, say, table
    from handrail.retention import retirement
    from handrail.retention.inventory import listing

    today = datetime.now(UTC).date()
    items = retirement.to_purge(settings, today)
    if not items:
        say("nothing is old enough to be deleted")
        return
    if not really:
        table(*listing(items, today))
        say(f"nothing was deleted; `purge --really` deletes these {len(items)} for good")
        return
    with progress("purge") as on_step:
        for item in retirement.purge(settings, items):
            on_step(item.path.name)
    say(f"{len(items)} deleted; each is a line in data/lifecycle.jsonl")


def _of_key(settings: "Settings", key: str, really: bool) -> None:
    from handrail.console import progress, say, table
    from handrail.retention.erasure import erase, erase_shared, find_elsewhere, find_traces, listing
    from handrail.serving.shared_log import fetch

    fetch(settings)
    traces = find_traces(settings, key)
    for name in find_elsewhere(settings, key):
        say(f"{name} names it too; delete it there yourself")
    if not really:
        table(*listing(settings, traces))
        say("nothing was deleted; `purge --key` with `--really` deletes these rows for good")
        return
    with progress("purge") as on_step:
        for trace in erase(settings, key, traces):
            on_step(trace.path.name)
        shared = erase_shared(settings, key)
    count = sum(trace.rows for trace in traces if not trace.raw)
    say(f"{count} rows deleted; each file is a line in data/lifecycle.jsonl; `etl` leaves the key out")
    if settings.shared.predictions:
        say(
            f"{shared} objects of the predictions that machines share have none of them any more; run the "
            "same on each machine that has logged some"
        )
