"""The live model at work."""

from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.serving.api import create_app
    from handrail.serving.batch import ScoredBatch
    from handrail.serving.inference import Inference, LiveModel
    from handrail.serving.prediction_log import PredictionLog
    from handrail.serving.telemetry import Telemetry

__all__ = ["Inference", "LiveModel", "PredictionLog", "ScoredBatch", "Telemetry", "create_app"]

__getattr__ = lazy_names(
    __name__,
    {
        "Inference": "inference",
        "LiveModel": "inference",
        "PredictionLog": "prediction_log",
        "ScoredBatch": "batch",
        "Telemetry": "telemetry",
        "create_app": "api",
    },
)
