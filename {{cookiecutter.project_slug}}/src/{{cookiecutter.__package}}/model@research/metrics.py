"""How good a set of probabilities is: the numbers, and the threshold that pays most.

`measure` is for what training holds back; `live_query` computes the same inside the engine for what was
served. A test holds both equal to scikit-learn, which is too slow to resample hundreds of times.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .features import Floats

Doubles = NDArray[np.float64]
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
THRESHOLDS = np.round(np.arange(0.02, 0.981, 0.01), 2)


@dataclass(frozen=True)
class Ranked:
    """Outcomes (0 or 1) and probabilities, the highest first; `ends` are the last places of equal ones."""

    target: Doubles
    prediction: Doubles
    ends: NDArray[np.int64]


def ranked(target: Floats, prediction: Floats) -> Ranked:
    """Return both, same length and at least one row, in the order of the prediction."""
    order = np.argsort(-prediction, kind="stable")
    sorted_prediction = prediction[order].astype(np.float64)
    ends = np.flatnonzero(np.append(np.diff(sorted_prediction) != 0, True))
    return Ranked(target[order].astype(np.float64), sorted_prediction, ends)


def measure(rows: Ranked, threshold: float, weight: Doubles | None = None) -> dict[str, float]:
    """Return every metric of `rows`, each counted `weight` times (once where None).

    A metric that the rows cannot show (one outcome only, no warning) is NaN.
    """
    weight = np.ones(len(rows.target)) if weight is None else weight
    cases, total = weight * rows.target, weight.sum()
    hits, alarms = np.cumsum(cases)[rows.ends], np.cumsum(weight - cases)[rows.ends]
    flagged = rows.prediction >= np.float32(threshold)
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


def payoff_per_row(
    target: Floats, prediction: Floats, threshold: float, caught: float, false_alarm: float
) -> float:
    """Return the mean gain per row if every prediction of at least `threshold` is acted on."""
    flagged = prediction >= np.float32(threshold)
    return float(np.where(flagged, np.where(target == 1, caught, false_alarm), 0.0).mean())


def best_threshold(target: Floats, prediction: Floats, caught: float, false_alarm: float) -> float:
    """Return the threshold with the greatest payoff, the lowest of equals."""
    gains = [payoff_per_row(target, prediction, t, caught, false_alarm) for t in THRESHOLDS]
    return float(THRESHOLDS[int(np.argmax(gains))])


def bootstrap(
    rows: Ranked, threshold: float, resamples: int, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Return a 95% percentile interval per metric from resampled rows. Efron, Annals of Statistics (1979)."""
    rng, n = np.random.default_rng(seed), len(rows.target)
    draws = (np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64) for _ in range(resamples))
    measured = [measure(rows, threshold, draw) for draw in draws]
    return {name: _interval(np.array([each[name] for each in measured])) for name in measured[0]}


def live_query(source: str, prediction: str, target: str, threshold: float) -> str:
    """Return a query of one row: `outcomes` and the metrics of `source`, computed by the engine.

    roc_auc is the Mann-Whitney statistic on mid-ranks: Hanley and McNeil, Radiology (1982).
    """
    cut = f"CAST({threshold!r} AS FLOAT)"
    return f"""
        WITH ranked AS (
            SELECT CAST({target} AS DOUBLE) AS y, {prediction} AS p,
                rank() OVER (ORDER BY {prediction})
                + (count(*) OVER (PARTITION BY {prediction}) - 1) / 2.0 AS mid_rank,
                avg(CAST({target} AS DOUBLE)) OVER (ORDER BY {prediction} DESC) AS precision_from_here
            FROM {source} WHERE {target} IS NOT NULL
        )
        SELECT count(*) AS outcomes,
            (sum(CASE WHEN y = 1 THEN mid_rank END) - sum(y) * (sum(y) + 1) / 2)
                / nullif(sum(y) * (count(*) - sum(y)), 0) AS roc_auc,
            avg(CASE WHEN y = 1 THEN precision_from_here END) AS average_precision,
            avg((p - y) * (p - y)) AS brier,
            avg(CASE WHEN p >= {cut} THEN y END) AS precision,
            avg(CASE WHEN y = 1 THEN CASE WHEN p >= {cut} THEN 1.0 ELSE 0.0 END END) AS recall,
            avg(CASE WHEN p >= {cut} THEN 1.0 ELSE 0.0 END) AS flagged_share,
            avg(y) AS observed_share,
            avg(p) AS mean_prediction
        FROM ranked
    """


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    if np.isnan(values).all():
        return float("nan"), float("nan")
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)
