"""Tunes the hyperparameters: trials on the rows that the model learns from, until a limit is near.

Each trial is scored on expanding folds of the training period. The best is then compared with the present
ones on the validation period, which no trial has seen, so the choice doesn't flatter the gain. The test
period is not read at all.
"""

from collections.abc import Callable
from math import isfinite
from time import perf_counter

from ..settings import Settings
from .ground import Ground
from .hyperparameters import SPACE
from .limits import Limits
from .metrics import GREATER_IS_BETTER
from .proposal import propose
from .record import SEED
from .trials import Log, Trial, Values, add_event, read_log

COMPARISON_TRIALS = 2  # the comparison takes about as long as so many trials


def begin_study(settings: Settings, ground: Ground) -> str:
    """Go on with the study of the log, or begin one where it was made on something else; return which."""
    log, study = read_log(settings), ground.study()
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
    ground: Ground,
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
        _try(settings, ground, _next_values(ground, log, present))
        on_trial(read_log(settings), perf_counter() - began)


def best_of(log: Log, metric: str) -> Trial:
    """Return the trial with the best score, the first of equals; one at least has come to its end."""
    sign = 1 if GREATER_IS_BETTER[metric] else -1
    return max(log.measured, key=lambda trial: sign * (trial.score or 0.0))


def _try(settings: Settings, ground: Ground, values: Values) -> None:
    """Score hyperparameters, with a line in the log before and after."""
    began = perf_counter()
    add_event(settings, "begun", values=values)
    score = ground.score(values)
    seconds = round(perf_counter() - began, 2)
    found = score if isfinite(score) else None  # a metric that the rows cannot show
    add_event(settings, "ended", score=found, baseline=ground.baseline_score, seconds=seconds)


def _next_values(ground: Ground, log: Log, present: Values) -> Values:
    if not any(trial.values == present for trial in log.measured):
        return present
    return propose(SPACE, log.trials, GREATER_IS_BETTER[ground.metric], SEED)
