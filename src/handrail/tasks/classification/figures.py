"""What the report's pictures and tables are drawn from: plain numbers, computed from arrays."""

from dataclasses import dataclass

import numpy as np

from handrail.arrays import Doubles, Floats
from handrail.config.sections import ErrorCosts
from handrail.tasks.classification.decision import THRESHOLDS

PER = 1000
CURVE_POINTS = 200
MOST_BINS = 10
FEWEST_ROWS_PER_BIN = 50
SHARES, APART = (0.9, 0.75, 0.6, 0.45, 0.3, 0.15), 0.05


@dataclass(frozen=True)
class Choice:
    """What a threshold brings per PER rows; `payoff` in the currency, `margin` half its 95% interval."""

    threshold: float
    warnings: float
    caught: float
    false_alarms: float
    caught_share: float
    alarms_per_100: float
    payoff: float
    margin: float

    @property
    def value(self) -> float:
        """What is chosen."""
        return self.threshold

    @property
    def share(self) -> float:
        """The share of cases that it serves."""
        return self.caught_share


@dataclass(frozen=True)
class Bin:
    """Rows of like probability: their mean probability, and their share of cases with its 95% interval."""

    rows: int
    predicted: float
    observed: float
    low: float
    high: float


def roc_curve(target: Floats, prediction: Floats) -> tuple[Doubles, Doubles]:
    """Return the shares of non-cases and of cases warned of, at most CURVE_POINTS of each after (0, 0)."""
    order = np.argsort(-prediction, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(prediction[order]) != 0, True))
    hits = np.cumsum(target[order] == 1)[ends]
    alarms = ends + 1 - hits
    kept = np.unique(np.linspace(0, len(ends) - 1, CURVE_POINTS).round().astype(int))
    shares = (np.append(0, counts[kept]) / max(counts[-1], 1) for counts in (alarms, hits))
    return next(shares), next(shares)


def calibration(target: Floats, prediction: Floats) -> list[Bin]:
    """Return up to MOST_BINS bins of about equally many rows, the lowest probabilities first."""
    bins = max(1, min(MOST_BINS, len(target) // FEWEST_ROWS_PER_BIN))
    edges = np.unique(np.quantile(prediction, np.arange(1, bins) / bins))
    places = np.searchsorted(edges, prediction, side="right")
    return [_bin(target[places == place], prediction[places == place]) for place in np.unique(places)]


def choice(target: Floats, prediction: Floats, costs: ErrorCosts, threshold: float) -> Choice:
    """Return what acting on every prediction of at least `threshold` brings on these rows."""
    rows, cases, warned = len(target), target == 1, prediction >= np.float32(threshold)
    caught, warnings = int((warned & cases).sum()), int(warned.sum())
    false_alarms = warnings - caught
    mean = (caught * costs.too_low - false_alarms * costs.too_high) / rows
    mean_square = (caught * costs.too_low**2 + false_alarms * costs.too_high**2) / rows
    return Choice(
        threshold=threshold,
        warnings=PER * warnings / rows,
        caught=PER * caught / rows,
        false_alarms=PER * false_alarms / rows,
        caught_share=_share(caught, int(cases.sum())),
        alarms_per_100=100 * _share(false_alarms, warnings),
        payoff=PER * mean,
        margin=PER * 1.96 * (max(mean_square - mean**2, 0.0) / rows) ** 0.5,
    )


def choices(target: Floats, prediction: Floats, costs: ErrorCosts) -> list[Choice]:
    """Return what each of THRESHOLDS brings, the lowest first."""
    return [choice(target, prediction, costs, float(threshold)) for threshold in THRESHOLDS]


def _bin(target: Floats, prediction: Floats) -> Bin:
    """Return the figures of a bin; its interval is E. B. Wilson's, JASA (1927)."""
    rows, observed, z = len(target), float(target.mean(dtype=np.float64)), 1.96
    centre = (observed + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * (observed * (1 - observed) / rows + z**2 / (4 * rows**2)) ** 0.5
    return Bin(
        rows,
        float(prediction.mean(dtype=np.float64)),
        observed,
        max(centre - half, 0.0),
        min(centre + half, 1.0),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
