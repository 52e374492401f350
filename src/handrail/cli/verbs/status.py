"""Say what is done, what is missing and what comes next, from the evidence."""

from argparse import ArgumentParser, Namespace
from datetime import date
from pathlib import Path

from handrail.config.settings import Settings
from handrail.errors import ProjectError

NEEDS_GO = False


def add_arguments(parser: ArgumentParser) -> None:
    """Let gaps fail the command, and a page be written."""
    parser.add_argument(
        "--html",
        nargs="?",
        type=Path,
        const=Path("reports", "status.html"),
        metavar="FILE",
        help="also write it as a page to send to the sponsor (default: reports/status.html here)",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 where evidence has failed, nobody has said go, or a stage is open though a later "
        "one has begun",
    )


def run(options: Namespace, settings: Settings) -> int:
    """Show every stage; with --strict, refuse what must not be so."""
    from handrail.console import say
    from handrail.files import write_whole
    from handrail.stages.gates import read_stages, refusals
    from handrail.stages.go_ahead import farewell
    from handrail.stages.status import lines
    from handrail.stages.status_page import page

    stages = read_stages(settings)
    for line in lines(stages, farewell(settings)):
        say(line)
    if options.html:
        write_whole(options.html, page(settings, stages, date.today()))
        say(f"page {options.html}")
    refused = refusals(stages) if options.strict else []
    if refused:
        raise ProjectError(refused)
    return 0
