"""The verb `status`."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.cli.verb import verb
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.config.settings import Settings

PAGE = Path("reports", "status.html")


@verb(needs_go=False)
@click.option(
    "--html",
    "written",
    type=click.Path(path_type=Path),
    is_flag=False,
    flag_value=PAGE,
    metavar="[FILE]",
    help="also write it as a page to send to the sponsor (default: reports/status.html here)",
)
@click.option(
    "--strict",
    is_flag=True,
    help="exit with 1 where evidence has failed, nobody has said go, or a stage is open though a later one "
    "has begun",
)
def status(settings: "Settings", written: Path | None, strict: bool) -> None:
    """Say what is done, what is missing and what comes next, from the evidence."""
    from handrail.console import say
    from handrail.files import write_whole
    from handrail.stages.gates import read_stages, refusals
    from handrail.stages.go_ahead import farewell
    from handrail.stages.status import lines
    from handrail.stages.status_page import page

    stages = read_stages(settings)
    for line in lines(stages, farewell(settings)):
        say(line)
    if written:
        write_whole(written, page(settings, stages, date.today()))
        say(f"page {written}")
    refused = refusals(stages) if strict else []
    if refused:
        raise ProjectError(refused)
