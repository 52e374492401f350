"""What follows from a predicted amount: how much to plan with, as errors to both sides cost differently."""

import numpy as np

from handrail.arrays import Doubles, Floats
from handrail.config.sections import ErrorCosts
from handrail.tasks.amounts.ranges import ends
from handrail.tasks.metric import Decision, ErrorMeans

DECIMALS = 6


def decide(target: Floats, prediction: Floats, costs: ErrorCosts) -> Decision:
    """Return the margin above the prediction that costs least on these rows, and the error that is tolerable.

    It is the quantile of the errors at which one unit more costs as much as one less:
    Arrow, Harris and Marschak, Econometrica (1951). So it is an error that occurs here, the lowest of those
    that cost least, whatever the size of the amounts.
    """
    share = costs.too_low / (costs.too_low + costs.too_high)
    margin = np.quantile(target.astype(np.float64) - prediction, share, method="inverted_cdf")
    return {"margin": float(margin), "tolerable": costs.tolerable}


def acts(prediction: Floats, decision: Decision) -> dict[str, Doubles]:
    """Return what is told beside each prediction (n): the amount to plan with, and the ends of its range."""
    amount = prediction.astype(np.float64)
    told = {"planned": amount + decision["margin"], **ends(amount, decision)}
    return {name: np.round(values, DECIMALS) for name, values in told.items()}


def errors(target: Floats, prediction: Floats, decision: Decision) -> ErrorMeans:
    """Return the mean amount that is short, and the one that is left over, of plans for rows (n)."""
    spare = prediction.astype(np.float64) + decision["margin"] - target
    return float(np.maximum(-spare, 0).mean()), float(np.maximum(spare, 0).mean())


def errors_without(target: Floats, costs: ErrorCosts) -> dict[str, ErrorMeans]:
    """Return the same where one amount is planned for all, the one that costs least here."""
    same = np.zeros(len(target), dtype=np.float32)
    return {"same": errors(target, same, decide(target, same, costs))}


def payoff(target: Floats, prediction: Floats, decision: Decision, costs: ErrorCosts) -> Doubles:
    """Return what planning with prediction and margin costs on each row, as a loss: at most 0."""
    spare = prediction.astype(np.float64) + decision["margin"] - target
    return np.where(spare < 0, spare * costs.too_low, -spare * costs.too_high)
