"""The page for the whole company: what the model does, how well, what it is worth, and who decides."""

from collections.abc import Iterator, Mapping
from typing import Any

from handrail.config.sections import UNSAID, Words
from handrail.config.settings import Settings
from handrail.registry.acceptance import clearly_better, not_agreed
from handrail.reports.tradeoff import Tradeoff, cheapest, cost
from handrail.reports.wording import money, not_worth_it, saving, spaced, weakest
from handrail.training.run import Training

NOT_AGREED = "is not agreed."


def company(settings: Settings, training: Training, tradeoff: Tradeoff) -> dict[str, Any]:
    """Return what the page says, by section."""
    evaluation, task = training.info["evaluation"], settings.project.task
    result, good = verdict(settings, evaluation, tradeoff)
    return {
        "result": result,
        "good": good,
        "does": (task.does(settings, tradeoff), tested(settings, tradeoff, evaluation)),
        "pictures": task.pictures(settings, training, tradeoff),
        "compared": (compared_with(settings), task.compared(settings, training, tradeoff)),
        "worth": tuple(worth(settings, tradeoff, evaluation)),
        "limits": (task.limits(settings, tradeoff), *unknown(settings, evaluation)),
        "next": what_next(settings, good, waits=_waits(settings, evaluation, tradeoff)),
    }


def verdict(settings: Settings, evaluation: Mapping[str, Any], tradeoff: Tradeoff) -> tuple[str, bool]:
    """Return the result in a sentence, and whether it speaks for using the model."""
    against = next(_against(settings, evaluation, tradeoff), None)
    if against:
        return against, False
    return "It is better than the simple technique, as good as was agreed, and it saves money.", True


def _against(settings: Settings, evaluation: Mapping[str, Any], tradeoff: Tradeoff) -> Iterator[str]:
    """Yield what speaks against using the model, the weightiest first."""
    metric, minimum = settings.project.metrics[settings.accuracy.metric], settings.accuracy.minimum
    useless = settings.project.task.useless(tradeoff)
    if tradeoff.says_little:
        yield "Too little was tested to say how good it is."
    if useless and settings.error_costs.agreed:
        yield f"It is not worth using: {useless}."
    if not clearly_better(evaluation["gain"][metric.name]):
        yield "It is not clearly better than the simple technique."
    if minimum is None:
        yield f"It is better than the simple technique, but how good it has to be {NOT_AGREED}"
    elif metric.worse(evaluation["model"][metric.name]["value"], minimum):
        yield "It is better than the simple technique, but not as good as was agreed to be needed."
    if not settings.error_costs.agreed:
        yield f"It is better than the simple technique, but what errors cost {NOT_AGREED}"
    if not tradeoff.saved["simple"]["low"] > 0:
        yield "It is more accurate than the simple technique, but that it saves money is not shown."


def _waits(settings: Settings, evaluation: Mapping[str, Any], tradeoff: Tradeoff) -> bool:
    """Return whether nothing but a missing agreement speaks against using the model."""
    first = next(_against(settings, evaluation, tradeoff), "")
    return bool(not_agreed(settings)) and first.endswith(NOT_AGREED)


def tested(settings: Settings, tradeoff: Tradeoff, evaluation: Mapping[str, Any]) -> str:
    """Say on what it was tried; where a subject has several rows, also how many of those there are."""
    rows, period = settings.section(Words).rows, tradeoff.period
    small = "a small sample, so only a first look: " if settings.sample else ""
    later = "later " if period.first else ""
    subject, drawn = settings.project.subject, evaluation["drawn"]
    several = subject and drawn["unit"] == "subject" and drawn["count"] < period.tested
    different = f", {drawn['count']:,} different by {spaced(subject or '')}" if several else ""
    return f"It was tried on {small}{period.tested:,} {later}{rows}{different}, {period.between}."


def compared_with(settings: Settings) -> str:
    """Say what the simple technique is."""
    return f"The simple technique to compare with only goes by the {spaced(settings.accuracy.baseline_by)}."


def worth(settings: Settings, tradeoff: Tradeoff, evaluation: Mapping[str, Any]) -> Iterator[str]:
    """Yield what errors cost with the model and without it, and what is saved, with its interval."""
    costs, period, terms = settings.error_costs, tradeoff.period.per, tradeoff.terms
    if not costs.agreed:
        yield saving(tradeoff, costs.currency)
        return
    low, high = (money(each, costs.currency) for each in (costs.too_low, costs.too_high))
    yield f"What errors cost is agreed: {terms.too_low} cost {low} each, {terms.too_high} {high} each."
    found = (tradeoff.present, cheapest(tradeoff.simple, costs), cheapest(tradeoff.nothing, costs))
    model, simple, nothing = (money(cost(each, costs), costs.currency) for each in found)
    yield (
        f"So errors cost {model} {period} with the model, {simple} with the simple technique at its best, "
        f"and {nothing} with {terms.nothing}."
    )
    yield saving(tradeoff, costs.currency)
    dear = not_worth_it(settings, evaluation)
    if dear:
        yield dear


def unknown(settings: Settings, evaluation: Mapping[str, Any]) -> Iterator[str]:
    """Yield where it is weakest, and what it cannot see coming."""
    found = weakest(settings.project.metrics[settings.accuracy.metric], evaluation)
    if found:
        yield f"It is weakest where the {spaced(found.part)} is {found.value}."
    yield "It has learnt from the past: what has never happened, or has changed since, it cannot expect."


def sponsor(settings: Settings) -> str:
    """Return who decides, as project.yaml names them."""
    named = settings.decision.sponsor
    return "whoever answers for it, not yet named" if named.strip() in UNSAID else named


def what_next(settings: Settings, good: bool, waits: bool = False) -> str:
    """Say what happens next, and who decides; `waits`: only for what people have not agreed on yet."""
    decides = sponsor(settings)
    if waits:
        return (
            "The next step is to agree on how good it has to be and on what errors cost; choice.html shows "
            f"what each choice leads to. Who decides, in writing: {decides}. Until then nothing changes."
        )
    if good:
        return (
            "The next step is to choose which errors to rather have; choice.html shows what each choice "
            f"costs. Who decides, in writing: {decides}. Until then nothing changes."
        )
    return (
        "As it stands, that is not enough to use it. Next, it is improved, or tried on more rows, while time "
        f"and money last, or it is stopped: both are good answers. Who decides, in writing: {decides}."
    )
