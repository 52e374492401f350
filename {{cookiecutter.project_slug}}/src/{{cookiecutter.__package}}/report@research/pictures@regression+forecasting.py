"""The report's pictures: numbers in, SVG text out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ..model.features import Floats
from .drawing import BASELINE, CHOSEN, MODEL, QUIET, svg
from .figures import PER, Bin, Choice, Doubles

MODEL_LINE: dict[str, Any] = {"color": MODEL, "linewidth": 2, "label": "model"}
SIMPLE_LINE: dict[str, Any] = {"color": BASELINE, "linestyle": "--", "label": "simple technique"}
CHOSEN_DOT: dict[str, Any] = {
    "color": CHOSEN,
    "marker": "o",
    "markersize": 8,
    "zorder": 3,
    "linestyle": "none",
}
Curve = tuple[Doubles, Doubles]


def errors_picture(model: Floats, simple: Floats, unit: str, description: str) -> str:
    """Draw how often which error occurs; the hundredth at either end is left out."""
    low, high = np.quantile(np.concatenate([model, simple]), [0.01, 0.99])

    def draw(figure: Figure) -> None:
        axes, edges = figure.subplots(), np.linspace(low, high, 41)
        axes.axvline(0, color=QUIET, linestyle=":")
        axes.hist(model, bins=edges.tolist(), color=MODEL, alpha=0.6, label="model")
        axes.hist(simple, bins=edges.tolist(), color=BASELINE, histtype="step", label="simple technique")
        axes.set(xlabel=with_unit("predicted less outcome", unit), ylabel="rows")
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.legend(loc="best")

    return svg(draw, 4.0, description)


def budget_picture(model: Curve, simple: Curve, tolerable: float, unit: str, description: str) -> str:
    """Draw the share of rows whose error is at most so large; the tolerable error is marked."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot(*simple, **SIMPLE_LINE)
        axes.plot(*model, **MODEL_LINE)
        axes.axvline(tolerable, color=CHOSEN, linestyle=":", label="tolerable")
        axes.set(xlabel=with_unit("error of at most", unit), ylabel="rows", ylim=(0, 1.02))
        axes.set_xlim(left=0)
        _percent(axes)
        axes.legend(loc="lower right")

    return svg(draw, 3.8, description)


def size_picture(bins: Sequence[Bin], unit: str, description: str) -> str:
    """Draw the mean size of the errors against the predicted amount."""

    def draw(figure: Figure) -> None:
        axes, x = figure.subplots(), [each.predicted for each in bins]
        axes.plot(x, [each.simple_error for each in bins], marker="d", fillstyle="none", **SIMPLE_LINE)
        axes.plot(x, [each.error for each in bins], marker="o", **MODEL_LINE)
        axes.set(xlabel=with_unit("predicted", unit), ylabel=with_unit("mean error", unit))
        axes.set_ylim(bottom=0)
        axes.legend(loc="best")

    return svg(draw, 3.8, description)


def cost_picture(
    model: Sequence[Choice], simple: Sequence[Choice], chosen: Choice, axis: str, description: str
) -> str:
    """Draw what planning costs against the margin."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for curve, style in ((simple, SIMPLE_LINE), (model, MODEL_LINE)):
            axes.plot([c.margin for c in curve], [c.cost for c in curve], **style)
        axes.plot([chosen.margin], [chosen.cost], **CHOSEN_DOT, label="chosen margin")
        axes.set(xlabel="margin", ylabel=f"{axis} per {PER:,} rows")
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.legend(loc="best")

    return svg(draw, 3.8, description)


def with_unit(label: str, unit: str) -> str:
    """Return the label of an axis."""
    return f"{label}, {unit}" if unit else label


def _percent(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(PercentFormatter(1))
