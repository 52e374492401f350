"""How good a set of predicted amounts is, in numbers.

A test holds them equal to scikit-learn's, which is too slow to resample hundreds of times.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .features import Floats

Doubles = NDArray[np.float64]
# margin: what is added to a prediction when it is acted on · tolerable: an error up to here does no harm
Decision = Mapping[str, float]
KIND: Literal["classification", "regression"] = "regression"
GREATER_IS_BETTER = {"mae": False, "rmse": False, "r2": True, "wape": False, "within": True}
EXPLAINED = {
    "mae": "mean size of the errors, in the unit of the target",
    "rmse": "the same with large errors counting more: root of the mean square",
    "r2": "share of the differences between rows that is predicted (0 = none)",
    "wape": "sum of the errors' sizes as a share of the sum of the outcomes' sizes",
    "within": "share of predictions off by no more than is tolerable",
    "covered": "share of rows for which prediction and margin were enough",
    "mean_error": "mean of prediction less outcome (below 0 = predicted too low)",
    "mean_outcome": "mean of what came",
    "mean_prediction": "mean of what was predicted",
}
TITLES = {
    "mae": "mean absolute error",
    "rmse": "RMSE",
    "r2": "R²",
    "wape": "WAPE",
    "within": "share within tolerance",
    "covered": "share covered",
    "mean_error": "bias",
}
MEAN = "mean"  # what the mean of the target is called


@dataclass(frozen=True)
class Rows:
    """Outcomes and predictions, one of each per row."""

    target: Doubles
    prediction: Doubles


def rows_of(target: Floats, prediction: Floats) -> Rows:
    """Return both, same length and at least one row."""
    return Rows(target.astype(np.float64), prediction.astype(np.float64))


def measure(rows: Rows, decision: Decision, weight: Doubles | None = None) -> dict[str, float]:
    """Return every metric of `rows`, each counted `weight` times (once where None).

    A metric that the rows cannot show (outcomes all the same, or all zero) is NaN.
    """
    weight = np.ones(len(rows.target)) if weight is None else weight
    weight = weight / weight.sum()
    error, outcome = rows.prediction - rows.target, float(weight @ rows.target)
    size, square = np.abs(error), float(weight @ error**2)
    enough = rows.prediction + decision["margin"] >= rows.target
    return {
        "mae": float(weight @ size),
        "rmse": square**0.5,
        "r2": 1 - _ratio(square, float(weight @ (rows.target - outcome) ** 2)),
        "wape": _ratio(float(weight @ size), float(weight @ np.abs(rows.target))),
        "within": float(weight @ (size <= decision["tolerable"])),
        "covered": float(weight @ enough),
        "mean_error": float(weight @ error),
        "mean_outcome": outcome,
        "mean_prediction": float(weight @ rows.prediction),
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
