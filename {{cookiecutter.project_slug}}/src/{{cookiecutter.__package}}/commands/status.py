"""Say what is done, what is missing and what comes next, from the evidence."""

from argparse import ArgumentParser, Namespace

from ..errors import ProjectError
from ..settings import Settings

NEEDS_GO = False


def add_arguments(parser: ArgumentParser) -> None:
    """Let gaps fail the command."""
    parser.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 where evidence has failed, nobody has said go, or a stage is open though a later "
        "one has begun",
    )


def run(options: Namespace, settings: Settings) -> int:
    """Show every stage; with --strict, refuse what must not be so."""
    from ..console import say
    from ..stages.gates import read_stages, refusals
    from ..stages.go_ahead import farewell
    from ..stages.status import lines

    stages = read_stages(settings)
    for line in lines(stages, farewell(settings)):
        say(line)
    refused = refusals(stages) if options.strict else []
    if refused:
        raise ProjectError(refused)
    return 0
