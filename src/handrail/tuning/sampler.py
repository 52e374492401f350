"""Which hyperparameters to try next, by Optuna's sampler: those likely better than the ones so far.

Bergstra et al., Algorithms for Hyper-Parameter Optimization (2011). Nothing is kept here: the same trials
give the same proposal, whether they were made in one go or after a kill.
"""

from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from handrail.training.hyperparameters import Between
from handrail.tuning.trial_log import Trial, Values

RANDOM_TRIALS = 6  # the first few are drawn at random: there is nothing to learn from yet


def propose(
    space: Mapping[str, Between], trials: Sequence[Trial], greater_is_better: bool, seed: int
) -> Values:
    """Return hyperparameters to try after `trials`; those outside `space` are not learnt from."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed + len(trials), n_startup_trials=RANDOM_TRIALS)
    study = optuna.create_study(direction="maximize" if greater_is_better else "minimize", sampler=sampler)
    distributions = {name: _distribution(between) for name, between in space.items()}
    for trial in trials:
        values = {name: trial.values[name] for name in space}
        if trial.score is not None and all(space[name].holds(value) for name, value in values.items()):
            study.add_trial(create_trial(value=trial.score, params=values, distributions=distributions))
    proposed = study.ask(distributions).params
    return {name: value if space[name].whole else float(f"{value:.4g}") for name, value in proposed.items()}


def _distribution(between: Between) -> BaseDistribution:
    if between.whole:
        return IntDistribution(int(between.low), int(between.high), log=between.log)
    return FloatDistribution(between.low, between.high, log=between.log)
