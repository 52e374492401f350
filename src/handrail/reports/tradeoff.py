"""What can be chosen, and what errors cost at each choice: counts from the test rows, told for one period."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import isnan
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Doubles
from handrail.config.sections import ErrorCosts
from handrail.training.dataset import Dataset
from handrail.training.intervals import Groups, figures
from handrail.training.run import Training

LENGTHS_DAYS = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}
ENOUGH_ROWS = 10
DAYS_OF_MONTHS = {28, 29, 30, 31}
SHORTEST_MONTH = 28 / 31  # in days, as a share of the longest
FEWEST_ROWS, FEWEST_DAYS = 100, 7  # with fewer, figures say nothing
IN_TABLE = 12
PER = 1000  # rows that amounts are told for, where no time parts them
Range = tuple[float, float]


@dataclass(frozen=True)
class Period:
    """What amounts are told for: the shortest stretch of time in which enough happens, or PER rows.

    name: "day" or longer, or "1,000 customers" where chance has drawn the rows that were tested
    share: how much of the test it is, as a factor · tested: the number of the rows that were tested
    first, last: their first and last day, None where chance has drawn them · days: of the test, those without
    a row too; 0 then · steps: how often each was forecast, each time counting as its share of one; mostly 1
    """

    name: str
    share: float
    tested: int
    first: date | None = None
    last: date | None = None
    days: int = 0
    steps: float = 1.0

    @property
    def per(self) -> str:
        """How it stands behind an amount: "a day", "per 1,000 customers"."""
        return f"a {self.name}" if self.first else f"per {self.name}"

    @property
    def each(self) -> str:
        """How it begins a sentence: "Each day", "Of 1,000 customers"."""
        return f"Each {self.name}" if self.first else f"Of {self.name}"

    @property
    def over(self) -> str:
        """How it stands behind "over": "a day", "1,000 customers"."""
        return f"a {self.name}" if self.first else self.name

    @property
    def one(self) -> str:
        """How it is called itself: "one day", "1,000 customers"."""
        return f"one {self.name}" if self.first else self.name

    @property
    def rows(self) -> float:
        """The mean number of rows in it."""
        return self.tested * self.share

    @property
    def says_little(self) -> bool:
        """Whether too few rows or days were tested to rely on any figure."""
        return self.tested < FEWEST_ROWS or (self.first is not None and self.days < FEWEST_DAYS)

    @property
    def between(self) -> str:
        """When the tested rows were, or how they were found, behind their number."""
        if not self.first:
            return "drawn by chance"
        when = f"from {self.first} to {self.last}" if self.last != self.first else f"of {self.first}"
        return f"{when}{self.counted_once}"

    @property
    def counted_once(self) -> str:
        """How often each thing was forecast, and that it counts once; empty where that is no question."""
        return f"; {self.steps:.2g} forecasts of each, which count as one plan" if self.steps > 1 else ""


def told_for(training: Training, rows: str) -> Period:
    """Return what amounts are told for: a stretch of time, or PER rows where chance has drawn those tested.

    A stretch of time would hold a share of its rows only. `rows`: what rows are called.
    """
    times, tested = training.test.times, len(training.test)
    if times is None or "by" in training.info["split"]:
        return Period(f"{PER:,} {rows}", PER / tested, tested)
    earlier = training.on_validation.test.times if training.on_validation else None
    return of_one_forecast(period_of(times, earlier), training.test)


def of_one_forecast(period: Period, test: Dataset) -> Period:
    """Return the period with each thing counted once that was forecast at several steps.

    Its forecasts of six months ahead, five and so on are six plans for one amount, of which one is followed.
    """
    if test.steps is None or test.times is None:
        return period
    both = np.stack([test.times.astype(np.int64), test.steps], axis=1)
    steps = len(np.unique(both, axis=0)) / len(np.unique(test.times))
    return replace(period, share=period.share / steps, steps=steps)


def period_of(times: NDArray[np.datetime64], earlier: NDArray[np.datetime64] | None = None) -> Period:
    """Return the shortest stretch in which ENOUGH_ROWS happen; `times`: of all rows, at least one.

    It is none within which rows never follow one another: of monthly rows nothing is told for a day. How rows
    follow one another is seen in those of `earlier` where all of `times` are of one day.
    """
    tested = len(times)
    there = np.unique(times.astype("datetime64[D]"))
    first, last = (each.item() for each in (there[0], there[-1]))
    seen = there if len(there) > 1 or earlier is None else np.unique(earlier.astype("datetime64[D]"))
    apart = np.diff(seen).astype(int)
    monthly = len(apart) > 0 and {*apart.tolist()} <= DAYS_OF_MONTHS
    spacing_days = LENGTHS_DAYS["month"] if monthly else float(np.median(apart)) if len(apart) else 1.0
    # To the end of what its last day with rows stands for.
    tested_days = spacing_days * len(there) if monthly else (last - first).days + spacing_days
    enough = [
        name
        for name, days in LENGTHS_DAYS.items()
        if tested / tested_days * days >= ENOUGH_ROWS and days >= SHORTEST_MONTH * spacing_days
    ]
    name = enough[0] if enough else "year"
    return Period(name, LENGTHS_DAYS[name] / tested_days, tested, first, last, round(tested_days))


def in_a_period(groups: Groups, amounts: Doubles, period: Period) -> dict[str, float]:
    """Return the mean sum of `amounts` (n) in a period, with the ends of its 95% interval.

    `groups`: which rows belong together; they are drawn whole.
    """
    sums, times = groups.sums(amounts), groups.count * period.share
    drawn = np.array([sums @ draw / draw.sum() for draw in groups.draws()])
    return figures(times * float(sums.mean()), times * drawn, groups)


def per_rows(groups: Groups, amounts: Doubles, rows: int) -> dict[str, float]:
    """Return the sum of `amounts` (n) per `rows` rows, with the ends of its 95% interval."""
    sums, counts = groups.sums(amounts), groups.sums(np.ones(len(amounts)))
    drawn = np.array([sums @ draw / (counts @ draw) for draw in groups.draws()])
    return figures(rows * float(amounts.mean()), rows * drawn, groups)


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
    """What the page calls things: the choice, its ends, the errors, and what one is without a model.

    beside: what else stands beside each prediction, in a sentence; empty where nothing does
    """

    choice: str
    lowest: str
    highest: str
    explained: str
    too_low: str
    too_high: str
    nothing: str
    agreed: str
    beside: str = ""


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
    def says_little(self) -> bool:
        """Whether too little was tested to rely on any figure, or to tell it from chance."""
        return self.period.says_little or isnan(self.saved["simple"]["low"])

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
    if 0 < largest < 0.1:
        return 1 - math.floor(math.log10(largest))
    return 0 if largest >= 100 else 1 if largest >= 10 else 2


def decimals_of(tradeoff: Tradeoff) -> list[int]:
    """Return how many decimals each column of the table has: few cases need more than many."""
    amounts = zip(*(each.shown for each in tradeoff.model), strict=True)
    return [
        0 if column.of_100 else decimals(values)
        for column, values in zip(tradeoff.columns, amounts, strict=True)
    ]


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
