"""How much each feature matters to the model: what is lost when its values are shuffled.

Breiman, Random Forests, Machine Learning (2001).
"""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model.features import Floats
from ..model.metrics import GREATER_IS_BETTER, Doubles, measure, ranked

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
    features: Floats,
    target: Floats,
    metric: str,
) -> list[Importance]:
    """Return every feature's importance to `metric`, the greatest first.

    `features` (rows, names), `target` (rows); at most ROWS of them are looked at. The interval covers
    both the shuffling (REPEATS times) and the choice of rows (RESAMPLES times).
    """
    rng = np.random.default_rng(SEED)
    chosen = np.sort(rng.permutation(len(target))[:ROWS])
    features, target = features[chosen], target[chosen]
    draws = rng.integers(0, len(target), (RESAMPLES, len(target)))
    whole = _scores(target, [predict(features)], metric, draws)

    def without(place: int) -> Importance:
        shuffled = [predict(each) for each in _shuffled(features, place)]
        return _importance(names[place], whole, _scores(target, shuffled, metric, draws))

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
    target: Floats, predictions: Sequence[Floats], metric: str, draws: NDArray[np.int64]
) -> tuple[float, Doubles]:
    """Return `metric` over all predictions, and on each draw of rows; greater is better."""
    sign = 1 if GREATER_IS_BETTER[metric] else -1
    plain = [measure(ranked(target, each), 0.5)[metric] for each in predictions]
    drawn = [
        measure(ranked(target[rows], predictions[turn % len(predictions)][rows]), 0.5)[metric]
        for turn, rows in enumerate(draws)
    ]
    return sign * float(np.mean(plain)), sign * np.array(drawn)


def _importance(name: str, whole: tuple[float, Doubles], without: tuple[float, Doubles]) -> Importance:
    value, drawn = whole[0] - without[0], whole[1] - without[1]
    known = drawn[np.isfinite(drawn)]
    margin = 1.96 * float(known.std()) if len(known) else math.nan
    return Importance(name, value, value - margin, value + margin)
