"""Asks a version again for what it predicted, and compares."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine import Connection, literal
from ..model.features import Floats
from ..model.versions import Version
from ..serve.answer import start_model

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
    own = f"(SELECT * FROM {source} WHERE version = {literal(version.name)})"
    modelled, beside = ask(
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
    return Again(version.name, len(modelled), int(others.sum()), furthest)


def ask(
    connection: Connection, source: str, version: Version, **more: str
) -> tuple[Floats, dict[str, NDArray[Any]]]:
    """Return what `version` predicts for each row of the FROM item `source`, and expressions of the same row.

    What is missing in those is NaN.
    """
    encoded = [f"{expression} AS f{number}" for number, expression in enumerate(version.encoding.select())]
    beside = [f"{expression} AS {name}" for name, expression in more.items()]
    table = connection.sql(f"SELECT {', '.join([*encoded, *beside])} FROM {source}").fetchnumpy()
    matrix = np.column_stack([np.ma.getdata(table[f"f{n}"]) for n in range(len(encoded))])
    predicted = start_model(version).predict(np.ascontiguousarray(matrix, dtype=np.float32))
    return predicted, {name: np.ma.filled(table[name], np.nan) for name in more}
