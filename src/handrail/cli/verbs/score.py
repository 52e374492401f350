"""The verb `score`."""

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.cli.parameters import window
from handrail.cli.verb import verb
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.config.settings import Settings

FILE = click.Path(path_type=Path)


@verb()
@window("first day to score (default: where the live version's test period ends)", "first day not to score")
@click.option(
    "--input",
    "file",
    type=FILE,
    metavar="FILE",
    help="a Parquet or CSV file (.csv.gz too) instead of the loaded table",
)
@click.option("--output", type=FILE, metavar="FILE", help="where to (default: data/predictions/)")
def score(
    settings: "Settings", start: date | None, end: date | None, file: Path | None, output: Path | None
) -> None:
    """Score many rows into a Parquet file.

    A row that breaks the contract, or whose key was there already, is kept aside with the reason. Of a large
    input, what a run that was stopped had predicted is not predicted again.
    """
    from handrail.config.sections import Split
    from handrail.console import rows_done, say
    from handrail.contract.table_check import duplicate_reason
    from handrail.registry.live import load_live
    from handrail.serving import batch
    from handrail.training.splits import split_of

    rows = batch.rows_to_score(settings, file, start, end)
    output = output or batch.output_path(settings, rows.name)
    with rows_done("score") as tell:
        scored = batch.score_rows(settings, rows, output, tell)
    inside = output.is_relative_to(settings.workspace)
    shown = output.relative_to(settings.workspace).as_posix() if inside else output
    say(f"{scored.rows:,} rows scored by {scored.version} ({scored.source}) into {shown}")
    split = split_of(load_live(settings)[0].info["split"])
    if isinstance(split, Split) and start and start < split.live_from:
        say(
            f"rows before {split.live_from} count for no live figure: the version has learnt from them, or "
            "was decided on or tested on them"
        )
    again = duplicate_reason(settings.project.key)
    for reason, count in scored.rejected.items():
        if reason.startswith(again):
            where = reason.removeprefix(again)
            say(f"{count:,} left out as duplicates: the {settings.project.key} was there already{where}")
        else:
            say(f"{count:,} rows rejected: {reason}")
    for note in scored.notes:
        say(note)
    _send(settings)


def _send(settings: "Settings") -> None:
    """Send what was predicted to where machines share it; what can't be sent is kept for the next time."""
    from handrail.serving.shared_log import send

    try:
        send(settings)
    except ProjectError as error:
        for problem in error.problems:
            print(f"warning: predictions are kept here, and not sent: {problem}", file=sys.stderr)
