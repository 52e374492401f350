"""How the report's pictures look, and how one becomes SVG text that can stand in a page."""

import re
import warnings
from collections.abc import Callable
from html import escape
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

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


def svg(draw: Callable[[Figure], object], height_inches: float, description: str) -> str:
    """Return what `draw` puts on an empty figure; `description` is read out to those who cannot see it.

    The same drawing gives the same text, without date, address or identifier that another one may have.
    """
    written = StringIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # The browser sets the text, in a font that has the letters that matplotlib's own may miss.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure((WIDTH_INCHES, height_inches), layout="constrained")
        draw(figure)
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    text = re.sub(r"<metadata>.*?</metadata>", "", written.getvalue(), flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    box = re.search(r'viewBox="([^"]*)"', text)
    inside = text[text.index(">", text.index("<svg")) + 1 :]
    view = box.group(1) if box else ""
    return f'<svg viewBox="{view}" role="img" aria-label="{escape(description)}">{inside.strip()}'
