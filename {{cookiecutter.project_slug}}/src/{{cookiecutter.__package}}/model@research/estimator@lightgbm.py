"""The model that is learnt: LightGBM's gradient boosting, kept as ONNX."""

import re

import lightgbm
import numpy as np
from onnxmltools.convert.common.data_types import FloatTensorType
from onnxmltools.convert.lightgbm import convert

from .features import Dataset, Encoding, Floats
from .hyperparameters import DEFAULTS, Hyperparameters
from .metrics import KIND

LIBRARIES = ("lightgbm", "onnxmltools")
# More threads give the same model: sooner with many rows on an idle machine, far later on a busy one.
RUNNING = {"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}


def fit(
    training: Dataset, encoding: Encoding, seed: int, hyperparameters: Hyperparameters = DEFAULTS
) -> lightgbm.Booster:
    """Learn from `training`; a name's code counts as an amount.

    NaN goes the way that was learnt for it, and counts as 0 in a feature that never missed in `training`.
    """
    chosen = hyperparameters.model_dump()
    trees = chosen.pop("num_iterations")
    chosen["min_data_in_leaf"] = min(chosen["min_data_in_leaf"], max(20, len(training) // 100))
    objective = "binary" if KIND == "classification" else "regression"
    data = lightgbm.Dataset(training.features, training.target)
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
    exact = np.array(found[1].split(), dtype=np.float64)
    with np.errstate(over="ignore"):
        nearest = exact.astype(np.float32)
    down = np.where(nearest > exact, np.nextafter(nearest, np.float32(-np.inf)), nearest)
    return "threshold=" + " ".join(repr(float(value)) for value in down)
