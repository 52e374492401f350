"""The few marks that the pages draw: SVG as text, without a library."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10


@dataclass(frozen=True)
class Scale:
    """Places values between two ends of the drawing: `low` at `start`, `high` at `end`, in its units."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return where a value stands; in the middle where all values are one."""
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.5
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return four to ten round values within the scale; the only one where all are one."""
        if self.high <= self.low:
            return [self.low]
        step = round_step(self.high - self.low)
        return [step * number for number in range(ceil(self.low / step), floor(self.high / step) + 1)]


def round_step(span: float) -> float:
    """Return a round distance that divides a span into four to ten."""
    tenth = 10.0 ** floor(log10(span))
    return tenth if span / tenth >= 4 else tenth / 2 if span / tenth >= 2 else tenth / 5


def drawing(width: float, height: float, description: str, marks: Iterable[str]) -> str:
    """Return marks as one picture; `description` is read out to those who cannot see it."""
    opening = f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(description)}">'
    return "\n".join((opening, *marks, "</svg>"))


def text(x: float, y: float, words: str, anchor: str) -> str:
    """Return words that begin at, end at or stand around x: anchor `start`, `end` or `middle`."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def level(left: float, right: float, y: float, colour: str) -> str:
    """Return a horizontal line."""
    return f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="{colour}"/>'


def polyline(points: Sequence[tuple[float, float]], colour: str) -> str:
    """Return a line through points."""
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path d="M{path}" stroke="{colour}" stroke-width="1.6" fill="none"/>'


def dot(x: float, y: float, radius: float, colour: str) -> str:
    """Return a circle that lets through what is behind it."""
    place = f'cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"'
    return f'<circle {place} fill="{colour}" fill-opacity=".65" stroke="{colour}"/>'
