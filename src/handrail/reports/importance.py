"""How much each feature matters to the model: what is lost when its values are shuffled.

Breiman, Random Forests, Machine Learning (2001).
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from handrail.arrays import Doubles, Floats
from handrail.tasks.metric import Decision, Metric, Metrics
from handrail.training.dataset import Dataset
from handrail.training.intervals import figures

ROWS = 5_000
SEED = 0
REPEATS = 4
RESAMPLES = 40


@dataclass(frozen=True)
class Importance:
    """How far a metric gets worse without the feature, with its 95% interval."""

    feature: str
    value: float
    low: float
    high: float


def importances(
    names: Sequence[str],
    predict: Callable[[Floats], Floats],
    test: Dataset,
    metrics: Metrics,
    metric: Metric,
    decision: Decision,
) -> list[Importance]:
    """Return every feature's importance to `metric`, the greatest first.

    `names` are those of the features of `test`; at most ROWS of its rows are looked at. The interval
    covers both the shuffling (REPEATS times) and the choice of rows (RESAMPLES times, whole groups).
    """
    rng = np.random.default_rng(SEED)
    chosen = np.sort(rng.permutation(len(test))[:ROWS])
    features, target = test.features[chosen], test.target[chosen]
    groups = test.groups.rows(chosen)

    def measured(predictions: Sequence[Floats]) -> tuple[float, Doubles]:
        """Return the score over all predictions, and on each draw of rows; greater is better."""
        prepared = [metrics.outcomes(target, each) for each in predictions]
        values = [metric.value(each.weighted(), decision) for each in prepared]
        drawn = [
            metric.value(prepared[turn % len(prepared)].weighted(weight), decision)
            for turn, weight in enumerate(groups.weights(RESAMPLES))
        ]
        return metric.sign * float(np.mean(values)), metric.sign * np.array(drawn)

    whole = measured([predict(features)])

    def without(place: int) -> Importance:
        shuffled = [predict(each) for each in _shuffled(features, place)]
        (value, drawn), (less, drawn_less) = whole, measured(shuffled)
        found = figures(value - less, drawn - drawn_less, groups)
        return Importance(names[place], found["value"], found["low"], found["high"])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(without, range(len(names))))
    return sorted(found, key=lambda each: -np.nan_to_num(each.value, nan=-np.inf))


def _shuffled(features: Floats, place: int) -> Iterator[Floats]:
    rng = np.random.default_rng([SEED, place])
    for _ in range(REPEATS):
        changed = features.copy()
        changed[:, place] = rng.permutation(features[:, place])
        yield changed
