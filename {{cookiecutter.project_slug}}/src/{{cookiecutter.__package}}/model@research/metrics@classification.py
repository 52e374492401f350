"""How good a set of probabilities is, in numbers.

A test holds them equal to scikit-learn's, which is too slow to resample hundreds of times.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .features import Floats

Doubles = NDArray[np.float64]
Decision = Mapping[str, float]  # threshold: the probability from which a row gets a warning
KIND: Literal["classification", "regression"] = "classification"
GREATER_IS_BETTER = {
    "roc_auc": True,
    "average_precision": True,
    "brier": False,
    "precision": True,
    "recall": True,
}
EXPLAINED = {
    "roc_auc": "chance that a case is ranked above a non-case (0.5 = guessing)",
    "average_precision": "mean precision over all thresholds",
    "brier": "mean squared error of the probability (lower is better)",
    "precision": "share of the warnings that were right",
    "recall": "share of the cases that were warned of",
    "flagged_share": "share of rows that get a warning",
    "observed_share": "share of rows that are a case",
    "mean_prediction": "mean predicted probability",
}
TITLES = {"roc_auc": "ROC AUC", "brier": "Brier score"}
MEAN = "share of cases"  # what the mean of the target is called


@dataclass(frozen=True)
class Rows:
    """Outcomes (0 or 1) and probabilities, the highest first; `ends` are the last places of equal ones.

    `order` has the place that each had before.
    """

    target: Doubles
    prediction: Doubles
    ends: NDArray[np.int64]
    order: NDArray[np.int64]


def rows_of(target: Floats, prediction: Floats) -> Rows:
    """Return both, same length and at least one row, in the order of the prediction."""
    order = np.argsort(-prediction, kind="stable")
    sorted_prediction = prediction[order].astype(np.float64)
    ends = np.flatnonzero(np.append(np.diff(sorted_prediction) != 0, True))
    return Rows(target[order].astype(np.float64), sorted_prediction, ends, order)


def measure(rows: Rows, decision: Decision, weight: Doubles | None = None) -> dict[str, float]:
    """Return every metric of `rows`, each counted `weight` times, in their former order (once where None).

    A metric that the rows cannot show (one outcome only, no warning) is NaN.
    """
    weight = np.ones(len(rows.target)) if weight is None else weight[rows.order]
    cases, total = weight * rows.target, weight.sum()
    hits, alarms = np.cumsum(cases)[rows.ends], np.cumsum(weight - cases)[rows.ends]
    flagged = rows.prediction >= np.float32(decision["threshold"])
    caught, warned = cases[flagged].sum(), weight[flagged].sum()
    return {
        "roc_auc": _ratio(
            (np.diff(alarms, prepend=0) * (hits - np.diff(hits, prepend=0) / 2)).sum(), hits[-1] * alarms[-1]
        ),
        "average_precision": _ratio(
            (np.diff(hits, prepend=0) * hits / np.maximum(hits + alarms, 1)).sum(), hits[-1]
        ),
        "brier": _ratio((weight * (rows.prediction - rows.target) ** 2).sum(), total),
        "precision": _ratio(caught, warned),
        "recall": _ratio(caught, hits[-1]),
        "flagged_share": _ratio(warned, total),
        "observed_share": _ratio(hits[-1], total),
        "mean_prediction": _ratio((weight * rows.prediction).sum(), total),
    }


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
