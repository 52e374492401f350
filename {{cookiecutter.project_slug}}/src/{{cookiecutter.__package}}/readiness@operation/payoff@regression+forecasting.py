"""What each prediction of live rows was worth, in the project's currency."""

import numpy as np

from ..model.features import Floats
from ..model.metrics import Decision, Doubles
from ..sections import ErrorCosts


def payoff(target: Floats, prediction: Floats, decision: Decision, costs: ErrorCosts) -> Doubles:
    """Return what planning with prediction and margin costs on each row, as a loss: at most 0."""
    spare = prediction.astype(np.float64) + decision["margin"] - target
    return np.where(spare < 0, spare * costs.too_low, -spare * costs.too_high)
