"""Does the quality hold on every important slice? On none the model may be worse than the simple technique.

A measure that is a share or a rank also has to reach the agreed minimum there. An error in the target's unit
does not: it grows with the amounts, which differ from slice to slice.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext
from handrail.readiness.paired_bootstrap import Difference, better_by
from handrail.training.evaluation import SMALLEST_PART_ROWS
from handrail.training.intervals import deviation


@dataclass(frozen=True)
class Part:
    """A slice: its rows, the metric there, and how much above the simple technique and the minimum it is."""

    name: str
    rows: int
    value: float
    over_simple: Difference
    over_minimum: Difference


def slices(context: ReadinessContext) -> str:
    """Measure every slice of the test period with enough rows to say something."""
    parts, metric = list(_parts(context)), context.metric.name
    if not parts:
        raise ProjectError(
            f"contract.py: no column is sliced, or no slice has {SMALLEST_PART_ROWS} rows; declare with "
            "sliced=True by what the quality has to hold"
        )
    looks = len(parts)  # looking at many slices, one is clear by chance
    problems = []
    for part in parts:
        where = f"{part.name}: {metric} {part.value:.3f} on {part.rows:,} rows is clearly worse than"
        if part.over_simple.reversed.clearly_above(0, looks):
            problems.append(
                f"{where} the simple technique's; let that answer there, or train on more such rows"
            )
        if context.metric.greater_is_better and part.over_minimum.reversed.clearly_above(0, looks):
            minimum = context.minimum
            problems.append(
                f"{where} the minimum {minimum:g}; train on more such rows, or say so in the report"
            )
    if problems:
        raise ProjectError(problems)
    worst = min(parts, key=lambda part: part.over_minimum.value)
    least = min(parts, key=lambda part: part.over_simple.value)
    return (
        f"{len(parts)} slices, none clearly worse than agreed: {metric} is at worst {worst.value:.3f} "
        f"({worst.name}), the gain over the simple technique at least {least.over_simple.value:+.3f} "
        f"({least.name})"
    )


def _parts(context: ReadinessContext) -> Iterator[Part]:
    test = context.splits.test
    prediction = context.predictor.predict(test.features)
    simple = context.version.baseline.predict(test.baseline_by)
    minimum = context.turned(context.minimum)
    for column, values in test.slices.items():
        for value, count in zip(*np.unique(values, return_counts=True), strict=True):
            if count < SMALLEST_PART_ROWS:
                continue
            inside = values == value
            rows = test.rows(inside)
            if not rows.groups.enough:
                continue
            model = context.score(prediction[inside], rows)
            over_simple = better_by(model, context.score(simple[inside], rows))
            over_minimum = Difference(
                model.value - minimum, deviation(model.drawn, model.groups), model.groups.count
            )
            yield Part(
                f"{column} {value}", int(count), context.turned(model.value), over_simple, over_minimum
            )
