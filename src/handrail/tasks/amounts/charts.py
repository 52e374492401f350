"""The pictures for those who build the model: bins and series, computed from arrays and drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from handrail.arrays import Doubles, Floats
from handrail.errors import ProjectError
from handrail.reports.pictures import (
    BASELINE,
    CHOSEN,
    CHOSEN_DOT,
    INK,
    MODEL,
    MODEL_DOT,
    MODEL_LINE,
    QUIET,
    SIMPLE_LINE,
    Picture,
    quantile_bins,
    spans,
    svg,
)
from handrail.reports.wording import money, rounded, with_unit
from handrail.tasks.amounts.tradeoff import PER, Choice, places_of, signed
from handrail.training.run import Training

CURVE_POINTS = 100
LATEST_DAYS, LATEST_TIMES = 7, 24  # as many times at the least, where rows lie further apart


@dataclass(frozen=True)
class Bin:
    """Rows of like prediction: means, the outcomes' 10th and 90th percentile, the errors' mean size."""

    rows: int
    predicted: float
    observed: float
    low: float
    high: float
    error: float
    simple_error: float


def bins(target: Floats, prediction: Floats, simple: Floats) -> list[Bin]:
    """Return bins of about equally many rows, the lowest predictions first."""
    return [_bin(target[rows], prediction[rows], simple[rows]) for rows in quantile_bins(prediction)]


def _bin(target: Floats, prediction: Floats, simple: Floats) -> Bin:
    low, high = np.quantile(target, [0.1, 0.9])
    return Bin(
        len(target),
        float(prediction.mean(dtype=np.float64)),
        float(target.mean(dtype=np.float64)),
        float(low),
        float(high),
        float(np.abs(prediction - target).mean(dtype=np.float64)),
        float(np.abs(simple - target).mean(dtype=np.float64)),
    )


def outcome_picture(training: Training, unit: str) -> Picture:
    """Return what came against what was predicted: mean, and the span of eight outcomes in ten."""
    found = bins(training.test.target, training.prediction, training.baseline)

    def draw(figure: Figure) -> None:
        axes, x, y = figure.subplots(), [b.predicted for b in found], [b.observed for b in found]
        axes.plot([x[0], x[-1]], [x[0], x[-1]], color=QUIET, linestyle=":", label="as predicted")
        axes.errorbar(x, y, spans(y, found), **MODEL_DOT, label="mean outcome; bar: 8 in 10 outcomes")
        axes.set(xlabel=with_unit("predicted", unit), ylabel=with_unit("came", unit))
        axes.legend(loc="upper left")

    said = "; ".join(f"{rounded(each.predicted)} predicted, {rounded(each.observed)} came" for each in found)
    return Picture(
        "Do the predictions come true?",
        svg(draw, 4.0, f"Mean outcomes by prediction: {said}."),
        "Each dot stands for about the same number of rows. Above the dotted line, more came than was "
        "predicted; the bar holds eight outcomes in ten.",
    )


@dataclass(frozen=True)
class Series:
    """Sums over all rows of one time: what came, what the model and the simple technique forecast."""

    times: NDArray[np.datetime64]
    came: Doubles
    model: Doubles
    simple: Doubles


def latest(training: Training) -> Series:
    """Return the last days of the test period, or its last times, at the first step of several."""
    test, every = training.test, training.test.times
    if every is None:
        raise ProjectError("contract.py: a forecast is for a time, and no column has the role TIME; name it")
    # All steps of one time, added up, would be no amount of anything.
    told = np.ones(len(test), dtype=bool) if test.steps is None else test.steps == test.steps.min()
    times = np.unique(every[told])
    first = times[times > times[-1] - np.timedelta64(LATEST_DAYS, "D")][0]
    chosen = told & (every >= min(first, times[-LATEST_TIMES:][0]))
    times, places = np.unique(every[chosen], return_inverse=True)
    came, model, simple = (
        np.bincount(places, weights=each[chosen].astype(np.float64)).astype(np.float64)
        for each in (test.target, training.prediction, training.baseline)
    )
    return Series(times, came, model, simple)


def series_picture(training: Training, unit: str) -> Picture:
    """Return the last days of the test period: forecast, simple technique and outcome."""
    series = latest(training)

    def draw(figure: Figure) -> None:
        axes, locator = figure.subplots(), AutoDateLocator()
        axes.plot(series.times, series.came, color=INK, linewidth=1, label="came")
        axes.plot(series.times, series.simple, **SIMPLE_LINE)
        axes.plot(series.times, series.model, **MODEL_LINE)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        axes.set(ylabel=with_unit("all series together", unit))
        if min(each.min() for each in (series.came, series.model, series.simple)) >= 0:
            axes.set_ylim(bottom=0)
        axes.legend(loc="upper center", ncols=3)

    errors = [rounded(np.abs(each - series.came).mean()) for each in (series.model, series.simple)]
    first, last = (series.times[place].astype("datetime64[D]") for place in (0, -1))
    steps = training.test.steps
    ahead = "" if steps is None or steps.min() == steps.max() else f", each at step {steps.min()}"
    said = (
        f"{first} to {last}, all series together{ahead}: off by {errors[0]} on average, the simple technique "
        f"by {errors[1]}."
    )
    return Picture("The latest forecasts, and what came", svg(draw, 4.0, f"Series. {said}"), said)


def error_picture(training: Training, unit: str) -> Picture:
    """Return how often which error occurs; the hundredth at either end is left out."""
    model, simple = (each - training.test.target for each in (training.prediction, training.baseline))
    low, high = np.quantile(np.concatenate([model, simple]), [0.01, 0.99])

    def draw(figure: Figure) -> None:
        axes, edges = figure.subplots(), np.linspace(low, high, 41)
        axes.axvline(0, color=QUIET, linestyle=":")
        axes.hist(model, bins=edges.tolist(), color=MODEL, alpha=0.6, label="model")
        axes.hist(simple, bins=edges.tolist(), color=BASELINE, histtype="step", label="simple technique")
        axes.set(xlabel=with_unit("predicted less outcome", unit), ylabel="rows")
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.legend(loc="best")

    least, middle, most = (rounded(each) for each in np.quantile(model, [0.1, 0.5, 0.9]))
    said = f"Eight in ten errors of the model lie between {least} and {most}, half of all below {middle}."
    return Picture(
        "How the errors are spread",
        svg(draw, 4.0, f"Histogram of the errors. {said}"),
        f"{said} Left of 0, too little was predicted.",
    )


def shares_within(target: Floats, prediction: Floats, largest: float) -> tuple[Doubles, Doubles]:
    """Return sizes of error from 0 to `largest`, and the share of rows whose error is no larger."""
    sizes = np.linspace(0, largest, CURVE_POINTS)
    errors = np.sort(np.abs(prediction.astype(np.float64) - target))
    return sizes, np.searchsorted(errors, sizes, side="right") / len(errors)


def tolerance_picture(training: Training, tolerable: float, unit: str) -> Picture:
    """Return the share of rows whose error is at most so large; the tolerable error is marked."""
    target, both = training.test.target, (training.prediction, training.baseline)
    largest = max(float(np.quantile(np.abs(training.prediction - target), 0.95)), 1.5 * tolerable)
    model, simple = (shares_within(target, each, largest) for each in both)
    within = [float((np.abs(each.astype(np.float64) - target) <= tolerable).mean()) for each in both]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot(*simple, **SIMPLE_LINE)
        axes.plot(*model, **MODEL_LINE)
        axes.axvline(tolerable, color=CHOSEN, linestyle=":", label="tolerable")
        axes.set(xlabel=with_unit("error of at most", unit), ylabel="rows", ylim=(0, 1.02))
        axes.set_xlim(left=0)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.legend(loc="lower right")

    size = f"{tolerable:,.15g} {unit}".strip()
    known, guessed = (f"{share:.0%}" for share in within)
    said = f"Within {size}: {known} of the model's predictions, {guessed} of the simple technique's."
    return Picture(
        "How large an error has to be borne", svg(draw, 3.8, f"Share of rows by error. {said}"), said
    )


def size_picture(training: Training, unit: str) -> Picture:
    """Return the mean size of the errors against the predicted amount."""
    found = bins(training.test.target, training.prediction, training.baseline)

    def draw(figure: Figure) -> None:
        axes, x = figure.subplots(), [each.predicted for each in found]
        axes.plot(x, [each.simple_error for each in found], marker="d", fillstyle="none", **SIMPLE_LINE)
        axes.plot(x, [each.error for each in found], marker="o", **MODEL_LINE)
        axes.set(xlabel=with_unit("predicted", unit), ylabel=with_unit("mean error", unit))
        axes.set_ylim(bottom=0)
        axes.legend(loc="best")

    said = "; ".join(f"{rounded(b.predicted)} predicted, off by {rounded(b.error)}" for b in found)
    return Picture(
        "Errors by size of the prediction",
        svg(draw, 3.8, f"Mean error by prediction: {said}."),
        "Where errors are larger, a plan needs more room than one margin for all gives it.",
    )


def cost_picture(
    currency: str,
    model: Sequence[Choice],
    simple: Sequence[Choice],
    chosen: Choice,
    unit: str,
    *,
    here: bool = False,
) -> Picture:
    """Return what planning costs at each margin; `here`: whether it was chosen on these rows."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for curve, style in ((simple, SIMPLE_LINE), (model, MODEL_LINE)):
            axes.plot([c.margin for c in curve], [c.cost for c in curve], **style)
        axes.plot([chosen.margin], [chosen.cost], **CHOSEN_DOT, label="chosen margin")
        axes.set(xlabel=with_unit("margin", unit), ylabel=f"{currency} per {PER:,} rows")
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.legend(loc="best")

    best, places = min(model, key=lambda each: each.cost), places_of(model)
    caption = f"The margin of {signed(chosen.margin, places)} was chosen on "
    caption += (
        "these rows: on others, another may cost least."
        if here
        else (
            f"other rows. On these, {signed(best.margin, places)} would have cost least: "
            f"{money(best.cost, currency)}."
        )
    )
    said = f"Cost by margin: {money(chosen.cost, currency)} at the chosen one. {caption}"
    return Picture("What each margin costs", svg(draw, 3.8, said), caption)
