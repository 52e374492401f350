"""How good a set of predicted amounts is, in numbers.

Each is a function of target, prediction and weight: arrays of one length, the weights summing to 1. Tests
hold them equal to scikit-learn's, which are too slow to resample hundreds of times.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Doubles, Floats
from handrail.tasks.amounts.ranges import coverage
from handrail.tasks.metric import OF_TARGET, Decision, Metric


@dataclass(frozen=True)
class Amounts:
    """Outcomes and predictions, and how often each pair counts; all (n)."""

    target: Doubles
    prediction: Doubles
    rows: Doubles

    @classmethod
    def of_rows(cls, target: Floats, prediction: Floats) -> "Amounts":
        """Take rows, once each; both (n), at least one row."""
        return cls.of_counts(target, prediction, np.ones(len(target)))

    @classmethod
    def of_counts(cls, target: Any, prediction: Any, rows: Any) -> "Amounts":
        """Take pairs of outcome and prediction with the number of their rows."""
        return cls(*(np.asarray(each, dtype=np.float64) for each in (target, prediction, rows)))

    def weighted(self, weight: Doubles | None = None) -> tuple[Doubles, Doubles, Doubles]:
        """Return target, prediction and weights that sum to 1; pairs count `weight` times as often."""
        each = self.rows if weight is None else self.rows * weight
        return self.target, self.prediction, each / each.sum()


def mae(target: Doubles, prediction: Doubles, weight: Doubles) -> float:
    """Return the mean absolute error."""
    return _mean(np.abs(prediction - target), weight)


def rmse(target: Doubles, prediction: Doubles, weight: Doubles) -> float:
    """Return the root of the mean squared error."""
    return _mean((prediction - target) ** 2, weight) ** 0.5


def r2(target: Doubles, prediction: Doubles, weight: Doubles) -> float:
    """Return the share of the target's variance that is predicted."""
    spread = _mean((target - _mean(target, weight)) ** 2, weight)
    return 1 - _ratio(_mean((prediction - target) ** 2, weight), spread)


def wape(target: Doubles, prediction: Doubles, weight: Doubles) -> float:
    """Return the sum of the errors' sizes as a share of the sum of the outcomes' sizes."""
    return _ratio(_mean(np.abs(prediction - target), weight), _mean(np.abs(target), weight))


def within(target: Doubles, prediction: Doubles, weight: Doubles, decision: Decision) -> float:
    """Return the share of predictions off by no more than is tolerable."""
    return _mean(np.abs(prediction - target) <= decision["tolerable"], weight)


def covered(target: Doubles, prediction: Doubles, weight: Doubles, decision: Decision) -> float:
    """Return the share of rows for which prediction and margin were enough."""
    return _mean(prediction + decision["margin"] >= target, weight)


def mean_error(target: Doubles, prediction: Doubles, weight: Doubles) -> float:
    """Return the mean of prediction less outcome."""
    return _mean(prediction - target, weight)


def mean_outcome(target: Doubles, prediction: Doubles, weight: Doubles) -> float:
    """Return the mean of what came."""
    return _mean(target, weight)


def mean_prediction(target: Doubles, prediction: Doubles, weight: Doubles) -> float:
    """Return the mean of what was predicted."""
    return _mean(prediction, weight)


METRICS = (
    Metric(
        "mae",
        mae,
        "mean size of the errors, in the unit of the target",
        greater_is_better=False,
        title="mean absolute error",
        unit=OF_TARGET,
    ),
    Metric(
        "rmse",
        rmse,
        "the same with large errors counting more: root of the mean square",
        greater_is_better=False,
        title="RMSE",
        unit=OF_TARGET,
    ),
    Metric(
        "r2",
        r2,
        "share of the differences between rows that is predicted (0 = none)",
        greater_is_better=True,
        title="R²",
    ),
    Metric(
        "wape",
        wape,
        "sum of the errors' sizes as a share of the sum of the outcomes' sizes",
        greater_is_better=False,
        title="WAPE",
    ),
    Metric(
        "within",
        within,
        "share of predictions off by no more than is tolerable",
        greater_is_better=True,
        title="share within tolerance",
        uses_decision=True,
    ),
    Metric(
        "covered",
        covered,
        "share of rows for which prediction and margin were enough",
        title="share covered",
        uses_decision=True,
    ),
    Metric(
        "coverage",
        coverage,
        "share of outcomes between the low and the high end of the range",
        title="coverage of the ranges",
        uses_decision=True,
    ),
    Metric(
        "mean_error",
        mean_error,
        "mean of prediction less outcome (below 0 = predicted too low)",
        title="bias",
        unit=OF_TARGET,
    ),
    Metric("mean_outcome", mean_outcome, "mean of what came", unit=OF_TARGET),
    Metric("mean_prediction", mean_prediction, "mean of what was predicted", unit=OF_TARGET),
)


def _mean(values: NDArray[Any], weight: Doubles) -> float:
    """Return the weighted mean, NaN of nothing; added in one order always, which a dot product is not."""
    return float((weight * values).sum()) if len(values) else float("nan")


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
