"""The pictures of the reports, as SVG text that can stand in a page."""

import math
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import Any, Protocol

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from handrail.arrays import Doubles, Floats

# Okabe and Ito's colours, told apart by everybody; lines differ in their dashes too, for print in grey.
INK, QUIET, GRID = "#222222", "#666666", "#dddddd"
MODEL, BASELINE, CHOSEN = "#0072b2", "#666666", "#d55e00"
WIDTH_INCHES = 4.8
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "text.parse_math": False,
    "font.size": 10,
    "axes.axisbelow": True,
    "axes.edgecolor": QUIET,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "xtick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.color": QUIET,
    "ytick.labelcolor": INK,
}
MODEL_LINE: dict[str, Any] = {"color": MODEL, "linewidth": 2, "label": "model"}
SIMPLE_LINE: dict[str, Any] = {"color": BASELINE, "linestyle": "--", "label": "simple technique"}
MODEL_DOT: dict[str, Any] = {"color": MODEL, "marker": "o", "markersize": 5}
SIMPLE_DOT: dict[str, Any] = {"color": BASELINE, "marker": "d", "fillstyle": "none", "linestyle": "none"}
CHOSEN_DOT: dict[str, Any] = {
    "color": CHOSEN,
    "marker": "o",
    "markersize": 8,
    "zorder": 3,
    "linestyle": "none",
}
DOTS_ACROSS, DOTS_DOWN, DOT_STEP, DOT_RADIUS = 20, 5, 12, 4.2
MOST_BINS, FEWEST_ROWS_PER_BIN = 10, 50
Range = tuple[float, float]


@dataclass(frozen=True)
class Picture:
    """A picture as SVG text, its title, and what to read from it."""

    title: str
    svg: str
    caption: str = ""


def svg(
    draw: Callable[[Figure], object],
    height_inches: float,
    description: str,
    width_inches: float = WIDTH_INCHES,
) -> str:
    """Return what `draw` puts on an empty figure; `description` is read out to those who cannot see it.

    The same drawing gives the same text, without date, address or identifier that another one may have.
    """
    written = StringIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # The browser sets the text, in a font that has the letters that matplotlib's own may miss.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure((width_inches, height_inches), layout="constrained")
        draw(figure)
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    text = re.sub(r"<metadata>.*?</metadata>", "", written.getvalue(), flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    box = re.search(r'viewBox="([^"]*)"', text)
    inside = text[text.index(">", text.index("<svg")) + 1 :]
    view = box.group(1) if box else ""
    return f'<svg viewBox="{view}" role="img" aria-label="{escape(description)}">{inside.strip()}'


def hundred(filled: int, description: str) -> str:
    """Return a hundred dots that need no explaining, `filled` of them full and the others rings."""
    marks = [
        f'<circle cx="{DOT_STEP * (place % DOTS_ACROSS) + DOT_STEP // 2}" '
        f'cy="{DOT_STEP * (place // DOTS_ACROSS) + DOT_STEP // 2}" '
        f'r="{DOT_RADIUS}" class="{"full" if place < filled else "ring"}"/>'
        for place in range(DOTS_ACROSS * DOTS_DOWN)
    ]
    box = f"0 0 {DOT_STEP * DOTS_ACROSS} {DOT_STEP * DOTS_DOWN}"
    return f'<svg viewBox="{box}" role="img" aria-label="{escape(description)}">{"".join(marks)}</svg>'


class Interval(Protocol):
    """A figure with the ends of its interval."""

    @property
    def low(self) -> float:
        """The lower end."""
        ...

    @property
    def high(self) -> float:
        """The upper end."""
        ...


def spans(values: Sequence[float], intervals: Sequence[Interval]) -> Doubles:
    """Return how far the ends lie from each value (2, n): none beyond it, which matplotlib can't draw.

    A resampled interval need not hold its figure, and a rounded one may miss it by the last digit.
    """
    ends = np.array([[each.low, each.high] for each in intervals], dtype=np.float64).T
    return np.maximum([values - ends[0], ends[1] - values], 0)


def quantile_bins(values: Floats) -> list[NDArray[np.bool_]]:
    """Return which values each bin holds, (n), the lowest first: up to MOST_BINS, about equally full."""
    count = max(1, min(MOST_BINS, len(values) // FEWEST_ROWS_PER_BIN))
    edges = np.unique(np.quantile(values, np.arange(1, count) / count))
    places = np.searchsorted(edges, values, side="right")
    return [places == place for place in np.unique(places)]


@dataclass(frozen=True)
class Mark:
    """A line of a picture of intervals: the model's figure with its interval, and the simple technique's."""

    label: str
    value: float
    low: float
    high: float
    simple: float = math.nan


def limits(marks: Sequence[Mark], *others: float) -> Range:
    """Return the ends of an axis that holds every finite figure of `marks` and `others`."""
    every = np.array([end for mark in marks for end in (mark.value, mark.low, mark.high, mark.simple)])
    every = np.append(every, others)
    every = every[np.isfinite(every)] if np.isfinite(every).any() else np.array([0.0, 1.0])
    edge = 0.04 * float(np.ptp(every)) or 0.01
    return float(every.min()) - edge, float(every.max()) + edge


def interval_picture(marks: Sequence[Mark], line: float, ends: Range, label: str, description: str) -> str:
    """Draw one line per mark, the first on top, and a dotted line at `line`; NaN leaves its place empty."""

    def draw(figure: Figure) -> None:
        axes, places = figure.subplots(), range(len(marks))
        axes.axvline(line, color=QUIET, linestyle=":")
        values = [mark.value for mark in marks]
        axes.errorbar(values, places, None, spans(values, marks), **MODEL_DOT, linestyle="none")
        axes.plot([mark.simple for mark in marks], places, **SIMPLE_DOT)
        axes.set_yticks(places, [mark.label for mark in marks])
        axes.set(xlabel=label, xlim=ends, ylim=(len(marks) - 0.4, -0.6))
        axes.locator_params(axis="x", nbins=6)
        axes.grid(visible=False, axis="y")

    return svg(draw, 0.8 + 0.24 * len(marks), description)
