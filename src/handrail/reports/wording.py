"""What the report says in words: sentences and tables, written from the numbers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from TWIN_model_metrics import GREATER_IS_BETTER, MEAN, TITLES

from handrail.config.sections import Accuracy
from handrail.config.settings import Settings
from handrail.registry.acceptance import clearly_better, worse

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


def as_written(value: float) -> str:
    """Return a number as a person would write it into a file: no ".0" behind what is whole."""
    return str(int(value)) if value == int(value) else str(value)


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


@dataclass(frozen=True)
class Weakest:
    """A part of the test rows, one value of it, and the metric there."""

    part: str
    value: str
    figures: Figures


def weakest(metric: str, evaluation: Mapping[str, Any]) -> Weakest | None:
    """Return the worst of the parts that are clearly worse than the whole, None where there is none."""
    overall = evaluation["model"][metric]["value"]
    sign, best = (1, "high") if GREATER_IS_BETTER[metric] else (-1, "low")
    clearly_worse = [
        Weakest(part, value, figures[metric])
        for part, values in evaluation["parts"].items()
        for value, figures in values.items()
        if sign * figures[metric][best] < sign * overall
    ]
    return min(clearly_worse, key=lambda each: sign * each.figures["value"], default=None)


def weakness(metric: str, evaluation: Mapping[str, Any], bias: str) -> str:
    """Name the part that is weakest, if one clearly is; `bias` says how true all are."""
    found = weakest(metric, evaluation)
    if found is None:
        return f"No month and no slice is clearly weaker than the whole; {bias}."
    where = f"{title(metric)} {number(found.figures['value'])}, 95% interval {interval(found.figures)}"
    return f"It is weakest where {title(found.part)} is {found.value} ({where}); {bias}."
