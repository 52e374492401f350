"""The simple technique that every model has to beat, and that takes over when the model fails.

`MeanByColumn` knows one column: it predicts the mean of the target among the past rows with the same name, or
with an amount in the same bin, or the value itself, as it stands. A project's model/baseline.py says which
technique is taken.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Doubles, Floats
from handrail.compute.duckdb import identifier, literal
from handrail.config.sections import Accuracy
from handrail.training.dataset import Dataset
from handrail.training.encoding import UNKNOWN

PRIOR_ROWS = 20  # of the overall mean, beside the rows of a name or bin
MOST_VALUES = 60  # of an amount, each in a bin of its own: the hours of a day, the weeks of a year
MOST_BINS, FEWEST_ROWS = 20, 100  # of an amount with more values, and of each of its bins
FEWEST_OF_VALUE = 30  # rows of an amount with few values: of fewer, it shares a bin with its neighbours


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
    """The mean of the target per name in `column`, or per bin of its amounts, and the mean of all otherwise.

    means: by name, or by the number of the bin, counted from "0"; UNKNOWN is that of rows without a value.
        None: the value of the column is the prediction.
    overall: the mean of all, for names never seen, and where a value is missing and never was in training
    edges: the upper ends of the bins, each in its bin; the last bin is open. None where names are told apart
    wide: whether a bin holds more than one of the amounts learnt from
    """

    column: str
    means: Mapping[str, float] | None
    overall: float
    edges: Sequence[float] | None = None
    wide: bool = False

    def predict(self, values: Iterable[object]) -> Floats:
        """Return the prediction for each value of the column; None, NaN and UNKNOWN are missing."""
        if self.means is None:
            amounts = _amounts(values)
            return np.where(np.isnan(amounts), self.overall, amounts).astype(np.float32)
        each = [*values]
        known = [*set(each)] if len(each) > len(self.means) else each  # then some values come again
        names = _bins(known, self.edges) if self.edges is not None else map(_name, known)
        means = [self.means.get(name, self.overall) for name in names]
        if known is not each:
            by_value = dict(zip(known, means, strict=True))
            means = [by_value[value] for value in each]
        return np.array(means, dtype=np.float32)

    def select(self) -> str:
        """Return the SQL expression of the prediction, of type FLOAT: the same to the bit."""
        name = identifier(self.column)
        amount = f"CAST({name} AS DOUBLE)"
        missing, overall = f"{name} IS NULL OR isnan({amount})", _double(self.overall)
        if self.means is None:
            return f"CAST(CASE WHEN {missing} THEN {overall} ELSE {amount} END AS FLOAT)"
        means = {name: _double(mean) for name, mean in self.means.items()}
        if self.edges is None:
            text = f"coalesce(CAST({name} AS VARCHAR), {literal(UNKNOWN)})"
            cases = [f"WHEN {literal(each)} THEN {mean}" for each, mean in means.items()]
            return f"CAST(CASE {' '.join([text, *cases])} ELSE {overall} END AS FLOAT)"
        cases = [f"WHEN {missing} THEN {means.get(UNKNOWN, overall)}"]
        cases += [
            f"WHEN {amount} <= {_double(edge)} THEN {means.get(str(number), overall)}"
            for number, edge in enumerate(self.edges)
        ]
        return f"CAST(CASE {' '.join(cases)} ELSE {means.get(str(len(self.edges)), overall)} END AS FLOAT)"


def fit_by_column(rows: Dataset, accuracy: Accuracy) -> MeanByColumn:
    """Learn what `accuracy` of project.yaml says: by which column, and whether its value or the mean counts.

    Amounts are cut into bins that have enough rows for a mean of their own: one for each value, or of about
    equally many rows where there are many values. Means are drawn towards the overall mean where rows are few
    (PRIOR_ROWS of it are added).
    """
    column, target = accuracy.baseline_by, rows.target
    overall = float(target.mean(dtype=np.float64))
    if accuracy.baseline_takes == "value":
        return MeanByColumn(column, None, round(overall, 6))
    edges, wide = learn_edges(_amounts(rows.baseline_by)) if rows.baseline_is_amount else (None, False)
    known = rows.baseline_by if edges is None else _bins(rows.baseline_by, edges)
    names, inverse = np.unique(known, return_inverse=True)
    sums = np.bincount(inverse, weights=target.astype(np.float64))
    means = (sums + PRIOR_ROWS * overall) / (np.bincount(inverse) + PRIOR_ROWS)
    return MeanByColumn(
        column,
        {str(name): round(float(mean), 6) for name, mean in zip(names, means, strict=True)},
        round(overall, 6),
        edges,
        wide,
    )


def without_value(values: Iterable[object]) -> int:
    """Return how many amounts (n), which may be texts, are missing."""
    return int(np.isnan(_amounts(values)).sum())


def learn_edges(amounts: Doubles) -> tuple[tuple[float, ...], bool]:
    """Return the upper ends of bins of these amounts (n, NaN where missing), and whether one holds several.

    The last bin has no end. Few different amounts have a bin each, but for those with few rows; many are cut
    at their quantiles, each of which is one of them.
    """
    known = amounts[~np.isnan(amounts)]
    values, counts = np.unique(known, return_counts=True)
    if len(values) > MOST_VALUES:
        bins = int(np.clip(len(known) // FEWEST_ROWS, 1, MOST_BINS))
        ends = np.unique(np.quantile(known, np.arange(1, bins + 1) / bins, method="inverted_cdf"))
    else:
        ends = _ends_with_enough(values, counts)
    return tuple(float(value) for value in ends[:-1]), len(ends) < len(values)


def _ends_with_enough(values: Doubles, counts: NDArray[np.int64]) -> Doubles:
    """Return the upper ends of bins of values, in order, with FEWEST_OF_VALUE rows each or all there are."""
    ends, rows = [], 0
    for value, count in zip(values, counts, strict=True):
        rows += count
        if rows >= FEWEST_OF_VALUE:
            ends.append(value)
            rows = 0
    if rows:  # too few are left: they belong to the last bin
        ends[-1:] = [values[-1]]
    return np.array(ends)


def _bins(values: Iterable[object], edges: Sequence[float]) -> list[str]:
    """Return the number of the bin of each value as text, UNKNOWN where it is missing."""
    amounts = map(_amount, values)
    return [UNKNOWN if isnan(amount) else str(bisect_left(edges, amount)) for amount in amounts]


def _amounts(values: Iterable[object]) -> Doubles:
    """Return each value, which may be text, as a number; NaN where it is missing."""
    return np.array([*map(_amount, values)], dtype=np.float64)


def _amount(value: object) -> float:
    if type(value) is float or type(value) is int:
        return float(value)
    return nan if _missing(value) else float(str(value))


def _name(value: object) -> str:
    return UNKNOWN if _missing(value) else str(value)


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and isnan(value)) or value == UNKNOWN


def _double(value: float) -> str:
    """Return a number in SQL as the double that it is: a plain one is a decimal, which rounds otherwise."""
    return f"CAST({literal(repr(float(value)))} AS DOUBLE)"
