"""The chart of the ideas: SVG as text, for the small install of discovery has no library that draws."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import count, takewhile
from math import ceil, floor, log10, sqrt

from handrail.stages.ideas import Idea

WIDTH, HEIGHT = 720.0, 420.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 40.0, 24.0, 48.0
LARGEST_RADIUS = 30.0
LINE_HEIGHT = 15.0
# Okabe and Ito's colours, told apart by everybody.
BLUE, ORANGE, QUIET, GRID = "#0072b2", "#d55e00", "#5c5c5c", "#dddddd"


def chart(ideas: Sequence[Idea], chosen: str | None, currency: str) -> str:
    """Return an SVG: chance to the right, value upwards, circles as large as the cost, ranges as lines."""
    highest = max(idea.bounds("value")[1] for idea in ideas) or 1.0
    step = _round_step(highest)
    top = step * ceil(highest / step)
    costliest = max(idea.cost for idea in ideas) or 1.0
    placed = [(idea, _across(idea.chance), _up(idea.value, top), _radius(idea, costliest)) for idea in ideas]
    marks = [*_axes(step, top, currency), *(_ranges(idea, top) for idea in ideas)]
    marks += [_dot(x, y, radius, ORANGE if idea.name == chosen else BLUE) for idea, x, y, radius in placed]
    marks += _labels([(idea.name, x, y, radius) for idea, x, y, radius in placed])
    described = "; ".join(f"{idea.name}: {idea.value:,.0f} at {idea.chance:.0%}" for idea in ideas)
    return _drawing(WIDTH, HEIGHT, described, marks)


def format_amount(amount: float) -> str:
    """Return a round amount in few characters, as 2.5 M."""
    for unit, name in ((1e9, " bn"), (1e6, " M"), (1e3, " k")):
        if amount >= unit:
            return f"{amount / unit:g}{name}"
    return f"{amount:g}"


def _across(chance: float) -> float:
    return LEFT + chance * (WIDTH - LEFT - RIGHT)


def _up(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)


def _radius(idea: Idea, costliest: float) -> float:
    """Return the radius of a circle whose area is in proportion to the cost, and never too small to see."""
    return max(LARGEST_RADIUS * sqrt(idea.cost / costliest), 3.0)


def _axes(step: float, top: float, currency: str) -> Iterator[str]:
    bottom = HEIGHT - BOTTOM
    for value in takewhile(lambda value: value <= top, (step * number for number in count())):
        y = _up(value, top)
        yield _level(LEFT, WIDTH - RIGHT, y, GRID)
        yield _text(LEFT - 8, y + 4, format_amount(value), "end")
    for chance in (0, 0.25, 0.5, 0.75, 1):
        yield f'<path d="M{_across(chance):.1f} {TOP:g}V{bottom:g}" stroke="{GRID}"/>'
        yield _text(_across(chance), bottom + 18, f"{chance:.0%}", "middle")
    yield _text(_across(0.5), HEIGHT - 8, "chance that it works", "middle")
    yield _text(4, 14, f"value of the first year, {currency}", "start")


def _ranges(idea: Idea, top: float) -> str:
    """Return a cross: how far value and chance may lie from the middle."""
    (low, high), (least, most) = idea.bounds("value"), idea.bounds("chance")
    upright = f"M{_across(idea.chance):.1f} {_up(low, top):.1f}V{_up(high, top):.1f}"
    level = f"M{_across(least):.1f} {_up(idea.value, top):.1f}H{_across(most):.1f}"
    return f'<path d="{upright}{level}" stroke="{QUIET}" stroke-dasharray="3 3" fill="none"/>'


def _labels(placed: Sequence[tuple[str, float, float, float]]) -> Iterator[str]:
    """Yield the names beside their circles, on the side with room, moved down where two would meet."""
    lowest = {"start": -LINE_HEIGHT, "end": -LINE_HEIGHT}
    for name, x, y, radius in sorted(placed, key=lambda mark: mark[2]):
        side = "end" if x > (LEFT + WIDTH - RIGHT) / 2 else "start"
        lowest[side] = max(y - radius * 0.7, lowest[side] + LINE_HEIGHT)
        beside = -radius - 4 if side == "end" else radius + 4
        yield _text(x + beside, lowest[side], name, side)


def _round_step(span: float) -> float:
    """Return a round distance that divides a span into four to ten."""
    tenth = 10.0 ** floor(log10(span))
    return tenth if span / tenth >= 4 else tenth / 2 if span / tenth >= 2 else tenth / 5


def _drawing(width: float, height: float, description: str, marks: Iterable[str]) -> str:
    """Return marks as one picture; `description` is read out to those who cannot see it."""
    opening = f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(description)}">'
    return "\n".join((opening, *marks, "</svg>"))


def _text(x: float, y: float, words: str, anchor: str) -> str:
    """Return words that begin at, end at or stand around x: anchor `start`, `end` or `middle`."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _level(left: float, right: float, y: float, colour: str) -> str:
    """Return a horizontal line."""
    return f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="{colour}"/>'


def _dot(x: float, y: float, radius: float, colour: str) -> str:
    """Return a circle that lets through what is behind it."""
    place = f'cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"'
    return f'<circle {place} fill="{colour}" fill-opacity=".65" stroke="{colour}"/>'
