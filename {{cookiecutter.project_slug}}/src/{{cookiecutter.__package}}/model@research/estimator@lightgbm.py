"""The model that is learnt: LightGBM's gradient boosting, kept as ONNX."""

import re

import lightgbm
import numpy as np
from handrail.config import Section
from handrail.training import Between, Dataset, Encoding, Floats, float32_at_most
from onnxmltools.convert.common.data_types import FloatTensorType
from onnxmltools.convert.lightgbm import convert
from pydantic import Field

from ..contract import TASK

LIBRARIES = ("lightgbm", "onnxmltools")
# More threads give the same model: sooner with many rows on an idle machine, far later on a busy one.
RUNNING = {"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}


class Hyperparameters(Section):
    """What holds where `2-research/hyperparameters.yaml` says nothing else."""

    learning_rate: float = Field(0.05, gt=0, le=1, description="write how far each tree goes, as 0.05")
    num_iterations: int = Field(150, ge=1, le=10_000, description="write how many trees there are, as 150")
    num_leaves: int = Field(15, ge=2, le=1024, description="write the most leaves of a tree, as 15")
    min_data_in_leaf: int = Field(500, ge=1, description="write the fewest rows of a leaf, as 500")
    feature_fraction_bynode: float = Field(
        0.3, gt=0, le=1, description="write the share of the features tried at each split, as 0.3"
    )


SPACE = {
    "learning_rate": Between(0.02, 0.2, log=True),
    "num_iterations": Between(50, 300, log=True),
    "num_leaves": Between(7, 63, log=True),
    "min_data_in_leaf": Between(50, 1000, log=True),
    "feature_fraction_bynode": Between(0.15, 1.0),
}


def fit(rows: Dataset, encoding: Encoding, seed: int, hyperparameters: Hyperparameters) -> lightgbm.Booster:
    """Learn from `rows`; a name's code counts as an amount.

    NaN goes the way that was learnt for it, and counts as 0 in a feature that never missed in them.
    """
    chosen = hyperparameters.model_dump()
    trees = chosen.pop("num_iterations")
    chosen["min_data_in_leaf"] = min(chosen["min_data_in_leaf"], max(20, len(rows) // 100))
    objective = "binary" if TASK.predicts == "chance" else "regression"
    data = lightgbm.Dataset(rows.features, rows.target)
    model = lightgbm.train({**chosen, **RUNNING, "objective": objective, "seed": seed}, data, trees)
    return _with_rounded_thresholds(model)


def predict(model: lightgbm.Booster, features: Floats) -> Floats:
    """Return the library's own prediction per row: the probability of class 1, or the amount."""
    return np.asarray(model.predict(features), dtype=np.float32)


def export(model: lightgbm.Booster, features: int) -> bytes:
    """Return the model as an ONNX file: float32 (rows, features) in, prediction in the last column."""
    inputs = [("features", FloatTensorType([None, features]))]
    graph = convert(model, name="model", initial_types=inputs, zipmap=False, target_opset=15)
    return graph.SerializeToString(deterministic=True)


def _with_rounded_thresholds(model: lightgbm.Booster) -> lightgbm.Booster:
    """Return the model with every threshold rounded down to float32, as ONNX holds it.

    No float32 value changes its side by that. Rounded to the nearest, as in the conversion, a threshold
    can reach the next value, and the file would decide otherwise than the model.
    """
    text = re.sub(r"^tree_sizes=.*\n", "", model.model_to_string(), flags=re.MULTILINE)
    rounded = re.sub(r"^threshold=(.*)$", _rounded_line, text, flags=re.MULTILINE)
    return lightgbm.Booster(model_str=rounded)


def _rounded_line(found: re.Match[str]) -> str:
    down = float32_at_most(np.array(found[1].split(), dtype=np.float64))
    return "threshold=" + " ".join(repr(float(value)) for value in down)
