"""What can be chosen, and what errors cost at each choice: counts from the test rows, their arithmetic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..sections import ErrorCosts
from .period import Period


@dataclass(frozen=True)
class Position:
    """One choice, and what follows from it in a period.

    share: of the rows that it serves · too_low, too_high: errors to either side, in units that cost
    something · shown: what is told of it, a number for each column of the table.
    """

    value: float
    label: str
    share: float
    too_low: float
    too_high: float
    shown: tuple[float, ...]


@dataclass(frozen=True)
class Column:
    """A column of the table: an amount in a period, or how many of a hundred."""

    name: str
    of_100: bool = False


@dataclass(frozen=True)
class Terms:
    """What the page calls things: the choice, its ends, the errors, and what one is without a model."""

    choice: str
    lowest: str
    highest: str
    explained: str
    too_low: str
    too_high: str
    nothing: str
    agreed: str


@dataclass(frozen=True)
class Tradeoff:
    """Every position of the model, the simple technique, and of doing without both; `chosen` is a place."""

    terms: Terms
    period: Period
    columns: tuple[Column, ...]
    model: tuple[Position, ...]
    simple: tuple[Position, ...]
    nothing: tuple[Position, ...]
    chosen: int
    saved: Mapping[str, Mapping[str, float]]  # against "simple" and "nothing", with the 95% interval

    @property
    def present(self) -> Position:
        """The position that was chosen in training."""
        return self.model[self.chosen]


def cost(position: Position, costs: ErrorCosts) -> float:
    """Return what the errors of a period cost."""
    return position.too_low * costs.too_low + position.too_high * costs.too_high


def cheapest(positions: Sequence[Position], costs: ErrorCosts) -> Position:
    """Return the position whose errors cost least, the first of equals."""
    return min(positions, key=lambda each: cost(each, costs))


def decimals(values: Sequence[float]) -> int:
    """Return how many decimals amounts as large as these need to be told apart."""
    largest = max((abs(value) for value in values if np.isfinite(value)), default=0.0)
    return 0 if largest >= 100 else 1 if largest >= 10 else 2


def decimals_of(tradeoff: Tradeoff) -> list[int]:
    """Return how many decimals each column of the table has: the same for all amounts."""
    amounts = [
        value
        for each in tradeoff.model
        for column, value in zip(tradeoff.columns, each.shown, strict=True)
        if not column.of_100
    ]
    return [0 if column.of_100 else decimals(amounts) for column in tradeoff.columns]
