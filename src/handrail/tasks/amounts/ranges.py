"""How far an amount may be off: beside each prediction stands the range in which most outcomes are to lie.

Split conformal prediction: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World (2005). No
model has to be right and no error of any shape, but later rows have to be like those of the validation
period. Large amounts are mostly further off than small ones, so where there are rows enough, predictions of
like size have a range of their own (Mondrian conformal regressors: Boström and Johansson, COPA 2020).
"""

from collections.abc import Iterator
from math import ceil, inf

import numpy as np

from handrail.arrays import Doubles, Floats
from handrail.contract.schema import Column
from handrail.tasks.metric import Decision

ROUNDING = 1e-9  # below what a product such as 10 * 0.7 is off
MOST_SIZES = 10
ROWS_OF_A_SIZE, OUTSIDE = 200, 10  # as few rows to learn a range of, and as few of them outside of it


def radius(target: Floats, prediction: Floats, level: float) -> float:
    """Return how far from the predictions `level` (0 to 1) of later outcomes stay, learnt of these rows (n).

    It is the ceil((n + 1) * level)-th of the errors by their size: the outcome of a later row like these lies
    within it with a chance of at least `level`, and of at most 1 / (n + 1) more where no errors are alike.
    Infinite where there are too few rows to tell. The model must not have learnt from them.
    """
    errors = np.sort(np.abs(prediction.astype(np.float64) - target))
    place = ceil((len(errors) + 1) * level - ROUNDING)
    return float(errors[place - 1]) if place <= len(errors) else inf


def ranges(
    target: Floats, prediction: Floats, simple: Floats | None, level: float, column: Column
) -> Decision:
    """Return what a decision says of ranges, learnt of rows (n) that neither of the two has learnt from.

    range, baseline_range: how far a range reaches to either side of a prediction, each by its own errors, for
    predictions of each size (k) · range_from, baseline_range_from: where the second and each later size
    begins (k - 1) · range_level: the share of outcomes that are to lie in it · lowest, highest: where it ends
    at the latest, as the rules of `column`, the target, say. What too few rows cannot tell is left out.
    """
    known = _learnt("range", target, prediction, level)
    if simple is not None:
        known |= _learnt("baseline_range", target, simple, level)
    limits = {"lowest": column.ge, "highest": column.le}
    said = {name: float(limit) for name, limit in limits.items() if limit is not None}
    return {**known, "range_level": level, **said} if known else {}


def _learnt(name: str, target: Floats, prediction: Floats, level: float) -> dict[str, list[float]]:
    begins = [*_sizes(prediction, max(ROWS_OF_A_SIZE, ceil(OUTSIDE / (1 - level))))]
    size = np.searchsorted(begins, prediction, side="right")
    of_each = (size == number for number in range(len(begins) + 1))
    found = [radius(target[rows], prediction[rows], level) for rows in of_each]
    return {name: found, f"{name}_from": begins} if max(found) < inf else {}


def _sizes(prediction: Floats, fewest: int) -> Iterator[float]:
    """Yield where predictions of another size begin: shares of about as many rows each, none with fewer."""
    ordered = np.sort(prediction.astype(np.float64))
    begun, many = 0, min(MOST_SIZES, len(ordered) // fewest)
    for number in range(1, many):
        begins = ordered[len(ordered) * number // many]
        below = int(np.searchsorted(ordered, begins))
        if below - begun >= fewest and len(ordered) - below >= fewest:
            begun = below
            yield float(begins)


def reaches(prediction: Doubles, decision: Decision) -> Doubles:
    """Return how far the range of each prediction (n) reaches to either side, NaN where none is known."""
    if "range" not in decision:
        return np.full(len(prediction), np.nan)
    size = np.searchsorted(decision["range_from"], prediction, side="right")
    return np.asarray(decision["range"], dtype=np.float64)[size]


def ends(amount: Doubles, decision: Decision) -> dict[str, Doubles]:
    """Return `low` and `high` of the range of each amount (n); nothing where the decision knows no range.

    It ends where outcomes do, as the contract says, but holds the amount itself, even one beyond that.
    """
    if "range" not in decision:
        return {}
    lowest, highest = decision.get("lowest", -inf), decision.get("highest", inf)
    low, high = (amount + side * reaches(amount, decision) for side in (-1, 1))
    inside = np.clip(low, lowest, highest), np.clip(high, lowest, highest)
    return {"low": np.minimum(inside[0], amount), "high": np.maximum(inside[1], amount)}


def coverage(target: Doubles, prediction: Doubles, weight: Doubles, decision: Decision) -> float:
    """Return the share of outcomes in the range that stood beside the prediction, NaN where none did.

    `reach` of the decision is how far it reached for each row (n), NaN where a row had none; without it, what
    `range` says goes for all.
    """
    reach = decision["reach"] if "reach" in decision else reaches(prediction, decision)
    had_one = float((weight * ~np.isnan(reach)).sum())
    return float((weight * (np.abs(prediction - target) <= reach)).sum()) / had_one if had_one else np.nan
