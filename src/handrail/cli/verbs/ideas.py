"""The verb `ideas`."""

import json
from typing import TYPE_CHECKING

import click

from handrail.cli.verb import verb
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.config.settings import Settings
    from handrail.stages.ideas import Shortlist


@verb(needs_go=False)
@click.option("--schema", is_flag=True, help="write 1-discovery/ideas.schema.json from the code, and stop")
def ideas(settings: "Settings", schema: bool) -> None:
    """Rank the ideas by expected return, say what would have to be true, draw them."""
    from handrail.console import say
    from handrail.files import write_whole
    from handrail.stages import ideas as shortlists
    from handrail.stages import ideas_report as report

    if schema:
        text = json.dumps(shortlists.schema(), indent=2) + "\n"
        write_whole(settings.root / shortlists.SCHEMA, text)
        say(f"wrote {shortlists.SCHEMA}")
        return
    shortlist = shortlists.read_ideas(settings)
    if not shortlist.ideas:
        raise ProjectError(f"{shortlists.FILE}: no ideas in it; write down two or more, also those you doubt")
    _show(shortlist)
    written = settings.workspace / "reports" / "ideas.html"
    write_whole(written, report.page(settings, shortlist))
    say(f"page {settings.shown(written)}")


def _show(shortlist: "Shortlist") -> None:
    """Show the ranking and what it hangs on."""
    from handrail.console import say, table
    from handrail.stages import ideas_report as report

    table(report.RANKED, report.ranked_rows(shortlist))
    for title, rows in (
        (report.PAYS, report.paying_rows(shortlist)),
        (report.WINS, report.winning_rows(shortlist)),
    ):
        if rows:
            say(f"\n{title}")
            table(report.NEEDED, rows)
    say("")
    for line in (*report.swing_lines(shortlist), report.verdict(shortlist)):
        say(line)
