"""The verb `train`."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handrail.cli.parameters import DATE, not_with
from handrail.cli.verb import verb
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.config.sections import Split
    from handrail.config.settings import Settings
    from handrail.training.run import Training


@verb()
@click.option(
    "--until",
    type=DATE,
    metavar="DATE",
    help="use rows before DATE only: the whole split moves there (default: live_from of project.yaml)",
)
@click.option(
    "--note",
    default="",
    metavar="TEXT",
    callback=not_with("--no-round"),
    help="what is tried in this round, for 2-research/rounds.jsonl",
)
@click.option(
    "--no-round",
    is_flag=True,
    callback=not_with("--note"),
    help="this is no round of research: leave rounds.jsonl as it is",
)
@click.option(
    "--test",
    is_flag=True,
    help="show it on the test period, too, and report on that; it is counted how often that was looked at",
)
def train(settings: "Settings", until: date | None, note: str, no_round: bool, test: bool) -> None:
    """Train a model, measure it beside the baseline, write the reports.

    What is shown and reported is measured on the validation period: the test period is for the version that
    is to be promoted, and tells the truth only as long as nobody chooses by it.
    """
    if until and until > date.today() + timedelta(days=1):
        raise ProjectError(f"--until {until}: lies in the future; what will be known then is not known yet")
    if note and settings.sample:
        raise ProjectError("--note: a sample is no round; train on all rows, or leave the note out")
    begun = time.perf_counter()
    # Threads that wait for their turn leave the processor to others; read when the libraries are loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from handrail.console import progress, say
    from handrail.reports.pages import write_reports
    from handrail.training.experiment_log import describe_experiment, log_experiment
    from handrail.training.run import train as run_training

    if until and settings.parted.by != "time":
        raise ProjectError(
            f"--until {until}: project.yaml: split.by: {settings.parted.by}: chance parts the rows, and no "
            "day tells what was known; `train` learns from all that is loaded: take --until out of the "
            "runbook and of jobs, too"
        )
    split = _until(settings, until) if until else settings.parted
    with progress("train") as step:
        tested = run_training(settings, split, step)
        training = tested if test or tested.on_validation is None else tested.on_validation
        step("write the reports")
        reports = write_reports(settings, training)
    if "taken" in tested.info:
        say(tested.info["taken"])
    for shown in (tested.on_validation, tested if training is tested else None):
        if shown:
            _show(settings, shown)
    _show_origins(tested)
    _tell(settings, training, reports)
    seconds = time.perf_counter() - begun
    described = describe_experiment(settings.root, tested.version, tested.info, note, seconds)
    if not (settings.sample or no_round):
        log = log_experiment(settings, described)
        say(f"round logged in {settings.shown(log)}")
    if settings.project.has("tracking"):
        _track(settings, training, described, reports)


def _until(settings: "Settings", until: date) -> "Split":
    """Return the split that ends at a day; say where its periods begin earlier than their lengths tell."""
    from handrail.console import say
    from handrail.training.split_advice import split_until

    split, moved = split_until(settings, until), settings.dates.ending(until)
    for name in ("validation", "test"):
        begins, asked = (getattr(each, f"{name}_from") for each in (split, moved))
        if begins != asked:
            say(
                f"the {name} period begins on {begins}, not {asked}: else the split would leave a period "
                "without two different outcomes that were known when it was over"
            )
    return split


def _show(settings: "Settings", training: "Training") -> None:
    """Show the model beside the baseline, on the rows of one period."""
    from handrail.console import say, table
    from handrail.number_format import figure
    from handrail.reports.wording import not_worth_it
    from handrail.training.intervals import drawn_by, format_interval
    from handrail.training.splits import the_period, told_by

    evaluation = training.info["evaluation"]
    rows = [
        (
            name,
            figure(model["value"]),
            format_interval(model),
            figure(simple["value"]),
        )
        for (name, model), simple in zip(
            evaluation["model"].items(), evaluation["baseline"].values(), strict=True
        )
    ]
    which = told_by(training.info["split"], training.period, training.info.get("unknown"))
    name = the_period(training.info["split"], training.period).removeprefix("the ")
    say(f"{name}: {evaluation['rows']:,} rows {which}")
    table(("", "model", "95%", "baseline"), rows)
    say(drawn_by(evaluation["drawn"]))
    dear = not_worth_it(settings, evaluation)
    if dear:
        say(dear)


def _show_origins(training: "Training") -> None:
    """Show how good a forecast is from each of several days on."""
    from handrail.console import say, table
    from handrail.number_format import figure

    rolled = training.info.get("rolling_origins")
    if rolled:
        say(f"rolling origins: {training.info['metric']} after learning from what was known on each day")
        rows = [
            (each["from"], f"{each['rows']:,}", figure(each["model"]), figure(each["baseline"]))
            for each in rolled
        ]
        table(("forecasts from", "rows", "model", "baseline"), rows)


def _tell(settings: "Settings", training: "Training", reports: Sequence[Path]) -> None:
    """Say what was written, and whether the test period was looked at."""
    from handrail.console import say
    from handrail.reports.wording import looked_at
    from handrail.training.experiment_log import log_look
    from handrail.training.splits import the_period

    if training.period == "test":
        looks = log_look(settings, training.version, training.info)
        if looks:
            say(looked_at(training.info["split"], looks))
    else:
        period = the_period(training.info["split"], "test")
        say(f"{period} was not looked at; --test does, once a version is to be promoted")
    written = " ".join(path.relative_to(settings.workspace).as_posix() for path in reports)
    say(f"version {training.version}, reports {written}")


def _track(
    settings: "Settings", training: "Training", described: Mapping[str, Any], reports: Sequence[Path]
) -> None:
    """Tell MLflow of the training, which stands without, too."""
    from handrail.console import say
    from handrail.training.tracking import track

    try:
        say(track(settings, training, described, reports))
    except ProjectError as error:
        print(f"warning: {error}", file=sys.stderr)
