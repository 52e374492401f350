"""How far live columns have moved from what the model learnt from."""

from collections.abc import Sequence
from math import log

from handrail.compute.duckdb import Connection
from handrail.registry.drift_reference import Bins, shares

EMPTY_BIN = 1e-4


def population_stability(expected: Sequence[float], actual: Sequence[float]) -> float:
    """Return how far `actual` has moved from `expected`, in nats (0 = not at all).

    Both: shares per bin, summing to 1, same bins. Empty bins count as 1e-4.
    Raises ValueError if the numbers of bins differ. Siddiqi, Credit Risk Scorecards (2006).
    """
    pairs = [(max(e, EMPTY_BIN), max(a, EMPTY_BIN)) for e, a in zip(expected, actual, strict=True)]
    return sum((a - e) * log(a / e) for e, a in pairs)


def drifts(
    connection: Connection, source: str, bins: list[Bins], expected: dict[str, Sequence[float]]
) -> dict[str, float]:
    """Return the population stability index of each column of `source`, in one scan."""
    actual = shares(connection, source, bins)
    return {name: population_stability(expected[name], actual[name]) for name in actual}
