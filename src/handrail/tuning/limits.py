"""How long tuning may go on: the research budget, and what was asked for."""

from dataclasses import dataclass
from datetime import date, datetime
from math import inf, isinf

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.training.budget_usage import (
    SECONDS_PER_HOUR,
    budget_usage,
    format_usage,
    money_left,
    seconds_left,
    spent,
)
from handrail.training.experiment_log import read_experiments
from handrail.tuning.trial_log import read_log


@dataclass(frozen=True)
class Limits:
    """Trials in all, earlier ones included; seconds from now, and what limits them; the money left for them.

    Infinite: nothing limits it. cost_per_hour and money: in `currency`.
    """

    trials: int
    seconds: float = inf
    called: str = ""
    money: float = inf
    cost_per_hour: float = 0.0
    currency: str = ""

    def left(self, seconds: float) -> str:
        """Return what is left after so many seconds, in words; nothing where there is no limit."""
        money = self.money - seconds / SECONDS_PER_HOUR * self.cost_per_hour
        parts = [] if isinf(self.seconds) else [_duration(max(self.seconds - seconds, 0))]
        parts += [] if isinf(money) else [f"{money:,.2f} {self.currency}"]
        return f"left: {', '.join(parts)}" if parts else ""


def limits_of(settings: Settings, trials: int, minutes: float | None, until: date, now: datetime) -> Limits:
    """Return the limits; raises ProjectError where the research budget is spent. A sample takes nothing.

    `until`: the last day that research costs.
    """
    asked = (inf, "") if minutes is None else (minutes * 60, f"--minutes {minutes:g}")
    research = settings.budget.research if settings.budget else None
    if settings.sample or settings.budget is None or research is None:
        return Limits(trials, *asked)
    rounds, currency = read_experiments(settings), settings.budget.currency
    burns = budget_usage(research, currency, rounds, until)
    if spent(burns):
        raise ProjectError(
            f"the research budget is spent: {format_usage(burns)}; agree on more, in project.yaml under "
            "budget.research, or leave it at what there is"
        )
    unbooked = read_log(settings).unbooked_seconds  # of trials before a kill: no round has them yet
    budget = (max(seconds_left(research, rounds, until, now) - unbooked, 0.0), "the research budget")
    money = money_left(research, rounds, until) - unbooked / SECONDS_PER_HOUR * research.cost_per_hour
    return Limits(trials, *min(asked, budget), money, research.cost_per_hour, currency)


def _duration(seconds: float) -> str:
    hours = seconds / SECONDS_PER_HOUR
    return f"{hours:,.0f} h" if hours >= 2 else f"{seconds / 60:.1f} min"
