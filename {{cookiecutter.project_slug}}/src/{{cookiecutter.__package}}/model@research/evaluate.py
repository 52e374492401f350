"""Measures a model and the baseline on the same rows: overall, by month and by slice."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .features import Dataset, Floats
from .metrics import bootstrap, measure, ranked

RESAMPLES = 200
SMALLEST_PART_ROWS = 100

Measured = Mapping[str, Mapping[str, float]]


def evaluate(
    test: Dataset, prediction: Floats, baseline: Floats, threshold: float, on_step: Callable[[str], None]
) -> dict[str, Any]:
    """Return every metric with its 95% interval: of the model, the baseline, each month and each slice.

    `prediction` and `baseline` have one value per row of `test`. Parts of fewer than
    SMALLEST_PART_ROWS rows are left out: their figures would say nothing.
    """
    on_step("measure the model")
    model = _measured(test.target, prediction, threshold)
    on_step("measure the baseline")
    simple = _measured(test.target, baseline, threshold)
    parts = {"month": test.months, **test.slices}
    measured = {}
    for name, values in parts.items():
        on_step(f"measure by {name}")
        measured[name] = _by_value(test, prediction, values, threshold)
    return {"rows": len(test), "threshold": threshold, "model": model, "baseline": simple, "parts": measured}


def _by_value(test: Dataset, prediction: Floats, values: Any, threshold: float) -> dict[str, Any]:
    result = {}
    for value in np.unique(values):
        chosen = values == value
        if chosen.sum() >= SMALLEST_PART_ROWS:
            measured = _measured(test.target[chosen], prediction[chosen], threshold)
            result[str(value)] = {"rows": int(chosen.sum()), **measured}
    return result


def _measured(target: Floats, prediction: Floats, threshold: float) -> Measured:
    rows = ranked(target, prediction)
    intervals = bootstrap(rows, threshold, RESAMPLES)
    return {
        name: {"value": value, "low": intervals[name][0], "high": intervals[name][1]}
        for name, value in measure(rows, threshold).items()
    }
