"""The simple technique that every model has to beat, and that takes over when the model fails.

It knows one column: it predicts the mean of the target among the past rows with the same value, or the
value itself, as it stands.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..engine import literal
from .features import UNKNOWN

PRIOR_ROWS = 50
MISSING = (None, UNKNOWN)


@dataclass(frozen=True)
class Baseline:
    """The mean of the target per value of `column`, and the mean of all for values never seen.

    Without means, the value of the column is the prediction, and the mean of all where it is missing.
    """

    column: str
    means: Mapping[str, float] | None
    overall: float

    def predict(self, values: Iterable[object]) -> NDArray[np.float32]:
        """Return the prediction for each value of the column."""
        if self.means is None:
            known = [self.overall if value in MISSING else float(str(value)) for value in values]
            return np.array(known, dtype=np.float32)
        return np.array([self.means.get(str(value), self.overall) for value in values], dtype=np.float32)

    def select(self) -> str:
        """Return the SQL expression of the prediction, of type FLOAT."""
        if self.means is None:
            return f"coalesce(CAST({self.column} AS FLOAT), CAST({self.overall!r} AS FLOAT))"
        cases = " ".join(f"WHEN {literal(value)} THEN {mean!r}" for value, mean in self.means.items())
        return f"CAST(CASE CAST({self.column} AS VARCHAR) {cases} ELSE {self.overall!r} END AS FLOAT)"


def fit_baseline(
    column: str, values: NDArray[np.str_], target: NDArray[np.float32], takes: Literal["mean", "value"]
) -> Baseline:
    """Learn the means, drawn towards the overall mean where rows are few (PRIOR_ROWS of it are added)."""
    overall = float(target.mean(dtype=np.float64))
    if takes == "value":
        return Baseline(column, None, round(overall, 6))
    names, inverse = np.unique(values, return_inverse=True)
    sums = np.bincount(inverse, weights=target.astype(np.float64))
    means = (sums + PRIOR_ROWS * overall) / (np.bincount(inverse) + PRIOR_ROWS)
    return Baseline(
        column,
        {str(name): round(float(mean), 6) for name, mean in zip(names, means, strict=True)},
        round(overall, 6),
    )
