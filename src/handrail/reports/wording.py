"""What the reports say in words: numbers as text, and the sentences that more than one page has."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handrail.config.sections import AmountWords, CaseWords, ErrorCosts, Words
from handrail.config.settings import Settings
from handrail.contract.schema import Role, one_of_role
from handrail.number_format import pattern_of
from handrail.registry.acceptance import clearly_better
from handrail.reports.tradeoff import Tradeoff
from handrail.tasks.metric import OF_TARGET, Metric
from handrail.training.run import Training
from handrail.training.splits import the_period, told_by

Figures = Mapping[str, float]
PER = 1000  # rows that costs are told for
WITHOUT = {  # what can be done without predictions
    "never": "no {actions} at all",
    "always": "{actions} for all {rows}",
    "same": "the same plan for all {rows}",
}


def number(value: float, pattern: str = "") -> str:
    """Return `value` formatted, by default with fewer decimals the larger it is; "-" where there is none."""
    large = abs(value)
    usual = pattern_of(value) if large < 100 else ",.1f" if large < 10_000 else ",.0f"
    return format(value, pattern or usual) if math.isfinite(value) else "-"


def loss(value: float) -> str:
    """Return what a feature is worth: often little, so with a decimal more."""
    return number(value, ".4f" if abs(value) < 100 else "")


def rounded(value: float) -> str:
    """Return an amount with as many decimals as tell something."""
    places = 0 if abs(value) >= 100 else 2 if 0.005 <= abs(value) < 1 else 1
    return number(value, f"z,.{places}f")


def mean_count(value: float) -> str:
    """Return a mean number of things: one decimal where it is small, as "0.4" are neither one nor none."""
    return number(value, ",.1f" if 0 < abs(value) < 10 else ",.0f")


def are(count: float) -> str:
    """Return the verb that agrees with a number of things."""
    return "is" if count == 1 else "are"


def money(value: float, currency: str) -> str:
    """Return an amount as text: whole units, or cents where it is small."""
    cents = abs(value) < 100 and f"{value:.2f}"[-3:] != ".00"
    said = number(value, ",.2f" if cents else ",.0f")
    if currency == ErrorCosts.NOT_AGREED:
        return f"{said} {currency.removesuffix('s') if said == '1' else currency}"
    return f"{currency} {said}"


def as_written(value: float) -> str:
    """Return a number as a person would write it into a file: no ".0" behind what is whole."""
    return str(int(value)) if value == int(value) else str(value)


def measured_on(training: Training, rows: str) -> str:
    """Say which rows the figures of a page are of; `rows` is what they are called."""
    split, count = training.info["split"], training.info["evaluation"]["rows"]
    others = "others" if "by" in split else "later ones"
    which = told_by(split, training.period, training.info.get("unknown"))
    seen = (
        "Neither `train` nor `tune` chooses anything by them."
        if training.period == "test"
        else f"The choice was made by them, too; {others} are kept back, to test what is to be used."
    )
    taken = f" {training.info['taken']}." if "taken" in training.info else ""
    return (
        f"Figures are of {the_period(split, training.period)}, {count:,} {rows} "
        f"{which}: the model has not learnt from them. {seen}{taken}"
    )


def looked_at(split: Mapping[str, Any], versions: int) -> str:
    """Say of how many versions the figures on the test period were looked at."""
    test = the_period(split, "test")
    if versions == 1:
        return f"{test} was looked at for this version only"
    return f"{test} was looked at for {versions} versions: the best of them looks better than it is"


def interval(figures: Figures) -> str:
    """Return a metric's 95% interval as text, a dash where none can be given."""
    if math.isnan(figures["low"]):
        return "-"
    return f"{number(figures['low'])} to {number(figures['high'])}"


def between(figures: Figures, currency: str) -> str:
    """Return the 95% interval of an amount of money, as it stands behind it; empty where there is none."""
    if math.isnan(figures["low"]):
        return ""
    low, high = (money(figures[end], currency) for end in ("low", "high"))
    return f" (95% interval {low} to {high})"


def spaced(name: str) -> str:
    """Return the name of a column as a person would write it."""
    return name.replace("_", " ")


def with_unit(label: str, unit: str) -> str:
    """Return what stands at an axis or over a column."""
    return f"{label}, {unit}" if unit else label


def unit_of_target(settings: Settings) -> str:
    """Return the unit of the target: the contract's, or what project.yaml says that the amounts count."""
    words = settings.section(Words)
    units = words.units if isinstance(words, AmountWords) else None
    return one_of_role(settings.project.contract, Role.TARGET).unit or units or ""


def labelled(settings: Settings, metric: Metric) -> str:
    """Return how a metric is called where its figures stand, with its unit if it has one."""
    return with_unit(metric.shown, unit_of_target(settings) if metric.unit == OF_TARGET else metric.unit)


def verdict(settings: Settings, evaluation: Mapping[str, Any], wide: bool = False) -> str:
    """Say whether the model beats the simple technique, and whether it reaches the agreed minimum.

    `wide`: whether the simple technique goes by bins that hold several amounts each.
    """
    metric, minimum = settings.project.metrics[settings.accuracy.metric], settings.accuracy.minimum
    model, simple = evaluation["model"][metric.name], evaluation["baseline"][metric.name]["value"]
    beats = clearly_better(evaluation["gain"][metric.name])
    figures = f"({metric.shown} {number(model['value'])} against {number(simple)})"
    beaten = (
        f"It {'clearly beats' if beats else 'does not clearly beat'} the simple technique, which only "
        f"{_known(settings, wide)} {figures}"
    )
    if minimum is None:
        return f"{beaten}; how good it has to be is not agreed yet."
    reaches = not metric.worse(model["value"], minimum)
    return (
        f"{beaten}, {'and' if beats == reaches else 'but'} the agreed minimum "
        f"of {minimum:,.15g} is {'' if reaches else 'not '}reached."
    )


def _known(settings: Settings, wide: bool) -> str:
    column = spaced(settings.accuracy.baseline_by)
    if settings.accuracy.baseline_takes == "value":
        return f"repeats the {column}"
    same = "about the same" if wide else "the same"
    return f"knows the {settings.project.task.mean_name} for {same} {column}"


@dataclass(frozen=True)
class Weakest:
    """A part of the test rows, one value of it, and the metric there."""

    part: str
    value: str
    figures: Figures


def weakest(metric: Metric, evaluation: Mapping[str, Any]) -> Weakest | None:
    """Return the worst of the parts that are clearly worse than the whole, None where there is none."""
    overall, best = (
        evaluation["model"][metric.name]["value"],
        "high" if metric.greater_is_better else "low",
    )
    clearly_worse = [
        Weakest(part, value, figures[metric.name])
        for part, values in evaluation["parts"].items()
        for value, figures in values.items()
        if metric.sign * figures[metric.name][best] < metric.sign * overall
    ]
    return min(clearly_worse, key=lambda each: metric.sign * each.figures["value"], default=None)


def weakness(metric: Metric, evaluation: Mapping[str, Any], bias: str) -> str:
    """Name the part that is weakest, if one clearly is; `bias` says how true all are."""
    found = weakest(metric, evaluation)
    if found is None:
        parts = "month and no slice" if "month" in evaluation["parts"] else "slice"
        return f"No {parts} is clearly weaker than the whole; {bias}."
    where = f"{metric.shown} {number(found.figures['value'])}, 95% interval {interval(found.figures)}"
    return f"It is weakest where {spaced(found.part)} is {found.value} ({where}); {bias}."


def not_worth_it(settings: Settings, evaluation: Mapping[str, Any]) -> str:
    """Say that acting on the predictions costs as much as doing without them, or more; empty where it saves.

    `evaluation`: what was measured on some rows. It is empty, too, where nobody has agreed on costs, and of a
    version that was trained before errors were counted.
    """
    costs, found = settings.error_costs, evaluation.get("errors")
    if not costs.agreed or not found:
        return ""

    def cost(errors: Sequence[float]) -> float:
        return PER * (errors[0] * costs.too_low + errors[1] * costs.too_high)

    without = {name: cost(errors) for name, errors in found["without"].items()}
    return dearer(settings, cost(found["acting"]), without, f" per {PER:,} {settings.section(Words).rows}")


def dearer(settings: Settings, acting: float, without: Mapping[str, float], per: str = "") -> str:
    """Say that `acting` on the predictions costs no less than what can be done without them; else nothing.

    `without`: what errors cost then, by name in WITHOUT · `per`: what amounts are told for.
    """
    name, least = min(without.items(), key=lambda item: item[1])
    if not acting >= least:
        return ""
    words, currency = settings.section(Words), settings.error_costs.currency
    actions = words.actions if isinstance(words, CaseWords) else ""
    instead = WITHOUT.get(name, name).format(actions=actions, rows=words.rows)
    if acting == least:
        return f"At what errors cost, acting on it saves nothing against {instead}."
    return (
        f"At what errors cost, acting on it costs more than {instead}: {money(acting, currency)} against "
        f"{money(least, currency)}{per}."
    )


def saving(tradeoff: Tradeoff, currency: str) -> str:
    """Say what is saved against the simple technique, as far as chance lets one know."""
    if tradeoff.says_little:
        return "What is saved cannot be told from so few."
    if currency == ErrorCosts.NOT_AGREED:
        return "What errors cost is not agreed yet; until then each of them counts as one."
    saved, period = tradeoff.saved["simple"], tradeoff.period.per
    low, high = (money(saved[end], currency) for end in ("low", "high"))
    if low == high == money(0, currency):
        return "Against the simple technique it saves nothing: both come to the same."
    if saved["low"] > 0:
        return (
            f"Against the simple technique it saves {money(saved['value'], currency)} {period}; allowing "
            f"for chance, between {low} and {high}."
        )
    if saved["high"] < 0:
        loss = money(-saved["value"], currency)
        return f"It costs {loss} {period} more than the simple technique."
    return (
        "Whether it saves anything against the simple technique cannot be told: allowing for chance, it is "
        f"between {low} and {high} {period}."
    )
