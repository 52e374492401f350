"""What each prediction of live rows was worth, in the project's currency."""

import numpy as np

from ..model.features import Floats
from ..model.metrics import Decision, Doubles
from ..sections import ErrorCosts


def payoff(target: Floats, prediction: Floats, decision: Decision, costs: ErrorCosts) -> Doubles:
    """Return what a row saves: a case that is warned of, what it would have cost; a false alarm costs."""
    warned = prediction >= np.float32(decision["threshold"])
    return np.where(warned, np.where(target == 1, costs.too_low, -costs.too_high), 0.0)
