"""What the three hand-written programs share: the model, the bins of drift, and how they are called.

    python by_hand_polars.py etl SOURCE TARGET          raw files to a table
    python by_hand_polars.py score TABLE MODEL TARGET   a prediction for each row
    python by_hand_polars.py monitor TABLE PREDICTIONS MODEL

`monitor` prints JSON: rows and ROC AUC of the newest 30 days, and the drift of every watched column.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WINDOW = timedelta(days=30)
BATCH_ROWS = 100_000
EMPTY_BIN = 1e-4
CARRIER, AIRPORT = "^[0-9A-Z]{2}$", "^[A-Z]{3}$"
ORIGINS = ("EWR", "JFK", "LGA")
FLIGHT_ID = "^[0-9A-Z]{2}[0-9]+-[A-Z]{3}-[0-9]{12}$"
RANGES = {  # of what may be missing
    "plane_age_years": (0, 80),
    "plane_seats": (1, 600),
    "temperature_c": (-40, 50),
    "humidity_percent": (0, 100),
    "wind_speed_kmh": (0, 200),
    "wind_direction_degrees": (0, 360),
    "precipitation_mm": (0, 150),
    "pressure_hpa": (900, 1080),
    "visibility_km": (0, 20),
    "departure_delay_minutes": (-120, 3000),
}


class Model:
    """A version's ONNX file and what it says of its columns, read as plain files."""

    def __init__(self, folder: Path) -> None:
        info = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        self.features: list[str] = info["encoding"]["features"]
        self.names: Mapping[str, list[str]] = info["encoding"]["categories"]
        self.reference: Mapping[str, Mapping[str, Any]] = info["reference"]
        self._file, self._session = folder / "model.onnx", None

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a prediction for each row, on all cores."""
        import onnxruntime

        if self._session is None:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = os.cpu_count() or 1
            options.log_severity_level = 3
            self._session = onnxruntime.InferenceSession(self._file, options)
        matrix = np.ascontiguousarray(features, dtype=np.float32)
        return self._session.run(None, {self._session.get_inputs()[0].name: matrix})[-1][:, -1]

    def drifts(self, counted: Mapping[str, Mapping[int | None, int]]) -> dict[str, float]:
        """Return the population stability index of each column, by how many rows are in each of its bins."""
        found = {}
        for column, counts in counted.items():
            expected = self.reference[column]["shares"]
            inside = [counts.get(place, 0) for place in range(len(expected) - 1)]
            total = sum(counts.values())
            actual = [count / total for count in [*inside, total - sum(inside)]]
            pairs = [(max(e, EMPTY_BIN), max(a, EMPTY_BIN)) for e, a in zip(expected, actual, strict=True)]
            found[column] = sum((a - e) * np.log(a / e) for e, a in pairs)
        return found


def roc_auc(predictions: Sequence[float], cases: Sequence[float], rows: Sequence[float]) -> float:
    """Return the ROC AUC of rows counted by distinct prediction."""
    order = np.argsort(np.asarray(predictions))
    positive = np.asarray(cases, dtype=float)[order]
    negative = np.asarray(rows, dtype=float)[order] - positive
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / (positive.sum() * negative.sum()))


def main(
    etl: Callable[[Path, Path], None],
    score: Callable[[Path, Model, Path], None],
    monitor: Callable[[Path, str, Model], tuple[int, float, dict[str, float]]],
) -> None:
    """Do what the command line says."""
    verb, *given = sys.argv[1:]
    if verb == "etl":
        etl(Path(given[0]), Path(given[1]))
    elif verb == "score":
        score(Path(given[0]), Model(Path(given[1])), Path(given[2]))
    else:
        rows, auc, drifts = monitor(Path(given[0]), given[1], Model(Path(given[2])))
        print(json.dumps({"rows": rows, "roc_auc": auc, "drift": drifts}))
