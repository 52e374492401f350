"""How good a set of probabilities is, in numbers.

Each is a function of counts by distinct prediction, so rows that tie have no order. Tests hold them equal to
scikit-learn's, which are too slow to resample hundreds of times.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Doubles, Floats
from handrail.tasks.metric import Decision, Metric


@dataclass(frozen=True)
class Counts:
    """One entry for each distinct prediction that has rows, the highest first; all (m).

    prediction: the probability · cases: how many of its rows turned out to be cases · rows: how many it has
    """

    prediction: Doubles
    cases: Doubles
    rows: Doubles

    @cached_property
    def hits(self) -> Doubles:
        """How many cases have at least this probability."""
        return np.cumsum(self.cases)

    @cached_property
    def alarms(self) -> Doubles:
        """How many rows that are no case have at least this probability."""
        return np.cumsum(self.rows - self.cases)

    def flagged(self, decision: Decision) -> NDArray[np.bool_]:
        """Return which predictions are picked out, to be acted on."""
        return self.prediction >= np.float32(decision["threshold"])


@dataclass(frozen=True)
class Cases:
    """Rows in groups of one prediction, ready to be counted with any weight of each row.

    prediction (m), highest first · cases, rows (m): the counts of all rows, once each · order (n): the rows
    by group, target (n) in that order, starts (m): where each group begins; None where only counts are known
    """

    prediction: Doubles
    cases: Doubles
    rows: Doubles
    order: NDArray[np.int64] | None = None
    target: Doubles | None = None
    starts: NDArray[np.int64] | None = None

    @classmethod
    def of_rows(cls, target: Floats, prediction: Floats) -> "Cases":
        """Group rows; both (n), at least one row."""
        order = np.argsort(-prediction, kind="stable")
        ordered, outcome = prediction[order].astype(np.float64), target[order].astype(np.float64)
        starts = np.flatnonzero(np.append(True, np.diff(ordered) != 0))
        cases, rows = np.add.reduceat(outcome, starts), np.diff(np.append(starts, len(order)))
        return cls(ordered[starts], cases, rows.astype(np.float64), order, outcome, starts)

    @classmethod
    def of_counts(cls, prediction: Any, cases: Any, rows: Any) -> "Cases":
        """Take counts that are there already, by distinct prediction, the highest first."""
        given = (np.asarray(each, dtype=np.float64) for each in (prediction, cases, rows))
        return cls(next(given), next(given), next(given))

    def weighted(self, weight: Doubles | None = None) -> tuple[Counts]:
        """Return the counts with each row counted `weight` times, in the order the rows were given in."""
        if weight is None:
            return (Counts(self.prediction, self.cases, self.rows),)
        if self.order is None or self.target is None or self.starts is None:
            raise ValueError("these are counts, not rows: they can't be weighted")
        each = weight[self.order]
        rows = np.add.reduceat(each, self.starts)
        cases = np.add.reduceat(each * self.target, self.starts)
        there = rows > 0
        return (Counts(self.prediction[there], cases[there], rows[there]),)


def roc_auc(counts: Counts) -> float:
    """Return the chance that a case is ranked above a non-case: Hanley and McNeil, Radiology (1982)."""
    above = ((counts.rows - counts.cases) * (counts.hits - counts.cases / 2)).sum()
    return _ratio(above, _last(counts.hits) * _last(counts.alarms))


def average_precision(counts: Counts) -> float:
    """Return the mean precision over all thresholds, weighted by the recall that each adds."""
    found = (counts.cases * counts.hits / (counts.hits + counts.alarms)).sum()
    return _ratio(found, _last(counts.hits))


def brier(counts: Counts) -> float:
    """Return the mean squared error of the probability: Brier, Monthly Weather Review (1950)."""
    wrong = counts.cases * (1 - counts.prediction) ** 2 + (counts.rows - counts.cases) * counts.prediction**2
    return _ratio(wrong.sum(), counts.rows.sum())


def precision(counts: Counts, decision: Decision) -> float:
    """Return the share of the rows picked out that are a case."""
    flagged = counts.flagged(decision)
    return _ratio(counts.cases[flagged].sum(), counts.rows[flagged].sum())


def recall(counts: Counts, decision: Decision) -> float:
    """Return the share of the cases that were picked out."""
    return _ratio(counts.cases[counts.flagged(decision)].sum(), counts.cases.sum())


def flagged_share(counts: Counts, decision: Decision) -> float:
    """Return the share of rows that were picked out."""
    return _ratio(counts.rows[counts.flagged(decision)].sum(), counts.rows.sum())


def observed_share(counts: Counts) -> float:
    """Return the share of rows that are a case."""
    return _ratio(counts.cases.sum(), counts.rows.sum())


def mean_prediction(counts: Counts) -> float:
    """Return the mean predicted probability."""
    return _ratio((counts.rows * counts.prediction).sum(), counts.rows.sum())


METRICS = (
    Metric(
        "roc_auc",
        roc_auc,
        "chance that a case is ranked above a non-case (0.5 = guessing)",
        greater_is_better=True,
        title="ROC AUC",
    ),
    Metric(
        "average_precision", average_precision, "mean precision over all thresholds", greater_is_better=True
    ),
    Metric(
        "brier",
        brier,
        "mean squared error of the probability (lower is better)",
        greater_is_better=False,
        title="Brier score",
    ),
    Metric(
        "precision",
        precision,
        "share of the rows picked out that are a case",
        greater_is_better=True,
        uses_decision=True,
    ),
    Metric(
        "recall",
        recall,
        "share of the cases that were picked out",
        greater_is_better=True,
        uses_decision=True,
    ),
    Metric("flagged_share", flagged_share, "share of rows that were picked out", uses_decision=True),
    Metric("observed_share", observed_share, "share of rows that are a case"),
    Metric("mean_prediction", mean_prediction, "mean predicted probability"),
)


def _last(running: Doubles) -> float:
    return float(running[-1]) if len(running) else 0.0


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
