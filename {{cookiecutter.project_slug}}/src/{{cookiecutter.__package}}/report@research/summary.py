"""What the report says in words: sentences and tables, written from the numbers."""

import math
from collections.abc import Mapping
from typing import Any

from ..model.metrics import GREATER_IS_BETTER, MEAN, TITLES
from ..model.requirements import clearly_better, worse
from ..sections import Accuracy
from ..settings import Settings

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
    beats, reaches = clearly_better(evaluation["gain"][metric]), not worse(metric, model["value"], minimum)
    figures = f"({title(metric)} {number(model['value'])} against {number(simple)})"
    return (
        f"It {'clearly beats' if beats else 'does not clearly beat'} the simple technique, which only "
        f"{_known(settings.accuracy)} {figures}, {'and' if beats == reaches else 'but'} the agreed minimum "
        f"of {minimum:g} is {'' if reaches else 'not '}reached."
    )


def _known(accuracy: Accuracy) -> str:
    column = title(accuracy.baseline_by)
    return (
        f"repeats the {column}"
        if accuracy.baseline_takes == "value"
        else (f"knows the past {MEAN} for the same {column}")
    )


def weakness(metric: str, evaluation: Mapping[str, Any], bias: str) -> str:
    """Name the worst of the parts that are clearly worse than the whole; `bias` says how true all are."""
    overall = evaluation["model"][metric]["value"]
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
