"""The verb `retrain`."""

import os
import sys
from datetime import date
from typing import TYPE_CHECKING

import click

from handrail.cli.parameters import DATE
from handrail.cli.verb import verb
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.config.settings import Settings
    from handrail.training.retraining_run import Retraining

LOOK = 3


@verb()
@click.option(
    "--until",
    type=DATE,
    metavar="DATE",
    help="learn from rows before DATE (default: as far as outcomes are known)",
)
def retrain(settings: "Settings", until: date | None) -> int:
    """Load newer data, train on it, and let the model go live if nothing speaks against it.

    It becomes a canary, the live version or nothing by itself, as retraining.goes_live of project.yaml says.
    Before it learns, it looks whether the data is as it was and as is usual; after that, the gate of
    `promote` compares both versions on the newest rows. The table that was loaded before stays until that
    look has accepted the new one. What comes of it is a line in reports/retraining.jsonl, and the exit
    status: 0 where that is done, or there is nothing newer to learn from; 3 where it is left as it was and
    somebody has to look, as after a canary was rolled back and no newer outcomes have come; 1 where a step
    could not be done.
    """
    # Threads that wait for their turn leave the processor to others; read when the libraries are loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from handrail.console import progress
    from handrail.training.retraining_run import run_retraining

    with progress("retrain") as step:
        done = run_retraining(settings, until, step)
    _show(settings, done)
    if done.training and not done.needs_somebody:
        _report(settings, done)
    return LOOK if done.needs_somebody else 0


def _show(settings: "Settings", done: "Retraining") -> None:
    """Say what was looked at, how both versions do, and what came of it."""
    from handrail.console import say, table
    from handrail.number_format import figure
    from handrail.reports.wording import not_worth_it
    from handrail.training.intervals import format_interval

    for line in done.looked_at:
        say(line)
    if done.figures:
        shown = [(done.version or "", "candidate"), (done.live or "", "live")]
        rows = [
            (name, figure(found["value"]), format_interval(found))
            for name, found in ((name, _known(done.figures[key])) for name, key in shown)
        ]
        table((f"{done.figures['metric']}, {done.figures['rows']:,} rows", "is", "95%"), rows)
    dear = not_worth_it(settings, done.training.info["evaluation"]) if done.training else ""
    if dear:
        say(dear)
    for reason in done.why:
        if done.needs_somebody:
            print(f"alert: {reason}", file=sys.stderr)
        else:
            say(reason)
    say(_verdict(settings, done))


def _known(figures: dict[str, float | None]) -> dict[str, float]:
    return {name: float("nan") if value is None else value for name, value in figures.items()}


def _verdict(settings: "Settings", done: "Retraining") -> str:
    from handrail.config.sections import Retraining as Limits
    from handrail.number_format import percent

    name, stays = done.version, f"{done.live} stays as it is"
    if done.not_accepted:
        stays += f", and so does the table; what was refused lies in {done.not_accepted}"
    share = settings.section(Limits).canary_share
    again = f"etl`, `train --no-round{f' --until {done.until}' if done.until else ''}`, then `promote"
    by_hand = f"promote {name}" if name else again
    said = {
        "canary": f"{name} answers {percent(share)} of what is asked beside {done.live}; "
        f"`promote {name}` lets it answer everything, `rollback` nothing",
        "live": f"{name} is live in place of {done.live}",
        "kept": stays,
        "nothing new": f"nothing to do: {stays}",
        "waiting": f"nothing is done: {stays}",
        "withdrawn": f"nothing is tried: {stays}",
        "refused": f"{stays}; whoever knows better: `{by_hand}`",
    }
    return said[done.verdict]


def _report(settings: "Settings", done: "Retraining") -> None:
    """Write the pages of the new version, and tell MLflow of it; what is live stands without, too."""
    from handrail.console import say
    from handrail.reports.pages import write_reports
    from handrail.training.experiment_log import describe_experiment

    if done.training is None:
        return
    reports = write_reports(settings, done.training)
    if settings.project.has("tracking"):
        from handrail.training.tracking import track

        made = done.training
        described = describe_experiment(settings.root, made.version, made.info, "retrain", 0)
        try:
            say(track(settings, done.training, described, reports))
        except ProjectError as error:
            print(f"warning: {error}", file=sys.stderr)
