"""What follows from a probability: from which one on a row gets a warning."""

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Doubles, Floats
from handrail.config.sections import ErrorCosts
from handrail.tasks.metric import Decision

THRESHOLDS = np.round(np.arange(0.02, 0.981, 0.01), 2)


def decide(target: Floats, prediction: Floats, costs: ErrorCosts) -> Decision:
    """Return the threshold with the greatest payoff on these rows, the lowest of equals."""
    gains = [payoff(target, prediction, {"threshold": float(t)}, costs).mean() for t in THRESHOLDS]
    return {"threshold": float(THRESHOLDS[int(np.argmax(gains))])}


def acts(prediction: Floats, decision: Decision) -> dict[str, NDArray[np.bool_]]:
    """Return what is told beside each prediction (n): whether it is a warning."""
    return {"flagged": prediction >= np.float32(decision["threshold"])}


def payoff(target: Floats, prediction: Floats, decision: Decision, costs: ErrorCosts) -> Doubles:
    """Return what a row saves: a case that is warned of, what it would have cost; a false alarm costs."""
    warned = prediction >= np.float32(decision["threshold"])
    return np.where(warned, np.where(target == 1, costs.too_low, -costs.too_high), 0.0)
