"""Which choices are worth it at all, and which of them a table shows."""

from collections.abc import Sequence

import numpy as np

from ..sections import ErrorCosts
from .shortlist import shortlist
from .tradeoff import Position, Tradeoff, cheapest

IN_TABLE = 12
Range = tuple[float, float]


def pays(positions: Sequence[Position]) -> list[Range | None]:
    """Return for each position between which ratios of the costs, too low to too high, it is the cheapest.

    None where it never is. The last ratio of a position that leaves fewest too low is infinite.
    """
    return [_pays(place, positions) for place in range(len(positions))]


def _pays(place: int, positions: Sequence[Position]) -> Range | None:
    one, low, high = positions[place], 0.0, float("inf")
    for number, other in enumerate(positions):
        fewer = one.too_low - other.too_low
        more = other.too_high - one.too_high
        if fewer > 0:
            high = min(high, more / fewer)
        elif fewer < 0:
            low = max(low, more / fewer)
        elif more < 0 or (more == 0 and number < place):
            return None
    return (low, high) if low <= high and high > 0 else None


def in_table(tradeoff: Tradeoff, costs: ErrorCosts) -> list[int]:
    """Return the places of about IN_TABLE positions, spread; of those that pay, where they are enough."""
    paying = [each for each, found in zip(tradeoff.model, pays(tradeoff.model), strict=True) if found]
    candidates = paying if len(paying) >= IN_TABLE else list(tradeoff.model)
    shares = [each.share for each in candidates]
    spread = np.linspace(min(shares), max(shares), IN_TABLE)
    apart = (max(shares) - min(shares)) / (2 * IN_TABLE)
    listed = {
        *shortlist(candidates, tradeoff.present, spread.tolist(), apart),
        cheapest(tradeoff.model, costs),
    }
    return [place for place, each in enumerate(tradeoff.model) if each in listed]
