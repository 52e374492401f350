"""The model that is learnt: scikit-learn's histogram gradient boosting, kept as ONNX."""

import warnings

import numpy as np
from handrail.config import Section
from handrail.training import Between, Dataset, Encoding, Floats, float32_at_most
from pydantic import Field
from skl2onnx import to_onnx
from sklearn.base import is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from ..contract import TASK

LIBRARIES = ("scikit-learn", "skl2onnx")

Model = HistGradientBoostingClassifier | HistGradientBoostingRegressor


class Hyperparameters(Section):
    """What holds where `2-research/hyperparameters.yaml` says nothing else."""

    learning_rate: float = Field(0.05, gt=0, le=1, description="write how far each tree goes, as 0.05")
    max_iter: int = Field(150, ge=1, le=10_000, description="write how many trees there are, as 150")
    max_leaf_nodes: int = Field(31, ge=2, le=1024, description="write the most leaves of a tree, as 31")
    min_samples_leaf: int = Field(500, ge=1, description="write the fewest rows of a leaf, as 500")
    max_features: float = Field(0.3, gt=0, le=1, description="write the share tried at each split, as 0.3")


SPACE = {
    "learning_rate": Between(0.02, 0.2, log=True),
    "max_iter": Between(50, 300, log=True),
    "max_leaf_nodes": Between(7, 63, log=True),
    "min_samples_leaf": Between(50, 1000, log=True),
    "max_features": Between(0.15, 1.0),
}


def fit(rows: Dataset, encoding: Encoding, seed: int, hyperparameters: Hyperparameters) -> Model:
    """Learn from `rows`; a name's code counts as an amount, NaN goes the way that was learnt for it."""
    leaf = min(hyperparameters.min_samples_leaf, max(20, len(rows) // 100))
    chosen = {**hyperparameters.model_dump(), "min_samples_leaf": leaf, "early_stopping": False}
    if TASK.predicts == "chance":
        model = HistGradientBoostingClassifier(random_state=seed, **chosen)
        model.fit(rows.features, rows.target.astype("int64"))
    else:
        model = HistGradientBoostingRegressor(random_state=seed, **chosen)
        model.fit(rows.features, rows.target)
    _round_thresholds(model)
    return model


def predict(model: Model, features: Floats) -> Floats:
    """Return the library's own prediction per row: the probability of class 1, or the amount."""
    if isinstance(model, HistGradientBoostingClassifier):
        return model.predict_proba(features)[:, 1].astype(np.float32)
    return model.predict(features).astype(np.float32)


def export(model: Model, features: int) -> bytes:
    """Return the model as an ONNX file: float32 (rows, features) in, prediction in the last column."""
    options = {"zipmap": False} if is_classifier(model) else None
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
        tree.nodes["num_threshold"] = float32_at_most(tree.nodes["num_threshold"])
