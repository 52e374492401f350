"""How much of the research budget is used: the days since it began, and money, also for hours of training."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import inf

from handrail.config.budget import ResearchBudget
from handrail.training.experiment_log import Experiment

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class BudgetUsage:
    """How much of one limit of the budget is used, in its unit."""

    unit: str
    used: float
    limit: float

    @property
    def share(self) -> float:
        """The share of the limit that is used; above 1, more than was agreed."""
        return self.used / self.limit if self.limit else float(self.used > 0)


def budget_usage(
    budget: ResearchBudget, currency: str, rounds: Sequence[Experiment], until: date
) -> list[BudgetUsage]:
    """Return what is used of each limit: calendar days up to `until`, whether there were rounds or not."""
    used = _days(budget, until), _money(budget, rounds, until)
    limits = (("days", used[0], budget.days), (currency, used[1], budget.money))
    return [BudgetUsage(unit, used, limit) for unit, used, limit in limits if limit is not None]


def spent(burns: Sequence[BudgetUsage]) -> bool:
    """Return whether any limit is used up."""
    return any(burn.used >= burn.limit for burn in burns)


def format_usage(burns: Sequence[BudgetUsage]) -> str:
    """Return what is used, in words."""
    return ", ".join(f"{burn.used:,.0f} of {burn.limit:,.0f} {burn.unit}" for burn in burns) or "no limit"


def seconds_left(budget: ResearchBudget, rounds: Sequence[Experiment], until: date, now: datetime) -> float:
    """Return how long a machine may still work on research; infinite where nothing limits it.

    `until` as in `burnt`. Days end a stage that is still open (`until` is today), the money any.
    """
    if spent(budget_usage(budget, "", rounds, until)):
        return 0.0
    limits = [inf]
    if budget.days is not None and until >= now.date():
        end = datetime.combine(budget.begins + timedelta(days=budget.days), time(), UTC)
        limits.append((end - now).total_seconds())
    if budget.cost_per_hour:
        limits.append(money_left(budget, rounds, until) / budget.cost_per_hour * SECONDS_PER_HOUR)
    return max(min(limits), 0.0)


def money_left(budget: ResearchBudget, rounds: Sequence[Experiment], until: date) -> float:
    """Return the money that is left, infinite where none was agreed."""
    return inf if budget.money is None else budget.money - _money(budget, rounds, until)


def _money(budget: ResearchBudget, rounds: Sequence[Experiment], until: date) -> float:
    hours = sum(each.seconds for each in rounds) / SECONDS_PER_HOUR
    return _days(budget, until) * budget.cost_per_day + hours * budget.cost_per_hour


def _days(budget: ResearchBudget, until: date) -> float:
    return float(max((until - budget.begins).days, 0))
