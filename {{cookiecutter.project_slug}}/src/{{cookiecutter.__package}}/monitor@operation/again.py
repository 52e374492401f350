"""Asks a version again for what it predicted, and compares."""

from dataclasses import dataclass

import numpy as np

from ..engine import Connection, literal
from ..model.versions import Version
from ..serve.live import start_model

TOLERANCE = 1e-5  # of a prediction's size: it is logged as text, and a row is as good as a batch


@dataclass(frozen=True)
class Again:
    """How many predictions of a version came out again, how many did not, and by how much at most."""

    version: str
    predictions: int
    others: int
    furthest: float


def predict_again(connection: Connection, source: str, version: Version) -> Again:
    """Predict the rows of `version` in `source` again: the model's by the model, the rest by the baseline."""
    predictor = start_model(version)
    encoded = [f"{expression} AS f{number}" for number, expression in enumerate(version.encoding.select())]
    table = connection.sql(
        f"SELECT {', '.join(encoded)}, {version.baseline.select()} AS simple, "
        f"source = 'model' AS by_model, CAST(prediction AS FLOAT) AS logged "
        f"FROM {source} WHERE version = {literal(version.name)}"
    ).fetchnumpy()
    logged, by_model = (np.ma.filled(table[name], np.nan) for name in ("logged", "by_model"))
    matrix = np.column_stack([np.ma.getdata(table[f"f{n}"]) for n in range(len(encoded))])
    modelled = predictor.predict(np.ascontiguousarray(matrix, dtype=np.float32))
    predicted = np.where(by_model.astype(bool), modelled, np.ma.getdata(table["simple"]))
    distance = np.abs(predicted.astype(np.float64) - logged)
    others = ~(distance <= TOLERANCE * np.maximum(1, np.abs(logged)))
    furthest = float(np.nanmax(distance)) if np.isfinite(distance).any() else float("inf")
    return Again(version.name, len(logged), int(others.sum()), furthest)
