"""Rank the ideas by expected return, say what would have to be true, draw them."""

import json
from argparse import ArgumentParser, Namespace

from handrail.config.settings import Settings
from handrail.errors import ProjectError

NEEDS_GO = False


def add_arguments(parser: ArgumentParser) -> None:
    """Let the schema that editors check by be written anew."""
    parser.add_argument(
        "--schema", action="store_true", help="write 1-discovery/ideas.schema.json from the code, and stop"
    )


def run(options: Namespace, settings: Settings) -> int:
    """Show the ranking and what it hangs on; write the page."""
    from handrail.console import say, table
    from handrail.files import write_whole
    from handrail.stages import ideas_report as report
    from handrail.stages.ideas import FILE, SCHEMA, read_ideas, schema

    if options.schema:
        write_whole(settings.root / SCHEMA, json.dumps(schema(), indent=2) + "\n")
        say(f"wrote {SCHEMA}")
        return 0
    shortlist = read_ideas(settings)
    if not shortlist.ideas:
        raise ProjectError(f"{FILE}: no ideas in it; write down two or more, also those you doubt")
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
    written = settings.workspace / "reports" / "ideas.html"
    write_whole(written, report.page(settings, shortlist))
    say(f"page {settings.shown(written)}")
    return 0
