"""Which extra of the library brings a module that is not installed."""

from collections.abc import Mapping

EXTRAS: Mapping[str, str] = {
    "duckdb": "data",
    "filelock": "data",
    "numpy": "data",
    "onnxruntime": "data",
    "jinja2": "training",
    "matplotlib": "training",
    "optuna": "training",
    "fastapi": "serving",
    "httptools": "serving",
    "msgspec": "serving",
    "prometheus_client": "serving",
    "starlette": "serving",
    "uvicorn": "serving",
    "uvloop": "serving",
    "pyarrow": "batch",
    "skl2onnx": "sklearn",
    "sklearn": "sklearn",
    "lightgbm": "lightgbm",
    "onnxmltools": "lightgbm",
    "xgboost": "xgboost",
    "keras": "keras",
    "onnx": "keras",
    "tensorflow": "keras",
    "mlflow": "mlflow",
    "sqlalchemy": "mlflow",
    "nltk": "labelling",
    "pandas": "pandas",
    "streamlit": "dashboard",
    "boto3": "s3",
    "google": "gcs",
    "httpx2": "testing",
    "pytest": "testing",
}


def which_extra(error: ModuleNotFoundError) -> str | None:
    """Return in one sentence which extra brings what was not found, None where none does."""
    module = (error.name or "").partition(".")[0]
    if module not in EXTRAS:
        return None
    return f"{module} is not installed; it comes with handrail[{EXTRAS[module]}], see pyproject.toml"
