"""The report on probabilities: how well cases are told from the rest, and how many warnings to give."""

from collections.abc import Mapping

from handrail.config.settings import Settings
from handrail.contract.schema import Role, one_of_role
from handrail.reports.gallery import Choices, Story
from handrail.reports.tradeoff import shortlist
from handrail.reports.wording import Figures, money, number, title, verdict, weakness
from handrail.tasks.classification import charts as views
from handrail.tasks.classification.figures import APART, PER, SHARES, Choice, choice, choices
from handrail.training.run import Training

HEADER = ("threshold", "warnings", "cases caught", "share of cases", "false alarms", "payoff")


def tell(settings: Settings, training: Training, noun: str, period: str) -> Story:
    """Return what the report says of this training; `noun` is what rows are called, `period` their months."""
    evaluation, target, costs = training.info["evaluation"], training.test.target, settings.error_costs
    model, simple = (choices(target, each, costs) for each in (training.prediction, training.baseline))
    chosen = choice(target, training.prediction, costs, evaluation["decision"]["threshold"])
    listed, metric = shortlist(model, chosen, SHARES, APART), settings.accuracy.metric
    best_simple = max(simple, key=lambda each: each.payoff)
    case = one_of_role(settings.project.contract, Role.TARGET)
    return Story(
        legend=f"A case is a row whose {case.name} is 1 ({case.description}).",
        tiles=_tiles(evaluation, metric, chosen, costs.currency, noun),
        opening=f"The model gives each of the {noun} a probability of being a case and warns from "
        f"{chosen.threshold:.0%} on; it was tested on {evaluation['rows']:,} {noun} of {period}, all later "
        "than those it has learnt from.",
        sentences=(
            verdict(settings, evaluation),
            worth(costs.currency, noun, evaluation["model"]["observed_share"]["value"], chosen, best_simple),
            weakness(metric, evaluation, bias(evaluation["model"])),
        ),
        pictures=(views.roc(training, chosen), views.calibration_of(training)),
        choices=Choices(
            title="The choice: how many warnings?",
            text="A lower threshold catches more cases and raises more false alarms. A case caught saves "
            f"{money(costs.too_low, costs.currency)}, a false alarm costs "
            f"{money(costs.too_high, costs.currency)}.",
            caption=f"Per {PER:,} {noun}; the chosen threshold stands out. Payoff in {costs.currency}.",
            header=HEADER,
            rows=tuple(_cells(each) for each in listed),
            picked=listed.index(chosen),
            pictures=(
                views.catches(model, simple, listed, chosen),
                views.payoffs(costs.currency, model, simple, chosen),
            ),
        ),
        methods="calibration: Wilson (1927)",
    )


def worth(currency: str, noun: str, share: float, chosen: Choice, best_simple: Choice) -> str:
    """Say what acting on the warnings brings; `share` is that of the cases."""
    low, high = (money(chosen.payoff + side * chosen.margin, currency) for side in (-1, 1))
    return (
        f"Of {PER:,} {noun}, {PER * share:,.0f} turn out to be cases: the model catches "
        f"{chosen.caught:,.0f} of them at the price of {chosen.false_alarms:,.0f} false alarms, which is "
        f"worth {money(chosen.payoff, currency)} (95% interval {low} to {high}); the simple technique, "
        f"even at the threshold that suits it best, is worth {money(best_simple.payoff, currency)}."
    )


def bias(model: Mapping[str, Figures]) -> str:
    """Say whether as many cases came as were predicted."""
    observed, predicted = model["observed_share"], model["mean_prediction"]["value"]
    if observed["low"] <= predicted <= observed["high"]:
        found = "right"
    else:
        found = "too low" if predicted < observed["value"] else "too high"
    shares = f"{predicted:.1%} predicted, {observed['value']:.1%} observed"
    return f"its probabilities are {found} on average ({shares})"


def _tiles(
    evaluation: Mapping[str, Mapping[str, Figures]], metric: str, chosen: Choice, currency: str, noun: str
) -> tuple[tuple[str, str], ...]:
    model, simple = (number(evaluation[name][metric]["value"]) for name in ("model", "baseline"))
    return (
        (model, f"{title(metric)}; simple technique {simple}"),
        (number(chosen.caught_share, ".0%"), "of the cases are caught"),
        (number(chosen.alarms_per_100, ".0f"), "of 100 warnings are false alarms"),
        (money(chosen.payoff, currency), f"payoff per {PER:,} {noun}"),
    )


def _cells(each: Choice) -> tuple[str, ...]:
    counts = (number(value, ",.0f") for value in (each.warnings, each.caught))
    share = number(each.caught_share, ".0%")
    return (
        f"{each.threshold:.0%}",
        *counts,
        share,
        number(each.false_alarms, ",.0f"),
        number(each.payoff, ",.0f"),
    )
