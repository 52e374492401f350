"""What people are told of a model that predicts chances: everybody, and those who build it."""

import math
from collections.abc import Mapping

from handrail.config.sections import CaseWords
from handrail.config.settings import Settings
from handrail.contract.schema import Role, one_of_role
from handrail.reports.pictures import Picture, hundred
from handrail.reports.research import Choices, Story, usual_figures
from handrail.reports.tradeoff import Tradeoff, cheapest, per_rows, shortlist
from handrail.reports.wording import Figures, are, between, mean_count, money, number, verdict, weakness
from handrail.tasks.classification.charts import (
    calibration_picture,
    catch_picture,
    payoff_picture,
    roc_picture,
)
from handrail.tasks.classification.decision import payoff, shown_threshold
from handrail.tasks.classification.tradeoff import PER, Choice, choice, choices
from handrail.tasks.metric import Metric
from handrail.training.run import Training

SHARES, APART = (0.9, 0.75, 0.6, 0.45, 0.3, 0.15), 0.05  # of the cases, in the table of thresholds

# For everybody: no names of measures, numbers of a hundred.


def does(settings: Settings, tradeoff: Tradeoff) -> str:
    """Say what the model does, and for whom."""
    words, period, warnings = settings.section(CaseWords), tradeoff.period, tradeoff.present.shown[0]
    often = f"about {mean_count(warnings)} {words.actions} {period.per}"
    return (
        f"It looks at each of the {words.rows} beforehand, and picks out those that are likely to be among "
        f"the {words.cases}, for {words.users} to act on. That is {often}"
        f"{f', among {mean_count(period.rows)} {words.rows}' if period.first else ''}."
    )


def pictures(settings: Settings, tradeoff: Tradeoff) -> list[Picture]:
    """Return how many of a hundred are found, and how many actions are right; none that is unknown."""
    words, (*_, found, right) = settings.section(CaseWords), tradeoff.present.shown
    shown = []
    if math.isfinite(found):
        said = _of_100(words.cases, found, "found beforehand", "overlooked")
        shown.append(Picture(f"How many of the {words.cases} are found", hundred(round(found), said), said))
    if math.isfinite(right):
        said = _of_100(words.actions, right, "right", "for nothing")
        shown.append(Picture(f"How many {words.actions} are right", hundred(round(right), said), said))
    return shown


def _of_100(noun: str, share: float, so: str, otherwise: str) -> str:
    count = round(share)
    return f"Of 100 {noun}, {count} {are(count)} {so}; {100 - count} {are(100 - count)} {otherwise}."


def compared(settings: Settings, tradeoff: Tradeoff) -> str:
    """Say the same of the simple technique, at the threshold that suits it best."""
    words, best = settings.section(CaseWords), cheapest(tradeoff.simple, settings.error_costs)
    warnings, *_, found, right = best.shown
    if not math.isfinite(found):
        return f"There were no {words.cases} among those tested, so nobody can tell how many are found."
    if not warnings:
        return (
            f"Used as well as it can be, it leads to no {words.actions}: at these costs, none of its own "
            "would pay."
        )
    return (
        f"Used as well as it can be, it finds {found:.0f} of 100 {words.cases}, and {right:.0f} of 100 of "
        f"its {words.actions} {are(round(right))} right."
    )


def useless(tradeoff: Tradeoff) -> str:
    """Say why it is best to do without, where it is: no action pays; empty where some do."""
    if not tradeoff.present.shown[0]:
        return f"at what errors cost, it is best to have {tradeoff.terms.nothing}"
    if tradeoff.saved["nothing"]["high"] <= 0:
        return f"acting on what it says costs more than {tradeoff.terms.nothing}"
    return ""


def limits(settings: Settings, tradeoff: Tradeoff) -> str:
    """Say what it cannot do."""
    (_, _, missed, alarms, *_), words = tradeoff.present.shown, settings.section(CaseWords)
    return (
        "It does not know what will happen, it says what is likely. "
        f"{tradeoff.period.each} it overlooks about {mean_count(missed)} {words.cases} and leads to "
        f"{mean_count(alarms)} {words.actions} for nothing: fewer of the one means more of the other."
    )


# For those who build it.


def tell(settings: Settings, training: Training, noun: str, period: str) -> Story:
    """Return what the page says of this training; `noun` is what rows are called, `period` their months."""
    evaluation, target, costs = training.info["evaluation"], training.test.target, settings.error_costs
    model, simple = (choices(target, each, costs) for each in (training.prediction, training.baseline))
    chosen = choice(target, training.prediction, costs, evaluation["decision"]["threshold"])
    best_simple = max(simple, key=lambda each: each.payoff)
    metric, case = (
        settings.project.metrics[settings.accuracy.metric],
        one_of_role(settings.project.contract, Role.TARGET),
    )
    usual, _ = usual_figures(settings, training)
    brought = payoff(target, training.prediction, evaluation["decision"], costs)
    by_chance = per_rows(training.test.groups, brought, PER)
    words = settings.section(CaseWords)
    return Story(
        legend=f"A case is a row with {case.name} = 1 ({case.description}).",
        tiles=_tiles(evaluation, metric, chosen, costs.currency, noun, words.actions),
        opening=f"The model gives each of the {noun} a probability of being a case. Those from "
        f"{shown_threshold(chosen.threshold)} on are picked out; what they get is called {words.actions} "
        f"here. It was tested on {evaluation['rows']:,} {noun} {period}.",
        sentences=(
            verdict(settings, evaluation, training.info.get("baseline", {}).get("wide", False)),
            worth(settings, noun, usual["observed_share"]["value"], chosen, best_simple, by_chance),
            weakness(metric, evaluation, bias(usual)),
        ),
        pictures=(roc_picture(training, chosen), calibration_picture(training)),
        choices=_choices(settings, noun, model, simple, chosen, here=training.period == "validation"),
        decided="threshold",
        methods="calibration: Wilson (1927)",
    )


def worth(
    settings: Settings, noun: str, share: float, chosen: Choice, best_simple: Choice, by_chance: Figures
) -> str:
    """Say what acting on those picked out brings; `share` is that of the cases, `by_chance` its interval."""
    currency, actions = settings.error_costs.currency, settings.section(CaseWords).actions
    return (
        f"Of {PER:,} {noun}, {mean_count(PER * share)} turn out to be cases: the model finds "
        f"{mean_count(chosen.caught)} of them at the price of {mean_count(chosen.false_alarms)} {actions} "
        "for nothing, "
        f"which is worth {money(chosen.payoff, currency)}{between(by_chance, currency)}; the simple "
        "technique, even at the threshold that suits it best, is worth "
        f"{money(best_simple.payoff, currency)}."
    )


def bias(model: Mapping[str, Figures]) -> str:
    """Say whether as many cases came as were predicted."""
    observed, predicted = model["observed_share"], model["mean_prediction"]["value"]
    shares = f"{predicted:.1%} predicted, {observed['value']:.1%} observed"
    if math.isnan(observed["low"]):
        return f"whether its probabilities are right on average cannot be told from so few ({shares})"
    if observed["low"] <= predicted <= observed["high"]:
        found = "right"
    else:
        found = "too low" if predicted < observed["value"] else "too high"
    return f"its probabilities are {found} on average ({shares})"


def _tiles(
    evaluation: Mapping[str, Mapping[str, Figures]],
    metric: Metric,
    chosen: Choice,
    currency: str,
    noun: str,
    actions: str,
) -> tuple[tuple[str, str], ...]:
    model, simple = (number(evaluation[name][metric.name]["value"]) for name in ("model", "baseline"))
    return (
        (model, f"{metric.shown}; simple technique {simple}"),
        (number(chosen.caught_share, ".0%"), "of the cases are found"),
        (number(chosen.alarms_per_100, ".0f"), f"of 100 {actions} are for nothing"),
        (money(chosen.payoff, currency), f"payoff per {PER:,} {noun}"),
    )


def _choices(
    settings: Settings, noun: str, model: list[Choice], simple: list[Choice], chosen: Choice, *, here: bool
) -> Choices:
    costs, words = settings.error_costs, settings.section(CaseWords)
    listed = shortlist(model, chosen, SHARES, APART)
    return Choices(
        title=f"The choice: how many {words.actions}?",
        text=f"A lower threshold finds more cases and leads to more {words.actions} for nothing. Each case "
        f"found saves {money(costs.too_low, costs.currency)}, each {words.action} for nothing costs "
        f"{money(costs.too_high, costs.currency)}.",
        caption=f"Per {PER:,} {noun}; the chosen threshold stands out. Payoff in {costs.currency}.",
        header=(
            "threshold",
            words.actions,
            "cases found",
            "share of cases",
            f"{words.actions} for nothing",
            "payoff",
        ),
        rows=tuple(_cells(each) for each in listed),
        picked=listed.index(chosen),
        pictures=(
            catch_picture(words.actions, model, simple, listed, chosen),
            payoff_picture(costs.currency, model, simple, chosen, here=here),
        ),
    )


def _cells(each: Choice) -> tuple[str, ...]:
    counts = (number(value, ",.0f") for value in (each.warnings, each.caught))
    share = number(each.caught_share, ".0%")
    return (
        shown_threshold(each.threshold),
        *counts,
        share,
        number(each.false_alarms, ",.0f"),
        number(each.payoff, ",.0f"),
    )
