"""The model that is learnt: XGBoost's gradient boosting, kept as ONNX."""

from typing import Any

import numpy as np
from onnxmltools.convert.common.data_types import FloatTensorType
from onnxmltools.convert.xgboost import convert
from xgboost import XGBClassifier, XGBRegressor

from .features import Dataset, Encoding, Floats
from .metrics import KIND

LIBRARIES = ("xgboost", "xgboost-cpu", "onnxmltools")
HYPERPARAMETERS: dict[str, Any] = {
    "learning_rate": 0.05,
    "n_estimators": 150,
    "grow_policy": "lossguide",
    "max_leaves": 15,
    "max_depth": 0,
    "min_rows_in_leaf": 500,
    "colsample_bynode": 0.3,
}
# More threads give the same model: sooner with many rows on an idle machine, far later on a busy one.
THREADS = 1

Model = XGBClassifier | XGBRegressor


def fit(training: Dataset, encoding: Encoding, seed: int) -> Model:
    """Learn from `training`; a name's code counts as an amount, NaN goes the way that was learnt for it."""
    hyperparameters = dict(HYPERPARAMETERS)
    rows = min(hyperparameters.pop("min_rows_in_leaf"), max(20, len(training) // 100))
    # What XGBoost weighs is a row's p * (1 - p), about a tenth; among amounts each row weighs 1.
    hyperparameters["min_child_weight"] = rows // 10 if KIND == "classification" else rows
    kind = XGBClassifier if KIND == "classification" else XGBRegressor
    model = kind(random_state=seed, n_jobs=THREADS, tree_method="hist", **hyperparameters)
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
    return graph.SerializeToString(deterministic=True)
