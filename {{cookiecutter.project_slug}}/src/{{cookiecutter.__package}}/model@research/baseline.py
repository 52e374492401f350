"""The simple technique that every model has to beat, and that answers when the model can't.

It goes by one column, `accuracy.baseline_by` of project.yaml: it predicts the mean of the target among the
past rows with the same value (of an amount with many values: with one in the same bin), or the value as it
stands (`baseline_takes`). For another technique, write a dataclass with `column`, `predict` and `select`, as
`handrail.training.MeanByColumn` is one.
"""

from handrail.config import Accuracy
from handrail.training import Dataset, MeanByColumn, fit_by_column

Baseline = MeanByColumn


def fit(rows: Dataset, accuracy: Accuracy) -> Baseline:
    """Learn the simple technique from `rows`."""
    return fit_by_column(rows, accuracy)
