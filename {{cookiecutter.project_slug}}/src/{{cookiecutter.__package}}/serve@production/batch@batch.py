"""What scoring writes: the columns of a file of predictions."""

from collections.abc import Mapping
from typing import Any

from handrail.serving import ScoredBatch


def columns(batch: ScoredBatch) -> Mapping[str, Any]:
    """Return every column of the file by its name, one value a row; monitoring reads those of `batch.needed`.

    What follows from a prediction is among them. One's own stand beside them: `{**batch.needed, "urgent":
    batch.prediction > 0.5}`.
    """
    return batch.needed
