"""The model that is learnt: scikit-learn's histogram gradient boosting, kept as ONNX."""

import warnings

from skl2onnx import to_onnx
from sklearn.ensemble import HistGradientBoostingClassifier

from .features import Dataset, Encoding

HYPERPARAMETERS = {
    "learning_rate": 0.05,
    "max_iter": 150,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 500,
    "max_features": 0.3,
    "early_stopping": False,
}


def fit_onnx(training: Dataset, encoding: Encoding, seed: int = 0) -> bytes:
    """Learn from `training` and return the model as an ONNX file.

    Its input is float32 (rows, features), its output the probability of each class. The same data and
    seed give the same file, byte for byte.
    """
    hyperparameters = HYPERPARAMETERS | {"min_samples_leaf": min(500, max(20, len(training) // 100))}
    model = HistGradientBoostingClassifier(random_state=seed, **hyperparameters)
    model.fit(training.features, training.target.astype("int64"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # skl2onnx hands NumPy integers to protobuf, which warns of it
        graph = to_onnx(model, training.features[:1], options={"zipmap": False}, target_opset=18)
    return graph.SerializeToString(deterministic=True)
