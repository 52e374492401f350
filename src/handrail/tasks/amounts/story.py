"""The report on amounts: how far off the predictions are, and how much to plan with."""

from collections.abc import Mapping

from handrail.config.sections import ErrorCosts
from handrail.config.settings import Settings
from handrail.contract.schema import Role, one_of_role
from handrail.reports.gallery import Choices, Story
from handrail.reports.tradeoff import shortlist
from handrail.reports.wording import Figures, money, number, title, verdict, weakness
from handrail.tasks.amounts import charts as views
from handrail.tasks.amounts.figures import APART, PER, SHARES, Choice, choice, choices
from handrail.tasks.amounts.regression_chart import first_picture
from handrail.training.run import Training

HEADER = ("margin", "enough for", "short, mean", "spare, mean", "cost")


def tell(settings: Settings, training: Training, noun: str, period: str) -> Story:
    """Return what the report says of this training; `noun` is what rows are called, `period` their months."""
    evaluation, amount = training.info["evaluation"], one_of_role(settings.project.contract, Role.TARGET)
    target, costs, unit = training.test.target, settings.error_costs, amount.unit
    model, simple = (choices(target, each, costs) for each in (training.prediction, training.baseline))
    chosen = choice(target, training.prediction, costs, evaluation["decision"]["margin"])
    best_simple, metric = min(simple, key=lambda each: each.cost), settings.accuracy.metric
    return Story(
        legend=f"Predicted is {amount.name}: {amount.description}.",
        tiles=_tiles(evaluation, metric, chosen.margin, f"{costs.tolerable:g} {unit}".strip()),
        opening=f"The model predicts an amount for each of the {noun}; it was tested on "
        f"{evaluation['rows']:,} {noun} of {period}, all later than those it has learnt from.",
        sentences=(
            verdict(settings, evaluation),
            worth(costs, noun, chosen, best_simple),
            weakness(metric, evaluation, bias(evaluation["model"])),
        ),
        pictures=(
            first_picture(training, unit),
            views.errors(training, unit),
            views.tolerated(training, costs.tolerable, unit),
            views.by_size(training, unit),
        ),
        choices=_choices(noun, costs, model, simple, chosen),
        methods="margin: Arrow, Harris and Marschak (1951)",
    )


def worth(costs: ErrorCosts, noun: str, chosen: Choice, best_simple: Choice) -> str:
    """Say what planning by the predictions costs."""
    low, high = (money(chosen.cost + side * chosen.interval, costs.currency) for side in (-1, 1))
    return (
        f"Planned with {_signed(chosen.margin)} on top of the prediction, it is enough for "
        f"{chosen.enough:.0%} of the {noun}. {PER:,} of them cost {money(chosen.cost, costs.currency)} (95% "
        f"interval {low} to {high}); with the simple technique, even at the margin that suits it best, "
        f"{money(best_simple.cost, costs.currency)}."
    )


def bias(model: Mapping[str, Figures]) -> str:
    """Say whether as much came as was predicted."""
    error, (predicted, came) = model["mean_error"], (model[f"mean_{n}"] for n in ("prediction", "outcome"))
    found = "too low" if error["value"] < 0 else "too high"
    if error["low"] <= 0 <= error["high"]:
        found = "right"
    means = f"{number(predicted['value'], '.2f')} predicted, {number(came['value'], '.2f')} came"
    return f"its predictions are {found} on average ({means})"


def _tiles(
    evaluation: Mapping[str, Mapping[str, Figures]], metric: str, margin: float, size: str
) -> tuple[tuple[str, str], ...]:
    model, simple = evaluation["model"], evaluation["baseline"]
    return (
        (
            number(model[metric]["value"]),
            f"{title(metric)}; simple technique {number(simple[metric]['value'])}",
        ),
        (number(model["within"]["value"], ".0%"), f"of the predictions are within {size}"),
        (number(model["covered"]["value"], ".0%"), "of the plans with the margin are enough"),
        (_signed(margin), "is the margin on top of a prediction"),
    )


def _choices(
    noun: str, costs: ErrorCosts, model: list[Choice], simple: list[Choice], chosen: Choice
) -> Choices:
    listed = shortlist(model, chosen, SHARES, APART)
    return Choices(
        title="The choice: how much on top?",
        text="A larger margin is enough more often and leaves more to spare. One unit too little costs "
        f"{money(costs.too_low, costs.currency)}, one too much {money(costs.too_high, costs.currency)}.",
        caption=f"The chosen margin stands out. Cost per {PER:,} {noun}, in {costs.currency}.",
        header=HEADER,
        rows=tuple(_cells(each) for each in listed),
        picked=listed.index(chosen),
        pictures=(views.costs(costs.currency, model, simple, chosen),),
    )


def _cells(each: Choice) -> tuple[str, ...]:
    amounts = (number(value, ".2f") for value in (each.short, each.spare))
    return (_signed(each.margin), f"{each.enough:.0%}", *amounts, number(each.cost, ",.0f"))


def _signed(margin: float) -> str:
    return f"{margin:+.1f}"
