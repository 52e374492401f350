"""Every margin, with how often it is enough, and what is short and left over on the test rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from handrail.arrays import Floats
from handrail.config.sections import AmountWords, ErrorCosts
from handrail.config.settings import Settings
from handrail.reports.tradeoff import (
    Column,
    Period,
    Position,
    Terms,
    Tradeoff,
    cheapest,
    decimals,
    in_a_period,
    told_for,
)
from handrail.reports.wording import rounded
from handrail.tasks.amounts.decision import payoff
from handrail.tasks.amounts.ranges import coverage
from handrail.tasks.metric import Decision
from handrail.training.run import Training

PER = 1000


@dataclass(frozen=True)
class Choice:
    """What planning with a margin brings; `cost` per PER rows.

    enough: share of rows for which the plan was enough · short, spare: mean amount per row.
    """

    margin: float
    enough: float
    short: float
    spare: float
    cost: float

    @property
    def value(self) -> float:
        """What is chosen."""
        return self.margin

    @property
    def share(self) -> float:
        """The share of rows that it is enough for."""
        return self.enough


def choice(target: Floats, prediction: Floats, costs: ErrorCosts, margin: float) -> Choice:
    """Return what planning with prediction and `margin` brings on these rows."""
    left = prediction.astype(np.float64) + margin - target
    short, spare = np.maximum(-left, 0), np.maximum(left, 0)
    cost = short * costs.too_low + spare * costs.too_high
    return Choice(
        margin=margin,
        enough=float((left >= 0).mean()),
        short=float(short.mean()),
        spare=float(spare.mean()),
        cost=PER * float(cost.mean()),
    )


def choices(target: Floats, prediction: Floats, costs: ErrorCosts) -> list[Choice]:
    """Return what each of many margins brings, the smallest first; the cheapest of all is one of them."""
    missing = target.astype(np.float64) - prediction
    shares = [*np.linspace(0.04, 0.98, 48), costs.too_low / (costs.too_low + costs.too_high)]
    margins = np.unique(np.quantile(missing, shares, method="inverted_cdf"))
    return [choice(target, prediction, costs, float(margin)) for margin in margins]


def places_of(margins: Sequence[Choice]) -> int:
    """Return how many decimals margins of this size are written with."""
    return decimals([float(np.median([abs(each.margin) for each in margins]))])


def signed(margin: float, places: int, unit: str = "") -> str:
    """Return a margin as text, with its sign."""
    return f"{margin:+z,.{places}f} {unit}".strip()


def tradeoff_of(settings: Settings, training: Training) -> Tradeoff:
    """Return what can be chosen, from the rows that the model was tested on."""
    words, costs, test = settings.section(AmountWords), settings.error_costs, training.test
    period, same = told_for(training, words.rows), np.zeros(len(test), dtype=np.float32)
    decision = training.info["evaluation"]["decision"]
    present = choice(test.target, training.prediction, costs, decision["margin"])
    found = [each for each in choices(test.target, training.prediction, costs) if each.value != present.value]
    found = sorted([*found, present], key=lambda each: each.margin)
    places = places_of(found)
    others = {
        name: _positions(choices(test.target, prediction, costs), period, words, places)
        for name, prediction in (("simple", training.baseline), ("nothing", same))
    }
    gained = payoff(test.target, training.prediction, decision, costs)
    saved = {
        name: gained - payoff(test.target, prediction, {"margin": cheapest(others[name], costs).value}, costs)
        for name, prediction in (("simple", training.baseline), ("nothing", same))
    }
    return Tradeoff(
        terms=_terms(words, told_range(settings, training)),
        period=period,
        columns=_columns(words),
        model=_positions(found, period, words, places),
        **others,
        chosen=found.index(present),
        saved={name: in_a_period(test.groups, each, period) for name, each in saved.items()},
    )


def _positions(found: list[Choice], period: Period, words: AmountWords, places: int) -> tuple[Position, ...]:
    return tuple(
        Position(
            each.margin,
            signed(each.margin, places, words.counted),
            each.enough,
            each.short * period.rows,
            each.spare * period.rows,
            (100 * each.enough, each.short * period.rows, each.spare * period.rows),
        )
        for each in found
    )


def _columns(words: AmountWords) -> tuple[Column, ...]:
    return (
        Column(f"of 100 {words.rows}, enough for", of_100=True),
        Column(f"{words.counted} missing"),
        Column(f"{words.counted} left over"),
    )


def told_range(settings: Settings, training: Training) -> str:
    """Say in plain words what the range beside a prediction promises, and how often it was right."""
    decision = training.info["evaluation"]["decision"]
    if "range" not in decision:
        return ""
    said = (
        f"Beside each prediction stands its range, {told_reach(decision)} "
        f"{settings.section(AmountWords).counted} to either side: "
        f"{100 * decision['range_level']:.3g} of 100 outcomes are to lie in it"
    )
    if training.period == "validation":  # of these rows it was learnt: so many lie in it by themselves
        return f"{said}."
    prediction, target = (each.astype(np.float64) for each in (training.prediction, training.test.target))
    held = coverage(target, prediction, np.full(len(target), 1 / len(target)), decision)
    return f"{said}; of 100 that were tested, {100 * held:.0f} did."


def told_reach(decision: Decision) -> str:
    """Return how far ranges reach to either side, from the nearest to the farthest."""
    ends = min(decision["range"]), max(decision["range"])
    return " to ".join(dict.fromkeys(map(rounded, ends)))


def _terms(words: AmountWords, beside: str) -> Terms:
    return Terms(
        choice="margin",
        lowest="plan with less",
        highest="plan with more",
        explained=f"The model predicts an amount for each of the {words.rows}. What {words.users} should "
        "plan with is that plus the margin. A larger margin is enough more often and leaves more over.",
        too_low=f"{words.counted} missing",
        too_high=f"{words.counted} left over",
        nothing="the same amount for all, whichever is best",
        agreed="Margin agreed",
        beside=beside,
    )
