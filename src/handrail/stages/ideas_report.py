"""Says what speaks for each idea, for the terminal and as a page: the same rows in both."""

from collections.abc import Iterator, Sequence
from itertools import count, takewhile
from math import ceil, sqrt

from handrail.config.settings import Settings
from handrail.stages.html_page import heading, html_page, paragraph, table
from handrail.stages.ideas import FILE, Idea, Shortlist
from handrail.stages.sensitivity import (
    DRAWS,
    BreakEven,
    Swing,
    break_even,
    break_even_to_lead,
    shares_first,
    swings,
)
from handrail.stages.svg import dot, drawing, level, round_step, text

Row = tuple[str, ...]
RANKED = ("idea", "return", "comes first", "value", "cost", "chance", "weeks")
NEEDED = ("idea", "chance", "value", "cost")
PAYS = "It pays from here on (each number alone, the others as they are)"
WINS = "It comes first from here on (each number alone, the others as they are)"
WIDTH, HEIGHT = 720.0, 420.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 40.0, 24.0, 48.0
LARGEST_RADIUS = 30.0
LINE_HEIGHT = 15.0
# Okabe and Ito's colours, told apart by everybody.
BLUE, ORANGE, QUIET, GRID = "#0072b2", "#d55e00", "#5c5c5c", "#dddddd"


def ranked_rows(shortlist: Shortlist) -> list[Row]:
    """Return a row for each idea, the greatest expected return first."""
    shares = shares_first(shortlist.ideas)
    return [
        (
            idea.name,
            f"{idea.expected_return:,.0f}",
            f"{shares[idea.name]:.0%}",
            f"{idea.value:,.0f}",
            f"{idea.cost:,.0f}",
            f"{idea.chance:.0%}",
            f"{idea.effort_weeks:g}",
        )
        for idea in shortlist.ranked()
    ]


def paying_rows(shortlist: Shortlist) -> list[Row]:
    """Return what each number alone would have to be for the idea to pay."""
    return [(idea.name, *_bounds(break_even(idea))) for idea in shortlist.ranked()]


def winning_rows(shortlist: Shortlist) -> list[Row]:
    """Return what each number alone would have to be for the idea to come first; empty for a single idea."""
    wanted = {idea.name: break_even_to_lead(idea, shortlist.ideas) for idea in shortlist.ranked()}
    return [(name, *_bounds(found)) for name, found in wanted.items() if found]


def swing_lines(shortlist: Shortlist) -> list[str]:
    """Return a sentence for each single number that changes which idea comes first."""
    found = [
        f"If the {swing.field} of {swing.idea} is {_figure(swing)}, {swing.first} comes first."
        for swing in swings(shortlist.ideas)
    ]
    return found or ["No single number, anywhere in its range, changes which idea comes first."]


def verdict(shortlist: Shortlist) -> str:
    """Return in one sentence what the figures say."""
    first = shortlist.ranked()[0]
    amount = f"{first.expected_return:,.0f} {shortlist.currency}"
    if first.expected_return <= 0:
        return f"No idea pays: the best, {first.name}, returns {amount}. A no-go is the good outcome here."
    share = shares_first(shortlist.ideas)[first.name]
    chosen = f"chosen is {shortlist.chosen}" if shortlist.chosen else "none is chosen yet"
    return f"{first.name} comes first: {amount} expected, first in {share:.0%} of {DRAWS:,} draws; {chosen}."


def page(settings: Settings, shortlist: Shortlist) -> str:
    """Return the page with the picture."""
    return html_page(
        f"{settings.name}: the ideas",
        verdict(shortlist),
        _parts(shortlist),
        f"From {FILE}. Expected return: value * chance - cost, in {shortlist.currency}, for the first year.",
    )


def _parts(shortlist: Shortlist) -> Iterator[str]:
    yield chart(shortlist.ideas, shortlist.chosen, shortlist.currency)
    yield paragraph(
        "Up and to the right is better. The area of a circle is the cost, its dashed lines are the ranges; "
        "the chosen idea is orange.",
        "quiet",
    )
    yield heading("Ranking")
    yield table(
        f"Comes first: share of {DRAWS:,} draws, every number taken from its range",
        RANKED,
        ranked_rows(shortlist),
    )
    yield heading("What would have to be true")
    yield table(PAYS, NEEDED, paying_rows(shortlist))
    if winning_rows(shortlist):
        yield table(WINS, NEEDED, winning_rows(shortlist))
    yield heading("What changes the ranking")
    yield from (paragraph(line) for line in swing_lines(shortlist))


def _bounds(found: BreakEven) -> tuple[str, str, str]:
    """Return the three bounds in words; `never` where no such number can be."""
    chance = f"≥ {found.chance:.0%}" if 0 < found.chance <= 1 else "never" if found.chance > 1 else "any"
    value = "never" if found.value == float("inf") else f"≥ {found.value:,.0f}" if found.value > 0 else "any"
    return chance, value, f"≤ {found.cost:,.0f}" if found.cost >= 0 else "never"


def _figure(swing: Swing) -> str:
    return f"{swing.bound:.0%}" if swing.field == "chance" else f"{swing.bound:,.0f}"


def chart(ideas: Sequence[Idea], chosen: str | None, currency: str) -> str:
    """Return an SVG: chance to the right, value upwards, circles as large as the cost, ranges as lines."""
    highest = max(idea.bounds("value")[1] for idea in ideas) or 1.0
    step = round_step(highest)
    top = step * ceil(highest / step)
    costliest = max(idea.cost for idea in ideas) or 1.0
    placed = [(idea, _across(idea.chance), _up(idea.value, top), _radius(idea, costliest)) for idea in ideas]
    marks = [*_axes(step, top, currency), *(_ranges(idea, top) for idea in ideas)]
    marks += [dot(x, y, radius, ORANGE if idea.name == chosen else BLUE) for idea, x, y, radius in placed]
    marks += _labels([(idea.name, x, y, radius) for idea, x, y, radius in placed])
    described = "; ".join(f"{idea.name}: {idea.value:,.0f} at {idea.chance:.0%}" for idea in ideas)
    return drawing(WIDTH, HEIGHT, described, marks)


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
        yield level(LEFT, WIDTH - RIGHT, y, GRID)
        yield text(LEFT - 8, y + 4, format_amount(value), "end")
    for chance in (0, 0.25, 0.5, 0.75, 1):
        yield f'<path d="M{_across(chance):.1f} {TOP:g}V{bottom:g}" stroke="{GRID}"/>'
        yield text(_across(chance), bottom + 18, f"{chance:.0%}", "middle")
    yield text(_across(0.5), HEIGHT - 8, "chance that it works", "middle")
    yield text(4, 14, f"value of the first year, {currency}", "start")


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
        yield text(x + beside, lowest[side], name, side)
