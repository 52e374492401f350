"""Pictures of figures with their intervals: of months, of slices, of features."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from TWIN_model_metrics import GREATER_IS_BETTER, measure, rows_of

from handrail.reports.drawing import BASELINE, MODEL, QUIET, svg
from handrail.training.run import Training

MOST_MARKS = 24
DOT: dict[str, Any] = {"color": MODEL, "marker": "o", "markersize": 5, "linestyle": "none"}
DIAMOND: dict[str, Any] = {"color": BASELINE, "marker": "d", "fillstyle": "none", "linestyle": "none"}
Range = tuple[float, float]


@dataclass(frozen=True)
class Mark:
    """A line of the picture: the model's figure with its interval, and the simple technique's figure."""

    label: str
    value: float
    low: float
    high: float
    simple: float = math.nan
    amount: int = 0


def part_marks(training: Training, metric: str, part: str) -> list[Mark]:
    """Return the latest months in time order, or the slices with the most rows; none that is NaN.

    Amounts stand in their own order, names in that of their figures, the best first.
    """
    test, evaluation = training.test, training.info["evaluation"]
    measured = evaluation["parts"][part]
    column = test.months if part == "month" else test.slices[part]
    names = sorted(measured) if part == "month" else sorted(measured, key=lambda name: measured[name]["rows"])
    marks = []
    for name in names[-MOST_MARKS:]:
        figures, rows = measured[name][metric], column == name
        simple = measure(rows_of(test.target[rows], training.baseline[rows]), evaluation["decision"])[metric]
        label, amount = f"{name}  ({measured[name]['rows']:,})", int(name) if name.isdecimal() else 0
        marks.append(Mark(label, figures["value"], figures["low"], figures["high"], simple, amount))
    return [mark for mark in sorted(marks, key=_place(metric, part)) if math.isfinite(mark.value)]


def _place(metric: str, part: str) -> Callable[[Mark], Any]:
    if part == "month":
        return lambda mark: mark.label
    sign = -1 if GREATER_IS_BETTER[metric] else 1
    return lambda mark: (mark.amount, sign * mark.value)


def limits(marks: Sequence[Mark], *others: float) -> Range:
    """Return the ends of an axis that holds every finite figure of `marks` and `others`."""
    every = np.array([[mark.value, mark.low, mark.high, mark.simple] for mark in marks] or [[0.0, 1.0]])
    every = np.append(every[np.isfinite(every)], others)
    edge = 0.04 * float(np.ptp(every)) or 0.01
    return float(every.min()) - edge, float(every.max()) + edge


def interval_picture(marks: Sequence[Mark], line: float, ends: Range, label: str, description: str) -> str:
    """Draw one line per mark, the first on top, and a dotted line at `line`; NaN leaves its place empty."""

    def draw(figure: Figure) -> None:
        axes, places = figure.subplots(), range(len(marks))
        axes.axvline(line, color=QUIET, linestyle=":")
        spans = [[mark.value - mark.low for mark in marks], [mark.high - mark.value for mark in marks]]
        axes.errorbar([mark.value for mark in marks], places, None, spans, **DOT)
        axes.plot([mark.simple for mark in marks], places, **DIAMOND)
        axes.set_yticks(places, [mark.label for mark in marks])
        axes.set(xlabel=label, xlim=ends, ylim=(len(marks) - 0.4, -0.6))
        axes.locator_params(axis="x", nbins=6)
        axes.grid(visible=False, axis="y")

    return svg(draw, 0.8 + 0.24 * len(marks), description)
