"""Score many rows into a Parquet file."""

from argparse import ArgumentParser, Namespace
from datetime import date
from pathlib import Path

from handrail.config.settings import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Take the rows, by time from the loaded table or from a file, and the output."""
    parser.add_argument(
        "--from", dest="start", type=date.fromisoformat, metavar="DATE", help="first day to score"
    )
    parser.add_argument(
        "--to", dest="end", type=date.fromisoformat, metavar="DATE", help="first day not to score"
    )
    parser.add_argument(
        "--input", type=Path, metavar="FILE", help="a Parquet or CSV file instead of the loaded table"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to (default: data/predictions/)")


def run(options: Namespace, settings: Settings) -> int:
    """Score, and say how many rows went where."""
    from handrail.console import progress, say
    from handrail.serving.batch import rows_to_score, score
    from handrail.serving.prediction_log import prediction_folder

    rows = rows_to_score(settings, options.input, options.start, options.end)
    output = options.output or prediction_folder(settings) / f"scored-{rows.name}.parquet"
    with progress("score"):
        scored = score(settings, rows.source, rows.origin, output)
    inside = output.is_relative_to(settings.workspace)
    shown = output.relative_to(settings.workspace).as_posix() if inside else output
    say(f"{scored.rows:,} rows scored by {scored.version} ({scored.source}) into {shown}")
    for reason, count in scored.rejected.items():
        say(f"{count:,} rows rejected: {reason}")
    return 0
