"""From the table to a model that is measured and kept."""

from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.arrays import Doubles, Floats, float32_at_most
    from handrail.onnx_graph import Graph
    from handrail.predictor import Predictor
    from handrail.training.baseline import Baseline, MeanByColumn, fit_by_column
    from handrail.training.dataset import Dataset
    from handrail.training.encoding import Coding, Encoding, amount, features_of, logarithm, names
    from handrail.training.hyperparameters import Between
    from handrail.training.run import Run, Training, train
    from handrail.training.splits import Splits

__all__ = [
    "Baseline",
    "Between",
    "Coding",
    "Dataset",
    "Doubles",
    "Encoding",
    "Floats",
    "Graph",
    "MeanByColumn",
    "Predictor",
    "Run",
    "Splits",
    "Training",
    "amount",
    "features_of",
    "fit_by_column",
    "float32_at_most",
    "logarithm",
    "names",
    "train",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Baseline": "baseline",
        "Between": "hyperparameters",
        "Coding": "encoding",
        "Dataset": "dataset",
        "Doubles": ".arrays",
        "Encoding": "encoding",
        "Floats": ".arrays",
        "Graph": ".onnx_graph",
        "MeanByColumn": "baseline",
        "Predictor": ".predictor",
        "Run": "run",
        "Splits": "splits",
        "Training": "run",
        "amount": "encoding",
        "features_of": "encoding",
        "fit_by_column": "baseline",
        "float32_at_most": ".arrays",
        "logarithm": "encoding",
        "names": "encoding",
        "train": "run",
    },
)
