"""What the report's pictures and tables are drawn from: plain numbers, computed from arrays."""

from dataclasses import dataclass

import numpy as np

from handrail.arrays import Doubles, Floats
from handrail.config.sections import ErrorCosts

PER = 1000
CURVE_POINTS = 100
MOST_BINS = 10
FEWEST_ROWS_PER_BIN = 50
SHARES, APART = (0.5, 0.65, 0.75, 0.85, 0.95), 0.04


@dataclass(frozen=True)
class Choice:
    """What planning with a margin brings; `cost` per PER rows, `interval` half its 95% interval.

    enough: share of rows for which the plan was enough · short, spare: mean amount per row.
    """

    margin: float
    enough: float
    short: float
    spare: float
    cost: float
    interval: float

    @property
    def value(self) -> float:
        """What is chosen."""
        return self.margin

    @property
    def share(self) -> float:
        """The share of rows that it is enough for."""
        return self.enough


@dataclass(frozen=True)
class Bin:
    """Rows of like prediction: means, the outcomes' 10th and 90th percentile, the errors' mean size."""

    rows: int
    predicted: float
    observed: float
    low: float
    high: float
    error: float
    simple_error: float


def budget(target: Floats, prediction: Floats, largest: float) -> tuple[Doubles, Doubles]:
    """Return sizes of error from 0 to `largest`, and the share of rows whose error is no larger."""
    sizes = np.linspace(0, largest, CURVE_POINTS)
    errors = np.sort(np.abs(prediction.astype(np.float64) - target))
    return sizes, np.searchsorted(errors, sizes, side="right") / len(errors)


def bins(target: Floats, prediction: Floats, simple: Floats) -> list[Bin]:
    """Return up to MOST_BINS bins of about equally many rows, the lowest predictions first."""
    count = max(1, min(MOST_BINS, len(target) // FEWEST_ROWS_PER_BIN))
    edges = np.unique(np.quantile(prediction, np.arange(1, count) / count))
    places = np.searchsorted(edges, prediction, side="right")
    arrays = (target, prediction, simple)
    return [_bin(*(each[places == place] for each in arrays)) for place in np.unique(places)]


def choice(target: Floats, prediction: Floats, costs: ErrorCosts, margin: float) -> Choice:
    """Return what planning with prediction and `margin` brings on these rows."""
    left = prediction.astype(np.float64) + margin - target
    short, spare = np.maximum(-left, 0), np.maximum(left, 0)
    cost = short * costs.too_low + spare * costs.too_high
    return Choice(
        margin=margin,
        enough=float((left >= 0).mean()),
        short=float(short.mean()),
        spare=float(spare.mean()),
        cost=PER * float(cost.mean()),
        interval=PER * 1.96 * float(cost.std()) / len(cost) ** 0.5,
    )


def choices(target: Floats, prediction: Floats, costs: ErrorCosts) -> list[Choice]:
    """Return what each of many margins brings, the smallest first; the cheapest of all is one of them."""
    missing = target.astype(np.float64) - prediction
    shares = [*np.linspace(0.04, 0.98, 48), costs.too_low / (costs.too_low + costs.too_high)]
    margins = np.unique(np.quantile(missing, shares).round(2))
    return [choice(target, prediction, costs, float(margin)) for margin in margins]


def _bin(target: Floats, prediction: Floats, simple: Floats) -> Bin:
    low, high = np.quantile(target, [0.1, 0.9])
    return Bin(
        len(target),
        float(prediction.mean(dtype=np.float64)),
        float(target.mean(dtype=np.float64)),
        float(low),
        float(high),
        float(np.abs(prediction - target).mean(dtype=np.float64)),
        float(np.abs(simple - target).mean(dtype=np.float64)),
    )
