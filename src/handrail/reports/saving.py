"""What errors cost with the model and without it, in sentences."""

from collections.abc import Iterator

from handrail.config.settings import Settings
from handrail.reports.tradeoff import Tradeoff, cheapest, cost
from handrail.reports.wording import money


def worth(settings: Settings, tradeoff: Tradeoff) -> Iterator[str]:
    """Yield what errors cost with the model and without it, and what is saved, with its interval."""
    costs, period, terms = settings.error_costs, tradeoff.period.name, tradeoff.terms
    low, high = (money(each, costs.currency) for each in (costs.too_low, costs.too_high))
    yield f"What errors cost is agreed: {low} for {terms.too_low}, {high} for {terms.too_high}."
    found = (tradeoff.present, cheapest(tradeoff.simple, costs), cheapest(tradeoff.nothing, costs))
    model, simple, nothing = (money(cost(each, costs), costs.currency) for each in found)
    yield (
        f"So errors cost {model} a {period} with the model, {simple} with the simple technique at its best, "
        f"and {nothing} with {terms.nothing}."
    )
    yield said_of_saving(tradeoff, costs.currency)


def said_of_saving(tradeoff: Tradeoff, currency: str) -> str:
    """Say what is saved against the simple technique, as far as chance lets one know."""
    if tradeoff.period.says_little:
        return "What is saved cannot be told from so few."
    saved, period = tradeoff.saved["simple"], tradeoff.period.name
    low, high = (money(saved[end], currency) for end in ("low", "high"))
    if saved["low"] > 0:
        return (
            f"Against the simple technique it saves {money(saved['value'], currency)} a {period}; allowing "
            f"for chance, between {low} and {high}."
        )
    if saved["high"] < 0:
        loss = money(-saved["value"], currency)
        return f"It costs {loss} a {period} more than the simple technique."
    return (
        "Whether it saves anything against the simple technique cannot be told: allowing for chance, it is "
        f"between {low} and {high} a {period}."
    )
