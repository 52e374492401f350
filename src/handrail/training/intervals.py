"""How far a figure may be off by chance, where rows belong together.

Rows of one customer share her ways, and rows of one day its weather, its crowds or its prices: what is
independent is not the row but the group. So whole groups are drawn anew (cluster bootstrap: Field and Welsh,
Journal of the Royal Statistical Society B, 2007): subjects where the contract names one, else days, or the
months of monthly rows, else rows. With few groups a percentile is chance itself; the groups are left out one
by one then, for a t-interval of the jackknife (Miller, Biometrika, 1974), and below ten nothing honest can be
said. `benchmarks/coverage.py` measures how often each interval holds the truth.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isnan
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Doubles
from handrail.number_format import pattern_of, shown
from handrail.tasks.metric import Decision, Metrics, Outcomes

CONFIDENCE = 0.95
FEWEST_GROUPS = 10
ENOUGH_GROUPS = 30
RESAMPLES = 400
NAN = float("nan")

Unit = Literal["subject", "day", "month", "row"]


@dataclass(frozen=True)
class Groups:
    """Which rows belong together: `numbers` (n) is the group of each row, from 0 to `count` - 1.

    unit: what a group is · count: how many there are, each with at least one row
    """

    unit: Unit
    numbers: NDArray[np.int64]
    count: int

    @property
    def enough(self) -> bool:
        """Whether anything can be said of chance."""
        return self.count >= FEWEST_GROUPS

    @property
    def facts(self) -> dict[str, Any]:
        """What is kept beside figures: the unit that was drawn, and how many."""
        return {"unit": self.unit, "count": self.count}

    def rows(self, chosen: Any) -> "Groups":
        """Return the groups of the rows at places, or of a mask."""
        _, numbers = np.unique(self.numbers[chosen], return_inverse=True)
        return Groups(self.unit, numbers, int(numbers.max(initial=-1)) + 1)

    def sums(self, amounts: Doubles) -> Doubles:
        """Return the sum of `amounts` (n) in each group."""
        return np.bincount(self.numbers, weights=amounts, minlength=self.count).astype(np.float64)

    def weights(self, resamples: int = RESAMPLES, seed: int = 0) -> Iterator[Doubles]:
        """Yield how often each row counts (n), for each time that the groups are drawn anew.

        With fewer than ENOUGH_GROUPS groups each is left out once, and with fewer than FEWEST_GROUPS nothing
        is drawn. The same groups and seed always give the same draws.
        """
        for drawn in self.draws(resamples, seed):
            yield drawn[self.numbers]

    def draws(self, resamples: int = RESAMPLES, seed: int = 0) -> Iterator[Doubles]:
        """Yield the same of the groups: how often each counts (count)."""
        if self.count >= ENOUGH_GROUPS:
            rng = np.random.default_rng(seed)
            for _ in range(resamples):
                chosen = rng.integers(0, self.count, self.count)
                yield np.bincount(chosen, minlength=self.count).astype(np.float64)
        elif self.enough:
            yield from 1 - np.eye(self.count)


def groups_of(times: NDArray[np.datetime64] | None, subjects: NDArray[Any] | None, rows: int) -> Groups:
    """Return the groups of `rows` rows by what is known of each: its subject, or else its time.

    Days are months where no month has two of them, as in monthly rows; a single one where it is a first.
    """
    if subjects is not None:
        return _numbered("subject", subjects)
    if times is None:
        return Groups("row", np.arange(rows), rows)
    days = _numbered("day", times.astype("datetime64[D]"))
    months = _numbered("month", times.astype("datetime64[M]"))
    monthly = months.count == days.count and (days.count > 1 or _begins_a_month(times))
    return months if monthly else days


def _begins_a_month(times: NDArray[np.datetime64]) -> bool:
    return bool((times == times.astype("datetime64[M]")).all())


def _numbered(unit: Unit, values: NDArray[Any]) -> Groups:
    found, numbers = np.unique(values, return_inverse=True)
    return Groups(unit, numbers, len(found))


def resampled(
    metrics: Metrics, outcomes: Outcomes, groups: Groups, decision: Decision, resamples: int = RESAMPLES
) -> dict[str, Doubles]:
    """Return the values of every metric on rows drawn anew; two predictions can be compared by them.

    The draws are those of `groups`: none where there are too few.
    """
    measured = [metrics.measure_rows(outcomes, decision, weight) for weight in groups.weights(resamples)]
    return {name: np.array([each[name] for each in measured]) for name in metrics}


def replicated(groups: Groups, measure: Callable[[Doubles], float], resamples: int = RESAMPLES) -> Doubles:
    """Return what `measure` gives for the weights (n) of each draw of `groups`."""
    return np.array([measure(weight) for weight in groups.weights(resamples)])


def figures(value: float, replicates: Doubles, groups: Groups) -> dict[str, float]:
    """Return a figure with the ends of its 95% interval; NaN where none can be given.

    replicates: the figure on each draw of `groups`; those that are NaN, as of one outcome, do not count
    """
    low, high = _ends(value, replicates, groups)
    return {"value": value, "low": low, "high": high}


def _ends(value: float, replicates: Doubles, groups: Groups) -> tuple[float, float]:
    there = _usable(replicates, groups)
    if there is None:
        return NAN, NAN
    if groups.count < ENOUGH_GROUPS:
        reach = t_quantile(groups.count - 1) * deviation(replicates, groups)
        return value - reach, value + reach
    tail = 100 * _tail(groups.count)
    low, high = np.percentile(there, [tail, 100 - tail])
    return float(low), float(high)


def deviation(replicates: Doubles, groups: Groups) -> float:
    """Return the standard deviation that chance gives a figure; NaN where nothing can be said of it."""
    there = _usable(replicates, groups)
    if there is None:
        return NAN
    count = groups.count
    return float(there.std() * ((count - 1) if count < ENOUGH_GROUPS else count / (count - 1)) ** 0.5)


def _usable(replicates: Doubles, groups: Groups) -> Doubles | None:
    """Return the draws that have the figure; None where too few have, or one left out would decide."""
    there = replicates[np.isfinite(replicates)]
    needed = groups.count if groups.count < ENOUGH_GROUPS else len(replicates) / 2
    return there if groups.enough and len(there) >= max(needed, 1) else None


def _tail(count: int) -> float:
    """Return the share beyond either end of an interval of `count` groups.

    A bootstrap of few groups is too narrow by the deviation's own bias and by what a t distribution is wider
    than a normal one; both vanish as groups grow: Hesterberg, The American Statistician (2015).
    """
    wider = (count / (count - 1)) ** 0.5 * t_quantile(count - 1)
    return 1 - NormalDist().cdf(wider)


def t_quantile(freedom: int, confidence: float = CONFIDENCE) -> float:
    """Return the quantile of Student's t that leaves half of 1 - `confidence` above it.

    By the series in Abramowitz and Stegun (1964), 26.7.5: within 0.001 from 9 degrees of freedom on.
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return sum(term / freedom**power for power, term in enumerate(terms))


def format_interval(figures: Mapping[str, float], pattern: str = "") -> str:
    """Return the ends of an interval as text, such as "0.706 to 0.778", or that there is none.

    Without a pattern there are three decimals, or four for what is small.
    """
    if isnan(figures["low"]):
        return "no interval"
    pattern = pattern or pattern_of(figures.get("value", 1.0))
    return f"{shown(figures['low'], pattern)} to {shown(figures['high'], pattern)}"


def format_gain(gain: Mapping[str, float], pattern: str = ".3f") -> str:
    """Return how much better something is, above 0, or how much worse, with its interval."""
    if not gain["value"] < 0:
        return f"better by {shown(gain['value'], pattern)} ({format_interval(gain, pattern)})"
    turned = {"value": -gain["value"], "low": -gain["high"], "high": -gain["low"]}
    return f"worse by {shown(turned['value'], pattern)} ({format_interval(turned, pattern)})"


def drawn_by(drawn: Mapping[str, Any] | None) -> str:
    """Say what intervals are of, from the facts that are kept beside them; None: of single rows, as once."""
    if drawn is None:
        return "Intervals draw single rows anew."
    unit, count = drawn["unit"], drawn["count"]
    what = f"{count:,} {unit}{'s' if count != 1 else ''}"
    if count < FEWEST_GROUPS:
        return f"No interval can be given: the rows are of {what}, and at least {FEWEST_GROUPS} are needed."
    if count < ENOUGH_GROUPS:
        return f"Intervals are of Student's t, each of {count} {unit}s left out once."
    if unit == "row":
        return "Intervals draw the rows anew."
    return f"Intervals draw whole {unit}s anew, of which there are {count:,}."


def source_of(drawn: Mapping[str, Any]) -> str:
    """Return where the method of these intervals comes from; empty where none can be given."""
    if drawn["count"] < FEWEST_GROUPS:
        return ""
    if drawn["count"] < ENOUGH_GROUPS:
        return "Jackknife: Miller, 1974."
    return (
        "Bootstrap: Efron, 1979." if drawn["unit"] == "row" else "Cluster bootstrap: Field and Welsh, 2007."
    )
