"""What a project's model/estimator.py brings: the library that was chosen, behind three functions."""

from collections.abc import Mapping
from typing import Any, Protocol

from handrail.arrays import Floats
from handrail.config.sections import Section
from handrail.training.dataset import Dataset
from handrail.training.encoding import Encoding
from handrail.training.hyperparameters import Between

__all__ = ["Estimator"]


class Estimator(Protocol):
    """A library behind `fit`, `predict` and `export`; a module satisfies it.

    LIBRARIES: the distributions that a model depends on; what is installed of them is kept with each version.
    Hyperparameters: a pydantic model whose defaults hold where nothing was tuned; the description of a field
        says what to write. SPACE: where tuning looks, by the name of the field.
    """

    LIBRARIES: tuple[str, ...]
    Hyperparameters: type[Section]
    SPACE: Mapping[str, Between]

    def fit(self, rows: Dataset, encoding: Encoding, seed: int, hyperparameters: Any) -> Any:
        """Learn from `rows` and return the library's model; the same rows and seed give the same model."""
        ...

    def predict(self, model: Any, features: Floats) -> Floats:
        """Return the library's own prediction per row of `features` (n, k), NaN where a value is missing.

        It is the probability of class 1 (0 to 1), or the amount in the unit of the target: shape (n).
        """
        ...

    def export(self, model: Any, features: int) -> bytes:
        """Return the model as an ONNX file: float32 (n, features) in, the prediction in the last column.

        This file is what is measured and served; it has to agree with `predict` on every row.
        """
        ...
