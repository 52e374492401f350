"""Asks a version again for what it predicted, and compares."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Floats
from handrail.compute.duckdb import Connection
from handrail.monitoring.outcomes import answered_by
from handrail.registry.versions import Version
from handrail.serving.inference import start_model

TOLERANCE = 1e-5  # of a prediction's size: it is logged as text, and a row is as good as a batch


@dataclass(frozen=True)
class Reproduction:
    """How many predictions of a version came out again, how many did not, and by how much at most."""

    version: str
    predictions: int
    others: int
    furthest: float


def reproduce_predictions(connection: Connection, source: str, version: Version) -> Reproduction:
    """Predict the rows of `version` in `source` again: the model's by the model, the rest by the baseline."""
    own = answered_by(source, version.name)
    modelled, beside = predict_rows(
        connection,
        own,
        version,
        simple=version.baseline.select(),
        by_model="source = 'model'",
        logged="CAST(prediction AS FLOAT)",
    )
    predicted = np.where(beside["by_model"].astype(bool), modelled, beside["simple"])
    distance = np.abs(predicted.astype(np.float64) - beside["logged"])
    others = ~(distance <= TOLERANCE * np.maximum(1, np.abs(beside["logged"])))
    furthest = float(np.nanmax(distance)) if np.isfinite(distance).any() else float("inf")
    return Reproduction(version.name, len(modelled), int(others.sum()), furthest)


def predict_rows(
    connection: Connection, source: str, version: Version, **more: str
) -> tuple[Floats, dict[str, NDArray[Any]]]:
    """Return what `version` predicts for each row of the FROM item `source`, and expressions of the same row.

    What is missing in those is NaN.
    """
    encoded = [f"{expression} AS _f{number}" for number, expression in enumerate(version.encoding.select())]
    beside = [f"{expression} AS _{name}" for name, expression in more.items()]
    table = connection.sql(f"SELECT {', '.join([*encoded, *beside])} FROM {source}").fetchnumpy()
    matrix = np.column_stack([np.ma.getdata(table[f"_f{n}"]) for n in range(len(encoded))])
    predicted = start_model(version).predict(np.ascontiguousarray(matrix, dtype=np.float32))
    return predicted, {name: np.ma.filled(table[f"_{name}"], np.nan) for name in more}
