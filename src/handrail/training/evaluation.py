"""Measures a model and the baseline on the same rows: overall, by month and by slice."""

from collections.abc import Callable, Mapping
from math import nan
from typing import Any

import numpy as np

from handrail.arrays import Doubles, Floats
from handrail.tasks.metric import Decision, Metrics, of_baseline
from handrail.training.dataset import Dataset
from handrail.training.horizons import MOST_STEPS, step_unit
from handrail.training.intervals import Groups, figures, resampled

SMALLEST_PART_ROWS = 100
PART_RESAMPLES = 200  # of each month, step and slice: there are many, and nothing is decided by one

Figures = Mapping[str, Mapping[str, float]]


def evaluate(
    metrics: Metrics,
    test: Dataset,
    prediction: Floats,
    baseline: Floats,
    decision: Decision,
    on_step: Callable[[str], None],
) -> dict[str, Any]:
    """Return every metric with its 95% interval: of the model, the baseline, each month and each slice.

    `gain` is how much better the model is than the baseline, on the same rows. `prediction` and `baseline`
    have one value per row of `test`. Parts of fewer than SMALLEST_PART_ROWS rows are left out: their
    figures would say nothing. `drawn` says what the intervals are of, and how many there are.
    """
    on_step("measure model and baseline")
    both, decisions = (prediction, baseline), (decision, of_baseline(decision))
    model, simple, gain = compare(metrics, test.target, *both, decisions[0], test.groups, decisions[1])
    parts = moments(test) | dict(test.slices)
    measured = {}
    for name, values in parts.items():
        on_step(f"measure by {name}")
        measured[name] = _by_value(metrics, test, prediction, values, decision)
    whole = {"model": model, "baseline": simple, "gain": gain}
    facts: dict[str, Any] = {"rows": len(test), "decision": decision, "drawn": test.groups.facts}
    if "step" in parts and test.times is not None and test.origins is not None:
        facts["step_unit"] = step_unit(test.times, test.origins)
    return facts | whole | {"parts": measured}


def moments(test: Dataset) -> dict[str, Any]:
    """Return the values (n) of the parts that follow from the times of the rows: their months and steps.

    Steps are told where there are several, and not too many to say something of each.
    """
    found: dict[str, Any] = {} if test.months is None else {"month": test.months}
    if test.steps is not None and 1 < len(np.unique(test.steps)) <= MOST_STEPS:
        found["step"] = test.steps
    return found


def compare(
    metrics: Metrics,
    target: Floats,
    prediction: Floats,
    baseline: Floats,
    decision: Decision,
    groups: Groups,
    other_decision: Decision | None = None,
) -> tuple[Figures, Figures, Figures]:
    """Return the figures of both, and how much better the first is, which is above 0 for every metric.

    `groups`: which rows belong together; both predictions are measured on the same draws of them ·
    `other_decision`: how the second's predictions are acted on, where that is not as the first's.
    """
    both = [metrics.outcomes(target, each) for each in (prediction, baseline)]
    acted = list(zip(both, (decision, other_decision or decision), strict=True))
    model, simple = (metrics.measure_rows(rows, each) for rows, each in acted)
    drawn, drawn_simple = (resampled(metrics, rows, groups, each) for rows, each in acted)
    gain = {
        name: figures(
            metric.sign * (model[name] - simple[name]),
            metric.sign * (drawn[name] - drawn_simple[name]),
            groups,
        )
        for name, metric in metrics.goals.items()
    }
    return _figures(model, drawn, groups), _figures(simple, drawn_simple, groups), gain


def _by_value(
    metrics: Metrics, test: Dataset, prediction: Floats, values: Any, decision: Decision
) -> dict[str, Any]:
    result = {}
    for value in np.unique(values):
        chosen = values == value
        count = int(chosen.sum())
        if count >= SMALLEST_PART_ROWS:
            rows, groups = metrics.outcomes(test.target[chosen], prediction[chosen]), test.groups.rows(chosen)
            drawn = resampled(metrics, rows, groups, decision, PART_RESAMPLES)
            measured = metrics.measure_rows(rows, decision)
            result[str(value)] = {"rows": count, **_figures(measured, drawn, groups)}
    return result


def _figures(measured: Mapping[str, float], drawn: Mapping[str, Doubles], groups: Groups) -> Figures:
    """Return each metric with its interval; none where all draws agree, as on a recall of 1 of few cases.

    How far the truth is from there, such draws cannot tell.
    """
    found = {name: figures(value, drawn[name], groups) for name, value in measured.items()}
    return {
        name: each | {"low": nan, "high": nan} if each["low"] == each["high"] else each
        for name, each in found.items()
    }
