"""The model that is learnt: scikit-learn's histogram gradient boosting, kept as ONNX."""

import warnings

import numpy as np
from skl2onnx import to_onnx
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from .features import Dataset, Encoding, Floats
from .hyperparameters import DEFAULTS, Hyperparameters
from .metrics import KIND

LIBRARIES = ("scikit-learn", "skl2onnx")

Model = HistGradientBoostingClassifier | HistGradientBoostingRegressor


def fit(
    training: Dataset, encoding: Encoding, seed: int, hyperparameters: Hyperparameters = DEFAULTS
) -> Model:
    """Learn from `training`; a name's code counts as an amount, NaN goes the way that was learnt for it."""
    leaf = min(hyperparameters.min_samples_leaf, max(20, len(training) // 100))
    chosen = {**hyperparameters.model_dump(), "min_samples_leaf": leaf, "early_stopping": False}
    if KIND == "classification":
        model = HistGradientBoostingClassifier(random_state=seed, **chosen)
        model.fit(training.features, training.target.astype("int64"))
    else:
        model = HistGradientBoostingRegressor(random_state=seed, **chosen)
        model.fit(training.features, training.target)
    _round_thresholds(model)
    return model


def predict(model: Model, features: Floats) -> Floats:
    """Return the library's own prediction per row: the probability of class 1, or the amount."""
    if isinstance(model, HistGradientBoostingClassifier):
        return model.predict_proba(features)[:, 1].astype(np.float32)
    return model.predict(features).astype(np.float32)


def export(model: Model, features: int) -> bytes:
    """Return the model as an ONNX file: float32 (rows, features) in, prediction in the last column."""
    options = {"zipmap": False} if isinstance(model, HistGradientBoostingClassifier) else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # skl2onnx hands NumPy integers to protobuf, which warns of it
        graph = to_onnx(model, np.zeros((1, features), np.float32), options=options, target_opset=18)
    return graph.SerializeToString(deterministic=True)


def _round_thresholds(model: Model) -> None:
    """Round every threshold down to float32, as ONNX holds it: no float32 value changes its side by that.

    Rounded to the nearest, as in the conversion, a threshold can reach the next value, and the file would
    decide otherwise than the model.
    """
    for (tree,) in model._predictors:
        exact = tree.nodes["num_threshold"]
        with np.errstate(over="ignore"):
            nearest = exact.astype(np.float32)
        tree.nodes["num_threshold"] = np.where(
            nearest > exact, np.nextafter(nearest, np.float32(-np.inf)), nearest
        )
