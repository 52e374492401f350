"""The model that is learnt: XGBoost's gradient boosting, kept as ONNX."""

from typing import Any

import numpy as np
from handrail.config import Section
from handrail.training import Between, Dataset, Encoding, Floats
from onnxmltools.convert.common.data_types import FloatTensorType
from onnxmltools.convert.xgboost import convert
from pydantic import Field
from xgboost import XGBClassifier, XGBRegressor

from ..contract import TASK

LIBRARIES = ("xgboost", "xgboost-cpu", "onnxmltools")
GROWING: dict[str, Any] = {"tree_method": "hist", "grow_policy": "lossguide", "max_depth": 0}
# More threads give the same model: sooner with many rows on an idle machine, far later on a busy one.
THREADS = 1
# It splits at values that occur, where a rounding changes sides; the file splits lower by this share.
BELOW = 4e-6

Model = XGBClassifier | XGBRegressor


class Hyperparameters(Section):
    """What holds where `2-research/hyperparameters.yaml` says nothing else."""

    learning_rate: float = Field(0.05, gt=0, le=1, description="write how far each tree goes, as 0.05")
    n_estimators: int = Field(150, ge=1, le=10_000, description="write how many trees there are, as 150")
    max_leaves: int = Field(15, ge=2, le=1024, description="write the most leaves of a tree, as 15")
    min_rows_in_leaf: int = Field(500, ge=1, description="write the fewest rows of a leaf, as 500")
    colsample_bynode: float = Field(
        0.3, gt=0, le=1, description="write the share of the features tried at each split, as 0.3"
    )


SPACE = {
    "learning_rate": Between(0.02, 0.2, log=True),
    "n_estimators": Between(50, 300, log=True),
    "max_leaves": Between(7, 63, log=True),
    "min_rows_in_leaf": Between(50, 1000, log=True),
    "colsample_bynode": Between(0.15, 1.0),
}


def fit(rows: Dataset, encoding: Encoding, seed: int, hyperparameters: Hyperparameters) -> Model:
    """Learn from `rows`; a name's code counts as an amount, NaN goes the way that was learnt for it."""
    chosen = hyperparameters.model_dump() | GROWING
    leaf = min(chosen.pop("min_rows_in_leaf"), max(20, len(rows) // 100))
    # What XGBoost weighs is a row's p * (1 - p), about a tenth; among amounts each row weighs 1.
    chosen["min_child_weight"] = leaf // 10 if TASK.predicts == "chance" else leaf
    kind = XGBClassifier if TASK.predicts == "chance" else XGBRegressor
    model = kind(random_state=seed, n_jobs=THREADS, **chosen)
    return model.fit(rows.features, rows.target)


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
