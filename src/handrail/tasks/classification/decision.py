"""What follows from a probability: from which one on a row gets a warning."""

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Doubles, Floats
from handrail.config.sections import ErrorCosts
from handrail.tasks.metric import Decision, ErrorMeans

NOBODY = float(np.nextafter(np.float32(1), np.float32(2)))  # above every probability: no row is warned of
MOST_DECIMALS = 8


def decide(target: Floats, prediction: Floats, costs: ErrorCosts) -> Decision:
    """Return the threshold with the greatest payoff on these rows, the lowest of equals.

    It parts two predictions that occur here, or is NOBODY where every warning loses: no grid is fine enough
    for a rare class.
    """
    thresholds, warned, cases = counts_from(target, prediction)
    payoffs = cases * costs.too_low - (warned - cases) * costs.too_high
    place = int(np.argmax(payoffs))
    return {"threshold": _between(thresholds[place - 1] if place else -1.0, thresholds[place])}


def counts_from(target: Floats, prediction: Floats) -> tuple[Doubles, Doubles, Doubles]:
    """Return every threshold that changes anything (m), and how many rows and cases are warned of from it on.

    target, prediction: (n), at least one row. The thresholds are the distinct predictions, the lowest first,
    then NOBODY.
    """
    order = np.argsort(prediction, kind="stable")
    ordered, case = prediction[order].astype(np.float64), target[order] == 1
    starts = np.flatnonzero(np.append(True, np.diff(ordered) != 0))
    before = np.append(np.cumsum(case)[starts] - case[starts], case.sum())
    warned = len(ordered) - np.append(starts, len(ordered))
    return np.append(ordered[starts], NOBODY), warned.astype(np.float64), (case.sum() - before).astype(float)


def _between(below: float, score: float) -> float:
    """Return the number of fewest decimals above `below` and at most `score`, both as float32.

    Where predictions are logged, they are rounded: those of `score` must still be found above it.
    """
    for places in range(MOST_DECIMALS + 1):
        for number in (round(score, places), np.floor(score * 10**places) / 10**places):
            if below < np.float32(number) <= score:
                return float(number)
    return float(score)


def shown_threshold(threshold: float) -> str:
    """Return a threshold as people read it: in percent, with three digits of it or of what is left to 100."""
    if threshold > 1:
        return "above 100%"
    rest = min(threshold, 1 - threshold)
    places = 1 if rest <= 0 else max(1, -int(np.floor(np.log10(rest))))
    return f"{round(100 * threshold, places):.{places}f}".rstrip("0").rstrip(".") + "%"


def acts(prediction: Floats, decision: Decision) -> dict[str, NDArray[np.bool_]]:
    """Return what is told beside each prediction (n): whether it is a warning."""
    return {"flagged": prediction >= np.float32(decision["threshold"])}


def errors(target: Floats, prediction: Floats, decision: Decision) -> ErrorMeans:
    """Return the share of rows (n) that are cases and get no warning, and of those warned of for nothing."""
    warned, case = acts(prediction, decision)["flagged"], target == 1
    return float((case & ~warned).mean()), float((warned & ~case).mean())


def errors_without(target: Floats) -> dict[str, ErrorMeans]:
    """Return the same where nobody is warned of, or of every row."""
    share = float((target == 1).mean())
    return {"never": (share, 0.0), "always": (0.0, 1 - share)}


def payoff(target: Floats, prediction: Floats, decision: Decision, costs: ErrorCosts) -> Doubles:
    """Return what a row saves: a case that is warned of, what it would have cost; a false alarm costs."""
    warned = prediction >= np.float32(decision["threshold"])
    return np.where(warned, np.where(target == 1, costs.too_low, -costs.too_high), 0.0)
