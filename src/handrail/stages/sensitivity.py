"""How far the ranking of the ideas can be trusted: what would have to be true, and what changes it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from random import Random

from handrail.stages.ideas import Idea

UNCERTAIN = ("value", "cost", "chance")
DRAWS = 10_000


@dataclass(frozen=True)
class BreakEven:
    """What one number alone would have to be: `chance` and `value` at least, `cost` at most.

    A chance above 1 and a cost below 0 cannot be; an infinite value neither.
    """

    chance: float
    value: float
    cost: float


@dataclass(frozen=True)
class Swing:
    """A number that, at one end of its range, puts another idea first."""

    idea: str
    field: str
    bound: float
    first: str


def break_even(idea: Idea, above: float = 0.0) -> BreakEven:
    """Return what would have to be true for the idea to return at least `above`: by default, to pay."""
    return BreakEven(
        chance=(above + idea.cost) / idea.value if idea.value else inf,
        value=(above + idea.cost) / idea.chance if idea.chance else inf,
        cost=idea.value * idea.chance - above,
    )


def break_even_to_lead(idea: Idea, ideas: Sequence[Idea]) -> BreakEven | None:
    """Return what would have to be true for the idea to return most; None where it is the only one."""
    others = [other.expected_return for other in ideas if other is not idea]
    return break_even(idea, max(others)) if others else None


def shares_first(ideas: Sequence[Idea]) -> dict[str, float]:
    """Return in which share of draws each idea returns most, by name.

    Every number is drawn from its range, the likely value most often (triangular distribution), all
    independently. The draws are the same ones every time.
    """
    random = Random(1)  # noqa: S311  no secret hangs on it
    firsts = Counter(_winner(ideas, random) for _ in range(DRAWS))
    return {idea.name: firsts[idea.name] / DRAWS for idea in ideas}


def swings(ideas: Sequence[Idea]) -> Iterator[Swing]:
    """Yield each single number that changes who is first, taken to either end of its range."""
    first = max(ideas, key=lambda idea: idea.expected_return)
    for idea in ideas:
        for field in UNCERTAIN:
            for bound in idea.bounds(field):
                moved = idea.model_copy(update={field: bound})
                changed = [moved if other is idea else other for other in ideas]
                best = max(changed, key=lambda other: other.expected_return)
                if best.name != first.name:
                    yield Swing(idea.name, field, bound, best.name)


def _winner(ideas: Sequence[Idea], random: Random) -> str:
    return max((_drawn(idea, random), -place, idea.name) for place, idea in enumerate(ideas))[2]


def _drawn(idea: Idea, random: Random) -> float:
    value, cost, chance = (_draw(idea, field, random) for field in UNCERTAIN)
    return value * chance - cost


def _draw(idea: Idea, field: str, random: Random) -> float:
    low, high = idea.bounds(field)
    return random.triangular(low, high, getattr(idea, field)) if low < high else low
