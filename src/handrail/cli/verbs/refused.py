"""The verb `refused`."""

from datetime import date
from typing import TYPE_CHECKING

from handrail.cli.parameters import window
from handrail.cli.verb import verb

if TYPE_CHECKING:
    from handrail.config.settings import Settings

DAYS = 30


@verb()
@window("first day (default: 29 days ago)", "first day after (default: tomorrow)")
def refused(settings: "Settings", start: date | None, end: date | None) -> None:
    """Show which rules of the contract were broken, in how many rows and since when.

    Of requests to the service it is each rule of each field; of what `etl` and `score` kept aside each
    reason, and the file with the rows. A row that breaks several rules counts for each. Days are in UTC.
    """
    from handrail.console import say, table
    from handrail.serving.refusals import last_days, read_refusals
    from handrail.serving.shared_log import fetch

    fetch(settings)
    first, after = last_days(DAYS)
    found = read_refusals(settings, start or first, end or after)
    if not found:
        say(f"no row has broken the contract from {start or first} on and before {end or after}")
        return
    for where in dict.fromkeys(each.where for each in found):
        say(where)
        shown = [
            (each.rule, f"{each.records:,}", *(f"{at:%Y-%m-%d %H:%M}" for at in (each.first, each.last)))
            for each in found
            if each.where == where
        ]
        table(("", "rows", "first (UTC)", "last (UTC)"), shown)
