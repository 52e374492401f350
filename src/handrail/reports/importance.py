"""How much each feature matters to the model: what is lost when its values are shuffled.

Breiman, Random Forests, Machine Learning (2001).
"""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Doubles, Floats
from handrail.tasks.metric import Decision, Metric, Metrics
from handrail.training.dataset import Dataset

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
    covers both the shuffling (REPEATS times) and the choice of rows (RESAMPLES times).
    """
    rng = np.random.default_rng(SEED)
    chosen = np.sort(rng.permutation(len(test))[:ROWS])
    features, target = test.features[chosen], test.target[chosen]
    draws = rng.integers(0, len(target), (RESAMPLES, len(target)))

    def score(prediction: Floats, rows: Any = slice(None)) -> float:
        outcomes = metrics.outcomes(target[rows], prediction[rows])
        return metric.sign * metric.value(outcomes.weighted(), decision)

    whole = _scores(score, [predict(features)], draws)

    def without(place: int) -> Importance:
        shuffled = [predict(each) for each in _shuffled(features, place)]
        return _importance(names[place], whole, _scores(score, shuffled, draws))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(without, range(len(names))))
    return sorted(found, key=lambda each: -np.nan_to_num(each.value, nan=-np.inf))


def _shuffled(features: Floats, place: int) -> Iterator[Floats]:
    rng = np.random.default_rng([SEED, place])
    for _ in range(REPEATS):
        changed = features.copy()
        changed[:, place] = rng.permutation(features[:, place])
        yield changed


def _scores(
    score: Callable[..., float], predictions: Sequence[Floats], draws: NDArray[np.int64]
) -> tuple[float, Doubles]:
    """Return the score over all predictions, and on each draw of rows; greater is better."""
    drawn = [score(predictions[turn % len(predictions)], rows) for turn, rows in enumerate(draws)]
    return float(np.mean([score(each) for each in predictions])), np.array(drawn)


def _importance(name: str, whole: tuple[float, Doubles], without: tuple[float, Doubles]) -> Importance:
    value, drawn = whole[0] - without[0], whole[1] - without[1]
    known = drawn[np.isfinite(drawn)]
    margin = 1.96 * float(known.std()) if len(known) else math.nan
    return Importance(name, value, value - margin, value + margin)
