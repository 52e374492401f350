"""The first picture of the report: the latest days as they were forecast, and as they came."""

from dataclasses import dataclass

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from numpy.typing import NDArray

from handrail.arrays import Doubles
from handrail.reports.drawing import INK, svg
from handrail.reports.gallery import Picture
from handrail.tasks.amounts.charts import MODEL_LINE, SIMPLE_LINE, with_unit
from handrail.training.run import Training

DAYS = 7


@dataclass(frozen=True)
class Series:
    """Sums over all rows of one time: what came, what the model and the simple technique forecast."""

    times: NDArray[np.datetime64]
    came: Doubles
    model: Doubles
    simple: Doubles


def latest(training: Training) -> Series:
    """Return the last DAYS days of the test period."""
    test = training.test
    chosen = test.times > test.times[-1] - np.timedelta64(DAYS, "D")
    times, places = np.unique(test.times[chosen], return_inverse=True)
    came, model, simple = (
        np.bincount(places, weights=each[chosen].astype(np.float64)).astype(np.float64)
        for each in (test.target, training.prediction, training.baseline)
    )
    return Series(times, came, model, simple)


def first_picture(training: Training, unit: str) -> Picture:
    """Return the last days of the test period: forecast, simple technique and outcome."""
    series = latest(training)
    errors = [np.abs(each - series.came).mean() for each in (series.model, series.simple)]
    first, last = (series.times[place].astype("datetime64[D]") for place in (0, -1))
    said = (
        f"{first} to {last}, all series together: off by {errors[0]:.1f} on average, the simple technique "
        f"by {errors[1]:.1f}."
    )
    return Picture("The latest days, forecast and come", _draw(series, unit, f"Series. {said}"), said)


def _draw(series: Series, unit: str, description: str) -> str:
    def draw(figure: Figure) -> None:
        axes, locator = figure.subplots(), AutoDateLocator()
        axes.plot(series.times, series.came, color=INK, linewidth=1, label="came")
        axes.plot(series.times, series.simple, **SIMPLE_LINE)
        axes.plot(series.times, series.model, **MODEL_LINE)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        axes.set(ylabel=with_unit("all series together", unit))
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper center", ncols=3)

    return svg(draw, 4.0, description)
