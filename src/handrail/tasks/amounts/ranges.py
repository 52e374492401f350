"""How far an amount may be off: beside each prediction stands the range in which most outcomes are to lie.

Split conformal prediction: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World (2005). No
model has to be right and no error of any shape, but later rows have to be like those of the validation
period.
"""

from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Doubles, Floats
from handrail.contract.schema import Column
from handrail.tasks.metric import Decision

ROUNDING = 1e-9  # below what a product such as 10 * 0.7 is off


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
) -> dict[str, float]:
    """Return what a decision says of ranges, learnt of rows (n) that neither of the two has learnt from.

    range, baseline_range: how far a range reaches to either side of a prediction, each by its own errors
    range_level: the share of outcomes that are to lie in it · lowest, highest: where it ends at the latest,
    as the rules of `column`, the target, say. What too few rows cannot tell is left out.
    """
    reaches = {"range": radius(target, prediction, level)}
    if simple is not None:
        reaches["baseline_range"] = radius(target, simple, level)
    known = {name: reach for name, reach in reaches.items() if reach < inf}
    limits = {"lowest": column.ge, "highest": column.le}
    said = {name: float(limit) for name, limit in limits.items() if limit is not None}
    return {**known, "range_level": level, **said} if known else {}


def ends(amount: Doubles, decision: Decision) -> dict[str, Doubles]:
    """Return `low` and `high` of the range of each amount (n); nothing where the decision knows no range."""
    if "range" not in decision:
        return {}
    lowest, highest = decision.get("lowest", -inf), decision.get("highest", inf)
    low, high = (amount + side * decision["range"] for side in (-1, 1))
    return {"low": np.clip(low, lowest, highest), "high": np.clip(high, lowest, highest)}


def coverage(target: Doubles, prediction: Doubles, weight: Doubles, decision: Decision) -> float:
    """Return the share of outcomes in the range that stood beside the prediction, NaN where none did.

    `range` of the decision is how far it reaches: one number for all rows, or one for each, NaN where a row
    had none.
    """
    reach: NDArray[np.float64] = np.asarray(decision.get("range", np.nan), dtype=np.float64)
    had_one = float((weight * ~np.isnan(reach)).sum())
    return float((weight * (np.abs(prediction - target) <= reach)).sum()) / had_one if had_one else np.nan
