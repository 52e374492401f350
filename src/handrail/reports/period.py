"""The stretch of time that amounts are told for: a day, where enough happens in one, or a longer one."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Doubles
from handrail.training.bootstrap import figures

LENGTHS_DAYS = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}
ENOUGH_ROWS = 10
FEWEST_ROWS, FEWEST_DAYS = 100, 7  # with fewer, figures say nothing
RESAMPLES = 1000


@dataclass(frozen=True)
class Period:
    """The name of the stretch and its length; the rows that were tested: their number, first and last day."""

    name: str
    length_days: float
    tested: int
    first: date
    last: date

    @property
    def days(self) -> int:
        """The number of days of the test, those without a row too."""
        return (self.last - self.first).days + 1

    @property
    def rows(self) -> float:
        """The mean number of rows in one period."""
        return self.tested / self.days * self.length_days

    @property
    def says_little(self) -> bool:
        """Whether too few rows or days were tested to rely on any figure."""
        return self.tested < FEWEST_ROWS or self.days < FEWEST_DAYS


def period_of(times: NDArray[np.datetime64]) -> Period:
    """Return the shortest stretch in which ENOUGH_ROWS happen; `times`: of all rows, at least one."""
    first, last = (each.astype("datetime64[D]").item() for each in (times.min(), times.max()))
    a_day = len(times) / ((last - first).days + 1)
    enough = [name for name, days in LENGTHS_DAYS.items() if a_day * days >= ENOUGH_ROWS]
    name = enough[0] if enough else "year"
    return Period(name, LENGTHS_DAYS[name], len(times), first, last)


def in_a_period(times: NDArray[np.datetime64], amounts: Doubles, period: Period) -> dict[str, float]:
    """Return the mean sum of `amounts` in a period, with the ends of its 95% interval.

    Whole days are drawn anew, as what happens on one day goes together: Künsch, Annals of Statistics (1989).
    """
    place = (times.astype("datetime64[D]") - np.datetime64(period.first, "D")).astype(np.int64)
    daily = np.bincount(place, weights=amounts, minlength=period.days) * period.length_days
    draws = np.random.default_rng(0).integers(0, period.days, (RESAMPLES, period.days))
    return figures(float(daily.mean()), daily[draws].mean(axis=1))
