"""Small trainings, and how far apart two predictions for the same rows are.

Rows of one day share its weather, its crowds or its prices, so chance is counted in days: whole days are
drawn anew, not single rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from TWIN_model_metrics import GREATER_IS_BETTER, measure, rows_of
from UNRESOLVED_model import estimator
from UNRESOLVED_model_hyperparameters import Hyperparameters

from handrail.arrays import Doubles, Floats
from handrail.tasks.metric import Decision
from handrail.training.dataset import Dataset
from handrail.training.encoding import Encoding

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


def narrowed(encoding: Encoding, names: Sequence[str], *data: Dataset) -> tuple[Encoding, list[Dataset]]:
    """Return encoding and rows with the features `names` only."""
    places = [encoding.features.index(name) for name in names]
    known = {name: codes for name, codes in encoding.categories.items() if name in names}
    rows = [replace(each, features=np.ascontiguousarray(each.features[:, places])) for each in data]
    return Encoding(tuple(names), known), rows


def learnt(
    learning: Dataset, later: Dataset, encoding: Encoding, hyperparameters: Hyperparameters, seed: int = SEED
) -> Floats:
    """Return what a model that learnt from `learning` predicts for the rows of `later`."""
    return estimator.predict(estimator.fit(learning, encoding, seed, hyperparameters), later.features)


def scored(data: Dataset, prediction: Floats, metric: str, decision: Decision) -> Scored:
    """Return the metric of a prediction; two predictions for the same rows are measured on the same draws."""
    sign = 1 if GREATER_IS_BETTER[metric] else -1
    rows, days = rows_of(data.target, prediction), units(data)
    rng, number = np.random.default_rng(SEED), int(days.max()) + 1
    drawn = np.empty(RESAMPLES)
    for turn in range(RESAMPLES):
        times = np.bincount(rng.integers(0, number, number), minlength=number)
        drawn[turn] = sign * measure(rows, decision, times[days].astype(np.float64))[metric]
    return Scored(sign * measure(rows, decision)[metric], drawn)


def better_by(one: Scored, other: Scored, by_seed: float = 0.0) -> Difference:
    """Return how much better `one` is; `by_seed` is how far training again with another seed is off."""
    deviation = float(np.nanstd(one.drawn - other.drawn))
    return Difference(one.value - other.value, (deviation**2 + by_seed**2) ** 0.5)


def units(data: Dataset) -> np.ndarray:
    """Return the number of the day of each row, or of the row itself."""
    days, numbers = np.unique(data.times.astype("datetime64[D]"), return_inverse=True)
    return numbers if len(days) >= FEWEST_DAYS else np.arange(len(data))
