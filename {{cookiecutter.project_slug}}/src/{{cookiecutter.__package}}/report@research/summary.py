"""What the report says in words: sentences and tables, written from the numbers."""

import math
from collections.abc import Mapping
from typing import Any

from ..model.metrics import GREATER_IS_BETTER
from ..model.requirements import clearly_beats, worse
from ..settings import Settings
from .figures import PER, Choice

TITLES = {"roc_auc": "ROC AUC", "brier": "Brier score"}
Figures = Mapping[str, float]


def title(name: str) -> str:
    """Return the name of a metric or column as a person would write it."""
    return TITLES.get(name, name.replace("_", " "))


def number(value: float, pattern: str = ".3f") -> str:
    """Return `value` formatted, or "-" where there is none."""
    return format(value, pattern) if math.isfinite(value) else "-"


def money(value: float, currency: str) -> str:
    """Return an amount as text: whole units, or cents where it is small."""
    return f"{currency} {number(value, ',.0f' if abs(value) >= 100 or value == round(value) else ',.2f')}"


def interval(figures: Figures) -> str:
    """Return a metric's 95% interval as text."""
    return f"{number(figures['low'])} to {number(figures['high'])}"


def verdict(settings: Settings, evaluation: Mapping[str, Any]) -> str:
    """Say whether the model beats the simple technique, and whether it reaches the agreed minimum."""
    metric, minimum = settings.accuracy.metric, settings.accuracy.minimum
    model, simple = evaluation["model"][metric], evaluation["baseline"][metric]["value"]
    beats, reaches = clearly_beats(metric, model, simple), not worse(metric, model["value"], minimum)
    return (
        f"It {'clearly beats' if beats else 'does not clearly beat'} the simple technique, which only knows "
        f"the past share of cases for the same {title(settings.accuracy.baseline_by)} ({title(metric)} "
        f"{number(model['value'])} against {number(simple)}), {'and' if beats == reaches else 'but'} the "
        f"agreed minimum of {minimum:g} is {'' if reaches else 'not '}reached."
    )


def worth(currency: str, noun: str, cases: float, chosen: Choice, best_simple: Choice) -> str:
    """Say what acting on the warnings brings; `cases` is how many there are among PER rows."""
    low, high = (money(chosen.payoff + side * chosen.margin, currency) for side in (-1, 1))
    return (
        f"Of {PER:,} {noun}, {cases:,.0f} turn out to be cases: the model catches {chosen.caught:,.0f} of "
        f"them at the price of {chosen.false_alarms:,.0f} false alarms, which is worth "
        f"{money(chosen.payoff, currency)} (95% interval {low} to {high}); the simple technique, even at the "
        f"threshold that suits it best, is worth {money(best_simple.payoff, currency)}."
    )


def weakness(metric: str, evaluation: Mapping[str, Any]) -> str:
    """Name the worst of the parts that are clearly worse than the whole, and say how true the figures are."""
    overall, bias = evaluation["model"][metric]["value"], _bias(evaluation["model"])
    sign, best = (1, "high") if GREATER_IS_BETTER[metric] else (-1, "low")
    clearly_worse = [
        (sign * figures[metric]["value"], title(part), value, figures[metric])
        for part, values in evaluation["parts"].items()
        for value, figures in values.items()
        if sign * figures[metric][best] < sign * overall
    ]
    if not clearly_worse:
        return f"No month and no slice is clearly weaker than the whole; {bias}."
    _, part, value, figures = min(clearly_worse, key=lambda each: each[0])
    where = f"{title(metric)} {number(figures['value'])}, 95% interval {interval(figures)}"
    return f"It is weakest where {part} is {value} ({where}); {bias}."


def _bias(model: Mapping[str, Figures]) -> str:
    observed, predicted = model["observed_share"], model["mean_prediction"]["value"]
    if observed["low"] <= predicted <= observed["high"]:
        found = "right"
    else:
        found = "too low" if predicted < observed["value"] else "too high"
    shares = f"{predicted:.1%} predicted, {observed['value']:.1%} observed"
    return f"its probabilities are {found} on average ({shares})"
