"""Whether research goes on: is a round good enough, or is the budget spent? By the log of rounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from ..budget import ResearchBudget
from ..errors import ProjectError
from ..mistakes import told
from ..settings import Settings
from .requirements import agreed_metric, worse

LOG = "2-research/rounds.jsonl"
SECONDS_PER_HOUR = 3600


class Round(BaseModel):
    """What is read of a line of the log: one training, by the metric that decided then.

    `gain_low` is the low end of how much better it is than the baseline.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    at: AwareDatetime
    note: str
    metric: str
    value: float
    low: float
    high: float
    baseline: float
    gain_low: float
    seconds: float = Field(ge=0)
    version: str


@dataclass(frozen=True)
class Burn:
    """How much of one limit of the budget is used, in its unit."""

    unit: str
    used: float
    limit: float

    @property
    def share(self) -> float:
        """The share of the limit that is used; above 1, more than was agreed."""
        return self.used / self.limit if self.limit else float(self.used > 0)


@dataclass(frozen=True)
class Verdict:
    """What to do now, and why."""

    says: Literal["go on", "good enough", "stop: budget spent"]
    because: str


def read_rounds(settings: Settings) -> list[Round]:
    """Return the rounds of the log in their order, none where there is no log.

    Raises ProjectError naming every bad line.
    """
    path = settings.root / LOG
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    found, problems = [], []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(Round.model_validate_json(line))
        except ValidationError as error:
            for item in error.errors():
                place = ": ".join((f"{LOG}, line {number}", *map(str, item["loc"])))
                problems.append(f"{place}: {told(item, {})}")
    if problems:
        raise ProjectError(problems)
    return found


def burnt(budget: ResearchBudget, currency: str, rounds: Sequence[Round]) -> list[Burn]:
    """Return what is used of each limit up to the last of the rounds; nothing before the first."""
    if not rounds:
        days = hours = 0.0
    else:
        days = float(max((rounds[-1].at.date() - budget.begins).days, 0))
        hours = sum(each.seconds for each in rounds) / SECONDS_PER_HOUR
    money = days * budget.cost_per_day + hours * budget.cost_per_hour
    limits = (("days", days, budget.days), (currency, money, budget.money))
    return [Burn(unit, used, limit) for unit, used, limit in limits if limit is not None]


def good_enough(settings: Settings, each: Round) -> bool:
    """Return whether a round reaches the minimum and clearly beats the baseline."""
    metric = agreed_metric(settings)
    if each.metric != metric:
        return False
    return not worse(metric, each.value, settings.accuracy.minimum) and each.gain_low > 0


def judge(settings: Settings, rounds: Sequence[Round]) -> Verdict:
    """Return what to do after these rounds: good enough beats a budget that is spent."""
    metric, minimum = agreed_metric(settings), settings.accuracy.minimum
    for number, each in enumerate(rounds, start=1):
        if good_enough(settings, each):
            reached = f"round {number} reaches {metric} {each.value:.3f}, needed is {minimum:g}"
            return Verdict("good enough", f"{reached}, and it clearly beats the simple technique")
    if settings.budget is None or settings.budget.research is None:
        return Verdict("go on", "no round is good enough; project.yaml names no budget.research to keep to")
    burns = burnt(settings.budget.research, settings.budget.currency, rounds)
    used = ", ".join(f"{burn.used:,.0f} of {burn.limit:,.0f} {burn.unit}" for burn in burns) or "no limit"
    if any(burn.used >= burn.limit for burn in burns):
        return Verdict("stop: budget spent", f"{used}, and no round is good enough; that is a result, too")
    return Verdict("go on", f"no round is good enough yet; spent: {used}")
