"""Picks from many choices the few that a table shows."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar


class Choosable(Protocol):
    """A choice: its value on the scale that is chosen from, and the share of rows that it serves."""

    @property
    def value(self) -> float:
        """The threshold, the margin."""
        ...

    @property
    def share(self) -> float:
        """The share of rows that it serves."""
        ...


AnyChoice = TypeVar("AnyChoice", bound=Choosable)


def shortlist(
    everything: Sequence[AnyChoice], chosen: AnyChoice, shares: Iterable[float], apart: float
) -> list[AnyChoice]:
    """Return `chosen` and those nearest to `shares`, the lowest value first.

    Of shares that are no further than `apart` from that of `chosen`, it is the only one.
    """
    found = {chosen.value: chosen}
    for share in shares:
        if abs(share - chosen.share) > apart:
            nearest = min(everything, key=lambda each: abs(each.share - share))
            found.setdefault(nearest.value, nearest)
    return [found[value] for value in sorted(found)]
