"""What people are told of a model that predicts amounts: everybody, and those who build it."""

from collections.abc import Callable, Iterator, Mapping
from math import isnan

from handrail.config.sections import AmountWords, ErrorCosts
from handrail.config.settings import Settings
from handrail.contract.schema import Role, one_of_role
from handrail.reports.pictures import Picture, hundred
from handrail.reports.research import Choices, Story, usual_figures
from handrail.reports.tradeoff import Position, Tradeoff, decimals, per_rows, shortlist
from handrail.reports.wording import (
    Figures,
    are,
    between,
    mean_count,
    money,
    number,
    rounded,
    unit_of_target,
    verdict,
    weakness,
    with_unit,
)
from handrail.tasks.amounts.charts import (
    cost_picture,
    error_picture,
    size_picture,
    tolerance_picture,
)
from handrail.tasks.amounts.decision import payoff
from handrail.tasks.amounts.tradeoff import PER, Choice, choice, choices, places_of, signed, told_reach
from handrail.tasks.metric import Decision, Metric
from handrail.training.run import Training

SHARES, APART = (0.5, 0.65, 0.75, 0.85, 0.95), 0.04  # of the rows, in the table of margins
FirstPicture = Callable[[Training, str], Picture]

# For everybody: no names of measures, numbers of a hundred.


def does(settings: Settings, tradeoff: Tradeoff) -> str:
    """Say what the model does, and for whom."""
    words, period = settings.section(AmountWords), tradeoff.period
    often = f", about {mean_count(period.rows)} {period.per}" if period.first else ""
    meaning = one_of_role(settings.project.contract, Role.TARGET).description.partition(";")[0]
    return (
        f"For each of the {words.rows}{often}, it says beforehand "
        f"what to expect: {meaning[:1].lower()}{meaning[1:]}. What {words.users} should plan with is "
        f"{_planned(tradeoff.present)}, which follows from what errors cost."
    )


def _planned(present: Position) -> str:
    size = present.label.lstrip("+-")
    if not float(size.split(" ")[0].replace(",", "")):
        return "just that"
    return f"{size} {'more' if present.value > 0 else 'less'} than that"


def pictures(settings: Settings, training: Training, tradeoff: Tradeoff) -> list[Picture]:
    """Return how many plans of a hundred are enough, and how many predictions are about right."""
    words, enough = settings.section(AmountWords), round(tradeoff.present.shown[0])
    stay, go = "stays" if enough == 1 else "stay", "goes" if enough == 99 else "go"
    said = f"Of 100 {words.rows}, {enough} {stay} within the plan; {100 - enough} {go} beyond it."
    shown = [Picture("How often the plan is enough", hundred(enough, said), said)]
    tolerable = settings.error_costs.tolerable
    if tolerable:
        figures = usual_figures(settings, training)
        model, simple = (round(100 * each["within"]["value"]) for each in figures)
        said = (
            f"Of 100 predictions, {model} {are(model)} off by no more than {tolerable:,.15g} "
            f"{words.counted}; of the simple technique's, {simple}."
        )
        shown.append(Picture("How often the prediction is near", hundred(model, said), said))
    return shown


def compared(settings: Settings, training: Training) -> str:
    """Say how far off it is on average, beside the model."""
    words, figures = settings.section(AmountWords), usual_figures(settings, training)
    model, simple = (rounded(each["mae"]["value"]) for each in figures)
    return f"On average it is off by {simple} {words.counted}, the model by {model}."


def useless(tradeoff: Tradeoff) -> str:
    """Say why it is best to do without, where it is; empty where it isn't."""
    if tradeoff.saved["nothing"]["high"] <= 0:
        return "always planning the same amount costs no more than planning by it"
    return ""


def limits(settings: Settings, tradeoff: Tradeoff) -> str:
    """Say what it cannot do."""
    words, (_, *amounts) = settings.section(AmountWords), tradeoff.present.shown
    short, spare = (f"{each:,.{decimals(amounts)}f}" for each in amounts)
    beside = f"{tradeoff.terms.beside} " if tradeoff.terms.beside else ""
    return (
        f"{beside}Added up over {tradeoff.period.over}, its plans are {short} {words.counted} short "
        f"where they are not enough, and leave {spare} over where they are: "
        "less of the one means more of the other."
    )


# For those who build it.


def tell(
    settings: Settings, training: Training, noun: str, period: str, first_picture: FirstPicture
) -> Story:
    """Return what the page says of this training; `noun` is what rows are called, `period` their months.

    `first_picture` is drawn of the training and the unit of the target.
    """
    evaluation, amount = training.info["evaluation"], one_of_role(settings.project.contract, Role.TARGET)
    target, costs = training.test.target, settings.error_costs
    unit = unit_of_target(settings)
    model, simple = (choices(target, each, costs) for each in (training.prediction, training.baseline))
    chosen = choice(target, training.prediction, costs, evaluation["decision"]["margin"])
    best_simple, metric = (
        min(simple, key=lambda each: each.cost),
        settings.project.metrics[settings.accuracy.metric],
    )
    usual, _ = usual_figures(settings, training)
    margin = signed(chosen.margin, places_of(model), unit)
    lost = -payoff(target, training.prediction, evaluation["decision"], costs)
    by_chance = per_rows(training.test.groups, lost, PER)
    return Story(
        legend=f"Predicted is {amount.name}: {amount.description}.",
        tiles=(
            *_tiles(evaluation, usual, metric, margin, f"{costs.tolerable:,.15g} {unit}".strip()),
            *_range_tiles(evaluation["decision"], usual, unit),
        ),
        opening=f"The model predicts an amount for each of the {noun}; it was tested on "
        f"{evaluation['rows']:,} {noun} {period}.",
        sentences=(
            verdict(settings, evaluation, training.info.get("baseline", {}).get("wide", False)),
            worth(costs, noun, chosen, best_simple, margin, by_chance),
            weakness(metric, evaluation, bias(usual)),
        ),
        pictures=(
            first_picture(training, unit),
            error_picture(training, unit),
            tolerance_picture(training, costs.tolerable, unit),
            size_picture(training, unit),
        ),
        choices=_choices(costs, noun, model, simple, chosen, unit, here=training.period == "validation"),
        decided="margin and range",
        methods="margin: Arrow, Harris and Marschak (1951); range: Vovk, Gammerman and Shafer "
        "(2005), of like predictions by Boström and Johansson (2020)",
    )


def worth(
    costs: ErrorCosts, noun: str, chosen: Choice, best_simple: Choice, margin: str, by_chance: Figures
) -> str:
    """Say what planning by the predictions costs; `margin` is the chosen one, `by_chance` the interval."""
    return (
        f"With a margin of {margin}, {chosen.enough:.0%} of the {noun} stay within the "
        f"plan. Errors on {PER:,} of them cost {money(chosen.cost, costs.currency)}"
        f"{between(by_chance, costs.currency)}; with the simple technique, even at the margin that suits "
        f"it best, {money(best_simple.cost, costs.currency)}."
    )


def bias(model: Mapping[str, Figures]) -> str:
    """Say whether as much came as was predicted."""
    error, (predicted, came) = model["mean_error"], (model[f"mean_{n}"] for n in ("prediction", "outcome"))
    found = "too low" if error["value"] < 0 else "too high"
    if error["low"] <= 0 <= error["high"]:
        found = "right"
    means = f"{number(predicted['value'], ',.2f')} predicted, {number(came['value'], ',.2f')} came"
    if isnan(error["low"]):
        return f"whether its predictions are right on average cannot be told from so few ({means})"
    return f"its predictions are {found} on average ({means})"


def _tiles(
    evaluation: Mapping[str, Mapping[str, Figures]],
    usual: Mapping[str, Figures],
    metric: Metric,
    margin: str,
    size: str,
) -> tuple[tuple[str, str], ...]:
    model, simple = (evaluation[name][metric.name]["value"] for name in ("model", "baseline"))
    return (
        (number(model), f"{metric.shown}; simple technique {number(simple)}"),
        (number(usual["within"]["value"], ".0%"), f"of the predictions are within {size}"),
        (number(usual["covered"]["value"], ".0%"), "of the plans with the margin are enough"),
        (margin, "is the margin added to each prediction"),
    )


def _range_tiles(decision: Decision, usual: Mapping[str, Figures], unit: str) -> Iterator[tuple[str, str]]:
    """Yield how many outcomes lie in the range beside the prediction, where there is one."""
    if "range" in decision:
        reach = f"{told_reach(decision)} {unit}".strip()
        meant = f"{100 * decision['range_level']:.3g}%"
        said = (
            f"of the outcomes lie in the range, {reach} to either side of the prediction; {meant} were meant"
        )
        yield number(usual["coverage"]["value"], ".0%"), said


def _choices(
    costs: ErrorCosts,
    noun: str,
    model: list[Choice],
    simple: list[Choice],
    chosen: Choice,
    unit: str,
    *,
    here: bool,
) -> Choices:
    listed = shortlist(model, chosen, SHARES, APART)
    return Choices(
        title="The choice: how large a margin?",
        text="A larger margin is enough more often and leaves more to spare. One unit too little costs "
        f"{money(costs.too_low, costs.currency)}, one too much {money(costs.too_high, costs.currency)}.",
        caption=f"The chosen margin stands out. Cost per {PER:,} {noun}, in {costs.currency}.",
        header=(with_unit("margin", unit), "enough for", "short, mean", "spare, mean", "cost"),
        rows=tuple(_cells(each, places_of(model)) for each in listed),
        picked=listed.index(chosen),
        pictures=(cost_picture(costs.currency, model, simple, chosen, unit, here=here),),
    )


def _cells(each: Choice, places: int) -> tuple[str, ...]:
    amounts = (number(value, ",.2f") for value in (each.short, each.spare))
    return (signed(each.margin, places), f"{each.enough:.0%}", *amounts, number(each.cost, ",.0f"))
