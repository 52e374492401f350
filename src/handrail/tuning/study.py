"""Tunes the hyperparameters: trials on the rows that the model learns from, until a limit is near.

Each trial is scored on expanding folds of the training period. The best is then compared with the present
ones on the validation period, which no trial has seen, so the choice doesn't flatter the gain. The test
period is not read at all.
"""

from collections.abc import Callable
from math import isfinite
from time import perf_counter

from handrail.config.settings import Settings
from handrail.tasks.metric import Metric
from handrail.training.run import SEED
from handrail.tuning.limits import Limits
from handrail.tuning.sampler import propose
from handrail.tuning.trial_log import Log, Trial, Values, add_event, read_log
from handrail.tuning.tuning_data import TuningData

COMPARISON_TRIALS = 2  # the comparison takes about as long as so many trials


def begin_study(settings: Settings, data: TuningData) -> str:
    """Go on with the study of the log, or begin one where it was made on something else; return which."""
    log, study = read_log(settings), data.study()
    changed = [name for name, fingerprint in study.items() if log.study.get(name) != fingerprint]
    if changed:
        add_event(settings, "study", study=study)
    if log.trials and changed:
        count = f"the {len(log.trials)} trials before are not mixed in"
        return f"changed since the last trial: {', '.join(changed)}; a new study begins, {count}"
    if not log.trials:
        return "a new study begins"
    lost = len(log.trials) - len(log.measured)
    failed = f", {lost} of them cut off, which counts as failed" if lost else ""
    return f"going on after {len(log.trials)} trials{failed}"


def run_trials(
    settings: Settings,
    data: TuningData,
    present: Values,
    limits: Limits,
    on_trial: Callable[[Log, float], None],
) -> str:
    """Try hyperparameters, the present ones first, until a limit is near; return which, in words.

    `on_trial` is told what is known after each, and the seconds since the beginning. The log is read again
    for each, so that the next trial is the same whether there was a kill or not.
    """
    began = perf_counter()
    while True:
        log, spent = read_log(settings), perf_counter() - began
        if len(log.trials) >= limits.trials:
            return f"{len(log.trials)} trials are done; --trials {2 * len(log.trials)} goes on"
        if spent + (1 + COMPARISON_TRIALS) * log.slowest_seconds > limits.seconds:
            return f"stopped: another trial and the comparison don't fit into what is left of {limits.called}"
        _try(settings, data, _next_values(data, log, present))
        on_trial(read_log(settings), perf_counter() - began)


def best_of(log: Log, metric: Metric) -> Trial:
    """Return the trial with the best score, the first of equals; one at least has come to its end."""
    return max(log.measured, key=lambda trial: metric.sign * (trial.score or 0.0))


def _try(settings: Settings, data: TuningData, values: Values) -> None:
    """Score hyperparameters, with a line in the log before and after."""
    began = perf_counter()
    add_event(settings, "begun", values=values)
    score = data.score(values)
    seconds = round(perf_counter() - began, 2)
    found = score if isfinite(score) else None  # a metric that the rows cannot show
    add_event(settings, "ended", score=found, baseline=data.baseline_score, seconds=seconds)


def _next_values(data: TuningData, log: Log, present: Values) -> Values:
    if not any(trial.values == present for trial in log.measured):
        return present
    space = data.settings.project.estimator.SPACE
    return propose(space, log.trials, bool(data.metric.greater_is_better), SEED)
