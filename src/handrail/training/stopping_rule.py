"""Whether research goes on: is a round good enough, or is the budget spent? By the log of rounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from handrail.config.settings import Settings
from handrail.registry.acceptance import agreed_metric
from handrail.training.budget_usage import budget_usage, format_usage, spent
from handrail.training.experiment_log import Experiment


@dataclass(frozen=True)
class Recommendation:
    """What to do now, and why."""

    says: Literal["go on", "good enough", "stop: budget spent"]
    because: str


def good_enough(settings: Settings, each: Experiment) -> bool:
    """Return whether a round reaches the minimum and clearly beats the baseline, where it was scored.

    A tuning never does: it makes no version.
    """
    metric, minimum = agreed_metric(settings), settings.accuracy.minimum
    if each.metric != metric or each.tuning or minimum is None:
        return False
    misses = settings.project.metrics[metric].worse(each.value, minimum)
    return not misses and each.gain_low > 0


def recommend(settings: Settings, rounds: Sequence[Experiment], until: date) -> Recommendation:
    """Return what to do after these rounds: good enough beats a budget that is spent.

    `until`: the last day that research costs; see handrail.stages.research.
    """
    metric, minimum = agreed_metric(settings), settings.accuracy.minimum
    for number, each in enumerate(rounds, start=1):
        if good_enough(settings, each):
            reached = f"round {number} reaches {metric} {each.value:.3f} on the {each.scored_on} rows"
            reached += f", needed is {minimum:g}"
            return Recommendation("good enough", f"{reached}, and it clearly beats the simple technique")
    if settings.budget is None or settings.budget.research is None:
        return Recommendation(
            "go on", "no round is good enough; project.yaml names no budget.research to keep to"
        )
    burns = budget_usage(settings.budget.research, settings.budget.currency, rounds, until)
    if spent(burns):
        return Recommendation(
            "stop: budget spent", f"{format_usage(burns)}, and no round is good enough; that is a result, too"
        )
    return Recommendation("go on", f"no round is good enough yet; spent: {format_usage(burns)}")
