"""How far apart two predictions for the same rows are, and how much of that may be chance.

Both are measured on the same draws, so that what they have in common falls out: a paired bootstrap. Rows of
one day share its weather, its crowds or its prices, so chance is counted in days: whole days are drawn anew,
not single rows. Field and Welsh, Journal of the Royal Statistical Society B (2007).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Doubles, Floats
from handrail.tasks.metric import Decision, Metric, Metrics
from handrail.training.dataset import Dataset

RESAMPLES = 100
FEWEST_DAYS = 10  # with fewer, single rows are drawn
SEED = 0


@dataclass(frozen=True)
class Scored:
    """A metric of some predictions, turned so that more is better: on all rows, and on each draw of days."""

    value: float
    drawn: Doubles


@dataclass(frozen=True)
class Difference:
    """How much better one is than another, and how far that may be off by chance (standard deviation)."""

    value: float
    deviation: float

    @property
    def reversed(self) -> "Difference":
        """How much better the other is."""
        return Difference(-self.value, self.deviation)

    def clearly_above(self, limit: float, deviations: float = 1.96) -> bool:
        """Return whether the difference is above `limit` by more than chance."""
        return self.value - deviations * self.deviation > limit


def drawn_days(
    times: NDArray[np.datetime64], rng: np.random.Generator | None = None, resamples: int = RESAMPLES
) -> Iterator[Doubles]:
    """Yield how often each row counts, for each time that the days are drawn anew; rows where days are few.

    `times` (n): when each row was; each draw has shape (n). Without `rng`, always the same draws.
    """
    rng = rng or np.random.default_rng(SEED)
    days, numbers = np.unique(times.astype("datetime64[D]"), return_inverse=True)
    units = numbers if len(days) >= FEWEST_DAYS else np.arange(len(times))
    count = int(units.max()) + 1
    for _ in range(resamples):
        drawn = np.bincount(rng.integers(0, count, count), minlength=count)
        yield drawn[units].astype(np.float64)


def scored(metrics: Metrics, metric: Metric, rows: Dataset, prediction: Floats, decision: Decision) -> Scored:
    """Return a metric of a prediction; two predictions for the same rows are measured on the same draws."""
    outcomes, sign = metrics.outcomes(rows.target, prediction), metric.sign
    drawn = [metric.value(outcomes.weighted(weight), decision) for weight in drawn_days(rows.times)]
    return Scored(sign * metric.value(outcomes.weighted(), decision), sign * np.array(drawn))


def better_by(one: Scored, other: Scored, by_seed: float = 0.0) -> Difference:
    """Return how much better `one` is; `by_seed` is how far training again with another seed is off."""
    deviation = float(np.nanstd(one.drawn - other.drawn))
    return Difference(one.value - other.value, (deviation**2 + by_seed**2) ** 0.5)
