"""The verb `tune`."""

import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING

import click

from handrail.cli.verb import verb

if TYPE_CHECKING:
    from handrail.config.settings import Settings
    from handrail.tuning.comparison import Comparison
    from handrail.tuning.limits import Limits
    from handrail.tuning.trial_log import Log, Values
    from handrail.tuning.tuning_data import TuningData


def _two_at_least(ctx: click.Context, param: click.Parameter, value: int) -> int:
    if value < 2:
        advice = "two at least: one with the present hyperparameters, one with others"
        raise click.BadParameter(advice, ctx, param)
    return value


def _some_minutes(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 < value < inf:
        raise click.BadParameter("more than 0, as 30", ctx, param)
    return value


@verb()
@click.option(
    "--trials",
    type=int,
    default=20,
    metavar="N",
    callback=_two_at_least,
    help="trials in all, earlier ones on the same rows included (default: 20)",
)
@click.option("--minutes", type=float, metavar="M", callback=_some_minutes, help="end within so many minutes")
def tune(settings: "Settings", trials: int, minutes: float | None) -> None:
    """Look for better hyperparameters within the research budget; killed, it goes on where it was.

    The best of the trials is compared with what is used now, written down where it is better, and logged as a
    round. The research budget limits the time in any case.
    """
    # Threads that wait for their turn leave the processor to others; read when the libraries are loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    began, now = time.perf_counter(), datetime.now(UTC)
    from handrail.registry.versions import load_version, newest_version
    from handrail.stages.research import counted_until
    from handrail.tuning.limits import limits_of

    limits = limits_of(settings, trials, minutes, counted_until(settings), now)
    version = load_version(settings, newest_version(settings)).name  # with it the baseline was measured
    from handrail.console import say
    from handrail.training.hyperparameters import read_parameters
    from handrail.tuning.comparison import compare_best
    from handrail.tuning.study import best_of
    from handrail.tuning.tuning_data import read_tuning_data

    present = read_parameters(settings).hyperparameters.model_dump()
    data = read_tuning_data(settings, settings.parted)
    limits = replace(limits, seconds=limits.seconds - (time.perf_counter() - began))
    log = _try(settings, data, present, limits)
    if not (log.unbooked_trials and log.measured):
        say("nothing new to compare")
        return
    comparison = compare_best(settings, data, present, best_of(log, data.metric))
    _show(settings, data, comparison)
    _keep(settings, data, version, log, comparison)


def _try(settings: "Settings", data: "TuningData", present: "Values", limits: "Limits") -> "Log":
    """Make the trials that are still to be made; return all there are."""
    from handrail.console import counted, say
    from handrail.tuning.study import begin_study, best_of, run_trials
    from handrail.tuning.trial_log import read_log

    def tell(log: "Log", seconds: float) -> None:
        done, best = len(log.trials), best_of(log, data.metric).score if log.measured else None
        scores = {data.metric.name: log.trials[-1].score, "best": best, "baseline": data.baseline_score}
        parts = [f"{name} {'-' if score is None else f'{score:.4f}'}" for name, score in scores.items()]
        told = ", ".join(filter(None, [*parts, limits.left(seconds)]))
        count(done, f"trial {done} of {limits.trials}: {told}")

    say(begin_study(settings, data))
    with counted("tune", limits.trials) as count:
        ended = run_trials(settings, data, present, limits, tell)
    say(ended)
    return read_log(settings)


def _show(settings: "Settings", data: "TuningData", comparison: "Comparison") -> None:
    """Show the best beside the present hyperparameters, and what the later rows say of the difference."""
    from handrail.console import say, table
    from handrail.training.intervals import format_gain, format_interval
    from handrail.training.splits import told_by

    best, present, gain = comparison.best.values, comparison.present, comparison.gain
    table(
        ("", "best", "present", "searched"),
        [
            (name, f"{best[name]:g}", f"{present[name]:g}", f"{between.low:g} to {between.high:g}")
            for name, between in settings.project.estimator.SPACE.items()
        ],
    )
    split, model = settings.parted.model_dump(mode="json"), comparison.model
    say(
        f"{data.metric.name} on {len(data.validation):,} rows {told_by(split, 'validation')}, which no trial "
        f"has seen: best {model['value']:.4f} "
        f"({format_interval(model, '.4f')}), present {comparison.before:.4f}, "
        f"baseline {comparison.baseline:.4f}"
    )
    if comparison.same:
        say("no other trial scored better than the present hyperparameters")
    else:
        say(format_gain(gain, ".4f"))
    say(f"the test rows, {told_by(split, 'test')}, were not looked at")


def _keep(
    settings: "Settings", data: "TuningData", version: str, log: "Log", comparison: "Comparison"
) -> None:
    """Write the best down where it is clearly better; log the round, unless it is a sample's."""
    from handrail.console import say
    from handrail.stages.gates import command
    from handrail.training.experiment_log import log_experiment
    from handrail.tuning.comparison import adopt, describe_tuning
    from handrail.tuning.trial_log import add_event

    if comparison.better:
        path = adopt(settings, log, comparison, data, datetime.now(UTC).date())
        say(f"written to {settings.shown(path)}; {command(settings, 'train')} uses it")
    else:
        say("no clear difference: the present ones are as good, and stay")
    if not settings.sample:
        logged = log_experiment(settings, describe_tuning(settings.root, version, log, comparison, data))
        say(f"round logged in {settings.shown(logged)}")
    add_event(settings, "booked")
