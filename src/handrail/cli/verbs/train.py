"""Train a model, measure it beside the baseline, write the reports."""

import os
import sys
import time
from argparse import ArgumentParser, Namespace
from datetime import date
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from handrail.config.settings import Settings
from handrail.errors import ProjectError


def add_arguments(parser: ArgumentParser) -> None:
    """Let the split be moved, to learn from newer rows; take what is said of the round."""
    parser.add_argument(
        "--until",
        type=date.fromisoformat,
        metavar="DATE",
        help="use rows before DATE only: the whole split moves there (default: live_from of project.yaml)",
    )
    logged = parser.add_mutually_exclusive_group()
    logged.add_argument(
        "--note", default="", metavar="TEXT", help="what is tried in this round, for 2-research/rounds.jsonl"
    )
    logged.add_argument(
        "--no-round", action="store_true", help="this is no round of research: leave rounds.jsonl as it is"
    )


def run(options: Namespace, settings: Settings) -> int:
    """Train, show the model beside the baseline, log the round unless it is none: a sample never is."""
    if options.note and settings.sample:
        raise ProjectError("--note: a sample is no round; train on all rows, or leave the note out")
    begun = time.perf_counter()
    # Threads that wait for their turn leave the processor to others; read when the libraries are loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from handrail.console import figure, progress, say, table
    from handrail.reports.pages import write_reports
    from handrail.training.experiment_log import describe_experiment, log_experiment
    from handrail.training.run import train

    split = settings.dates.ending(options.until) if options.until else settings.dates
    with progress("train") as step:
        training = train(settings, split, step)
        step("write the reports")
        reports = write_reports(settings, training)
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
    written = " ".join(path.relative_to(settings.workspace).as_posix() for path in reports)
    say(f"version {training.version}, reports {written}")
    seconds = time.perf_counter() - begun
    described = describe_experiment(settings.root, training.version, training.info, options.note, seconds)
    if not (settings.sample or options.no_round):
        log = log_experiment(settings, described)
        say(f"round logged in {settings.shown(log)}")
    _follow(settings, training, described, reports)
    return 0


def _follow(settings: Settings, *made: Any) -> None:
    """Hand what was made to `model/tracking.py`, where the project has it; the training stands without."""
    from handrail.console import say

    if find_spec(f"{settings.project.package}.model.tracking"):
        try:
            say(import_module(f"{settings.project.package}.model.tracking").track(settings, *made))
        except ProjectError as error:
            print(f"warning: {error}", file=sys.stderr)
