"""How far apart two predictions for the same rows are, and how much of that may be chance.

Both are measured on the same draws, so that what they have in common falls out: a paired bootstrap.
"""

from dataclasses import dataclass

from handrail.arrays import Doubles, Floats
from handrail.errors import ProjectError
from handrail.tasks.metric import Decision, Metric, Metrics
from handrail.training.dataset import Dataset
from handrail.training.intervals import (
    CONFIDENCE,
    FEWEST_GROUPS,
    Groups,
    deviation,
    replicated,
    t_quantile,
)

RESAMPLES = 100


@dataclass(frozen=True)
class Scored:
    """A metric of predictions, turned so that more is better: on all rows, and on each draw of groups."""

    value: float
    drawn: Doubles
    groups: Groups


@dataclass(frozen=True)
class Difference:
    """How much better one is than another, and how far that may be off by chance (standard deviation).

    groups: how many were drawn
    """

    value: float
    deviation: float
    groups: int

    @property
    def reversed(self) -> "Difference":
        """How much better the other is."""
        return Difference(-self.value, self.deviation, self.groups)

    def reach(self, looks: int = 1) -> float:
        """Return half of the 95% interval; of `looks` at once, by Bonferroni's correction."""
        return t_quantile(self.groups - 1, 1 - (1 - CONFIDENCE) / looks) * self.deviation

    def clearly_above(self, limit: float, looks: int = 1) -> bool:
        """Return whether the difference, one of `looks`, is above `limit` by more than chance."""
        return self.value - self.reach(looks) > limit


def scored(metrics: Metrics, metric: Metric, rows: Dataset, prediction: Floats, decision: Decision) -> Scored:
    """Return a metric of a prediction; two predictions for the same rows are measured on the same draws.

    Raises ProjectError where the rows are of so few groups that chance could not be told from a difference.
    """
    groups = rows.groups
    if not groups.enough:
        raise ProjectError(
            f"project.yaml: split: {len(rows):,} rows of {groups.count} {groups.unit}s, at least "
            f"{FEWEST_GROUPS} {groups.unit}s are needed to tell a difference from chance; measure on more"
        )
    outcomes, sign = metrics.outcomes(rows.target, prediction), metric.sign
    drawn = replicated(groups, lambda weight: metric.value(outcomes.weighted(weight), decision), RESAMPLES)
    return Scored(sign * metric.value(outcomes.weighted(), decision), sign * drawn, groups)


def better_by(one: Scored, other: Scored, by_seed: float = 0.0) -> Difference:
    """Return how much better `one` is; `by_seed` is how far training again with another seed is off."""
    by_rows = deviation(one.drawn - other.drawn, one.groups)
    return Difference(one.value - other.value, (by_rows**2 + by_seed**2) ** 0.5, one.groups.count)
