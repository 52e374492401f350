"""The model that is learnt: XGBoost's gradient boosting, kept as ONNX."""

from typing import Any

import numpy as np
from onnxmltools.convert.common.data_types import FloatTensorType
from onnxmltools.convert.xgboost import convert
from xgboost import XGBClassifier, XGBRegressor

from .features import Dataset, Encoding, Floats
from .hyperparameters import DEFAULTS, Hyperparameters
from .metrics import KIND

LIBRARIES = ("xgboost", "xgboost-cpu", "onnxmltools")
GROWING: dict[str, Any] = {"tree_method": "hist", "grow_policy": "lossguide", "max_depth": 0}
# More threads give the same model: sooner with many rows on an idle machine, far later on a busy one.
THREADS = 1
# It splits at values that occur, where a rounding changes sides; the file splits lower by this share.
BELOW = 4e-6

Model = XGBClassifier | XGBRegressor


def fit(
    training: Dataset, encoding: Encoding, seed: int, hyperparameters: Hyperparameters = DEFAULTS
) -> Model:
    """Learn from `training`; a name's code counts as an amount, NaN goes the way that was learnt for it."""
    chosen = hyperparameters.model_dump() | GROWING
    rows = min(chosen.pop("min_rows_in_leaf"), max(20, len(training) // 100))
    # What XGBoost weighs is a row's p * (1 - p), about a tenth; among amounts each row weighs 1.
    chosen["min_child_weight"] = rows // 10 if KIND == "classification" else rows
    kind = XGBClassifier if KIND == "classification" else XGBRegressor
    model = kind(random_state=seed, n_jobs=THREADS, **chosen)
    return model.fit(training.features, training.target)


def predict(model: Model, features: Floats) -> Floats:
    """Return the library's own prediction per row: the probability of class 1, or the amount."""
    if isinstance(model, XGBClassifier):
        return model.predict_proba(features)[:, 1].astype(np.float32)
    return np.asarray(model.predict(features), dtype=np.float32)


def export(model: Model, features: int) -> bytes:
    """Return the model as an ONNX file: float32 (rows, features) in, prediction in the last column."""
    inputs = [("features", FloatTensorType([None, features]))]
    graph = convert(model, name="model", initial_types=inputs, target_opset=15)
    for attribute in (each for node in graph.graph.node for each in node.attribute):
        if attribute.name == "nodes_values":
            attribute.floats[:] = [value - BELOW * abs(value) for value in attribute.floats]
    return graph.SerializeToString(deterministic=True)
