"""The simple technique that every model has to beat, and that takes over when the model fails.

`MeanByColumn` knows one column: it predicts the mean of the target among the past rows with the same value,
or the value itself, as it stands. A project's model/baseline.py says which technique is taken.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from handrail.arrays import Floats
from handrail.compute.duckdb import identifier, literal
from handrail.config.sections import Accuracy
from handrail.training.dataset import Dataset
from handrail.training.encoding import UNKNOWN

PRIOR_ROWS = 50
MISSING = (None, UNKNOWN)


class Baseline(Protocol):
    """A technique that needs one column: a dataclass whose fields are plain data, kept with each version."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def column(self) -> str:
        """The column of the contract that it goes by."""
        ...

    def predict(self, values: Iterable[object]) -> Floats:
        """Return the prediction for each value of the column."""
        ...

    def select(self) -> str:
        """Return the same as a SQL expression over the column, of type FLOAT."""
        ...


@dataclass(frozen=True)
class MeanByColumn:
    """The mean of the target per value of `column`, and the mean of all for values never seen.

    Without means, the value of the column is the prediction, and the mean of all where it is missing.
    """

    column: str
    means: Mapping[str, float] | None
    overall: float

    def predict(self, values: Iterable[object]) -> Floats:
        """Return the prediction for each value of the column."""
        if self.means is None:
            known = [self.overall if value in MISSING else float(str(value)) for value in values]
            return np.array(known, dtype=np.float32)
        return np.array([self.means.get(str(value), self.overall) for value in values], dtype=np.float32)

    def select(self) -> str:
        """Return the SQL expression of the prediction, of type FLOAT."""
        column = identifier(self.column)
        if self.means is None:
            return f"coalesce(CAST({column} AS FLOAT), CAST({self.overall!r} AS FLOAT))"
        cases = " ".join(f"WHEN {literal(value)} THEN {mean!r}" for value, mean in self.means.items())
        return f"CAST(CASE CAST({column} AS VARCHAR) {cases} ELSE {self.overall!r} END AS FLOAT)"


def fit_by_column(rows: Dataset, accuracy: Accuracy) -> MeanByColumn:
    """Learn what `accuracy` of project.yaml says: by which column, and whether its value or the mean counts.

    Means are drawn towards the overall mean where rows are few (PRIOR_ROWS of it are added).
    """
    column, target = accuracy.baseline_by, rows.target
    overall = float(target.mean(dtype=np.float64))
    if accuracy.baseline_takes == "value":
        return MeanByColumn(column, None, round(overall, 6))
    names, inverse = np.unique(rows.baseline_by, return_inverse=True)
    sums = np.bincount(inverse, weights=target.astype(np.float64))
    means = (sums + PRIOR_ROWS * overall) / (np.bincount(inverse) + PRIOR_ROWS)
    return MeanByColumn(
        column,
        {str(name): round(float(mean), 6) for name, mean in zip(names, means, strict=True)},
        round(overall, 6),
    )
