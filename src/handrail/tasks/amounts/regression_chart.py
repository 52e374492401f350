"""The first picture of the report: whether what was predicted came."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from handrail.reports.drawing import MODEL, QUIET, svg
from handrail.reports.gallery import Picture
from handrail.tasks.amounts.charts import with_unit
from handrail.tasks.amounts.figures import Bin, bins
from handrail.training.run import Training

DOT: dict[str, Any] = {"color": MODEL, "marker": "o", "markersize": 5}


def first_picture(training: Training, unit: str) -> Picture:
    """Return how far the predictions came true."""
    found = bins(training.test.target, training.prediction, training.baseline)
    said = "; ".join(f"{each.predicted:.1f} predicted, {each.observed:.1f} came" for each in found)
    return Picture(
        "Do the predictions come true?",
        _draw(found, unit, f"Mean outcomes by prediction: {said}."),
        "Each dot stands for about equally many rows. Above the dotted line, more came than was "
        "predicted; the bar holds eight outcomes in ten.",
    )


def _draw(bins: Sequence[Bin], unit: str, description: str) -> str:
    """Draw what came against what was predicted: mean, and the span of eight outcomes in ten."""

    def draw(figure: Figure) -> None:
        axes, x, y = figure.subplots(), [b.predicted for b in bins], [b.observed for b in bins]
        spans = [[b.observed - b.low for b in bins], [b.high - b.observed for b in bins]]
        axes.plot([x[0], x[-1]], [x[0], x[-1]], color=QUIET, linestyle=":", label="as predicted")
        axes.errorbar(x, y, np.maximum(spans, 0), **DOT, label="mean outcome; bar: 8 in 10 outcomes")
        axes.set(xlabel=with_unit("predicted", unit), ylabel=with_unit("came", unit))
        axes.legend(loc="upper left")

    return svg(draw, 4.0, description)
