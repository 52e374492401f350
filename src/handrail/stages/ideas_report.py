"""Says what speaks for each idea, for the terminal and as a page: the same rows in both."""

from collections.abc import Iterator

from handrail.config.settings import Settings
from handrail.stages.html_page import heading, html_page, paragraph, table
from handrail.stages.ideas import FILE, Shortlist
from handrail.stages.ideas_chart import chart
from handrail.stages.sensitivity import (
    DRAWS,
    BreakEven,
    Swing,
    break_even,
    break_even_to_lead,
    shares_first,
    swings,
)

Row = tuple[str, ...]
RANKED = ("idea", "return", "comes first", "value", "cost", "chance", "weeks")
NEEDED = ("idea", "chance", "value", "cost")
PAYS = "It pays from here on (each number alone, the others as they are)"
WINS = "It comes first from here on (each number alone, the others as they are)"


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
