"""The report's pictures: numbers in, SVG text out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from handrail.arrays import Floats
from handrail.reports.drawing import BASELINE, CHOSEN, MODEL, QUIET, svg
from handrail.reports.gallery import Picture
from handrail.reports.wording import money
from handrail.tasks.amounts.figures import PER, Bin, Choice, Doubles, bins, budget
from handrail.training.run import Training

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


def errors(training: Training, unit: str) -> Picture:
    """Return how the errors are spread."""
    found = [each - training.test.target for each in (training.prediction, training.baseline)]
    low, middle, high = np.quantile(found[0], [0.1, 0.5, 0.9])
    said = f"Eight in ten errors of the model lie between {low:.1f} and {high:.1f}, half below {middle:.1f}."
    return Picture(
        "How the errors are spread",
        errors_picture(found[0], found[1], unit, f"Histogram of the errors. {said}"),
        f"{said} Left of 0, too little was predicted.",
    )


def tolerated(training: Training, tolerable: float, unit: str) -> Picture:
    """Return how many rows stay within which error."""
    target, sizes = training.test.target, np.abs(training.prediction - training.test.target)
    largest = max(float(np.quantile(sizes, 0.95)), 1.5 * tolerable)
    curves = [budget(target, each, largest) for each in (training.prediction, training.baseline)]
    evaluation = training.info["evaluation"]
    model, simple = (evaluation[name]["within"]["value"] for name in ("model", "baseline"))
    size = f"{tolerable:g} {unit}".strip()
    said = f"Within {size}: {model:.0%} of the model's predictions, {simple:.0%} of the simple technique's."
    return Picture(
        "How large an error has to be borne",
        budget_picture(curves[0], curves[1], tolerable, unit, f"Share of rows by error. {said}"),
        said,
    )


def by_size(training: Training, unit: str) -> Picture:
    """Return the errors by the predicted amount."""
    found = bins(training.test.target, training.prediction, training.baseline)
    said = "; ".join(f"{b.predicted:.1f} predicted, off by {b.error:.1f}" for b in found)
    return Picture(
        "Errors by size of the prediction",
        size_picture(found, unit, f"Mean error by prediction: {said}."),
        "A plan for amounts whose errors are large needs more room than one margin for all leaves.",
    )


def costs(currency: str, model: Sequence[Choice], simple: Sequence[Choice], chosen: Choice) -> Picture:
    """Return what each margin costs."""
    best = min(model, key=lambda each: each.cost)
    caption = (
        f"The margin of {chosen.margin:.1f} was chosen on earlier rows. On these, {best.margin:.1f} would "
        f"have cost least: {money(best.cost, currency)}."
    )
    description = f"Cost by margin: {money(chosen.cost, currency)} at the chosen one. {caption}"
    return Picture(
        "What each margin costs", cost_picture(model, simple, chosen, currency, description), caption
    )
