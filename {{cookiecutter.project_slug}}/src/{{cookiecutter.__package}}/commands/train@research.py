"""Train a model, measure it beside the baseline, write the report."""

import os
from argparse import ArgumentParser, Namespace
from datetime import date

from ..settings import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Let the split be moved, to learn from newer rows."""
    parser.add_argument(
        "--until",
        type=date.fromisoformat,
        metavar="DATE",
        help="use rows before DATE only: the whole split moves there (default: live_from of project.yaml)",
    )


def run(options: Namespace, settings: Settings) -> int:
    """Train, and show the model beside the baseline."""
    # Threads that wait for their turn leave the processor to others; read when the libraries are loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from ..console import figure, progress, say, table
    from ..model.train import train
    from ..report.page import write_report

    split = settings.dates.ending(options.until) if options.until else settings.dates
    with progress("train") as step:
        training = train(settings, split, step)
        step("write the report")
        report = write_report(settings, training)
    evaluation = training.info["evaluation"]
    rows = [
        (
            name,
            figure(model["value"]),
            f"{figure(model['low'])} to {figure(model['high'])}",
            figure(simple["value"]),
        )
        for (name, model), simple in zip(
            evaluation["model"].items(), evaluation["baseline"].values(), strict=True
        )
    ]
    say(f"measured on {evaluation['rows']:,} rows from {split.test_from} on and before {split.live_from}")
    table(("", "model", "95%", "baseline"), rows)
    say(f"version {training.version}, report {report.relative_to(settings.workspace).as_posix()}")
    return 0
