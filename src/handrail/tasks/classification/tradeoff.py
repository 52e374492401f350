"""The thresholds, with what it finds, misses and raises in vain on the test rows."""

from dataclasses import dataclass

import numpy as np

from handrail.arrays import Floats
from handrail.config.sections import CaseWords, ErrorCosts
from handrail.config.settings import Settings
from handrail.reports.tradeoff import (
    Column,
    Period,
    Position,
    Terms,
    Tradeoff,
    cheapest,
    in_a_period,
    told_for,
)
from handrail.tasks.classification.decision import counts_from, payoff, shown_threshold
from handrail.training.run import Training

PER = 1000
MOST = 98  # thresholds that are told of


@dataclass(frozen=True)
class Choice:
    """What a threshold brings per PER rows; `payoff` in the currency."""

    threshold: float
    warnings: float
    caught: float
    false_alarms: float
    caught_share: float
    alarms_per_100: float
    payoff: float

    @property
    def value(self) -> float:
        """What is chosen."""
        return self.threshold

    @property
    def share(self) -> float:
        """The share of cases that it serves."""
        return self.caught_share


def choice(target: Floats, prediction: Floats, costs: ErrorCosts, threshold: float) -> Choice:
    """Return what acting on every prediction of at least `threshold` brings on these rows."""
    cases, warned = target == 1, prediction >= np.float32(threshold)
    counts = (int(warned.sum()), int((warned & cases).sum()))
    return _choice(threshold, len(target), int(cases.sum()), counts, costs)


def choices(target: Floats, prediction: Floats, costs: ErrorCosts) -> list[Choice]:
    """Return what each threshold brings, the lowest first, and last that nobody is warned of.

    Of more than MOST thresholds that occur, those are taken that spread the cases found and the warnings
    (on a scale of factors, as a rare class needs it), and the one that pays most.
    """
    thresholds, warned, caught = counts_from(target, prediction)
    payoffs = caught * costs.too_low - (warned - caught) * costs.too_high
    places = np.arange(len(thresholds))
    if len(places) > MOST:
        wanted = np.linspace(0, caught[0], MOST // 2), np.geomspace(1, warned[0], MOST // 2)
        spread = [
            np.searchsorted(-counts, -each) for counts, each in zip((caught, warned), wanted, strict=True)
        ]
        places = np.unique([*np.concatenate(spread), 0, int(np.argmax(payoffs)), len(places) - 1])
    return [
        _choice(
            float(thresholds[place]),
            len(target),
            int(caught[0]),
            (int(warned[place]), int(caught[place])),
            costs,
        )
        for place in places
    ]


def _choice(threshold: float, rows: int, cases: int, counts: tuple[int, int], costs: ErrorCosts) -> Choice:
    """Return what so many warnings bring, and so many of them that were right."""
    warnings, caught = counts
    false_alarms = warnings - caught
    mean = (caught * costs.too_low - false_alarms * costs.too_high) / rows
    return Choice(
        threshold=threshold,
        warnings=PER * warnings / rows,
        caught=PER * caught / rows,
        false_alarms=PER * false_alarms / rows,
        caught_share=_share(caught, cases),
        alarms_per_100=100 * _share(false_alarms, warnings),
        payoff=PER * mean,
    )


def tradeoff_of(settings: Settings, training: Training) -> Tradeoff:
    """Return what can be chosen, from the rows that the model was tested on."""
    words, costs, test = settings.section(CaseWords), settings.error_costs, training.test
    period = told_for(training, words.rows)
    cases = period.rows * float((test.target == 1).mean(dtype=np.float64))
    model, simple = (
        [_position(each, cases, period) for each in choices(test.target, prediction, costs)]
        for prediction in (training.prediction, training.baseline)
    )
    decision = training.info["evaluation"]["decision"]
    chosen = choice(test.target, training.prediction, costs, decision["threshold"])
    present = _position(chosen, cases, period)
    model = sorted([*(each for each in model if each.value != present.value), present], key=lambda p: p.value)
    best = {"threshold": cheapest(simple, costs).value}
    gained = payoff(test.target, training.prediction, decision, costs)
    gained_simply = payoff(test.target, training.baseline, best, costs)
    return Tradeoff(
        terms=_terms(words),
        period=period,
        columns=_columns(words),
        model=tuple(model),
        simple=tuple(simple),
        nothing=(Position(1.0, "", 0.0, cases, 0.0, ()),),
        chosen=model.index(present),
        saved={
            "simple": in_a_period(test.groups, gained - gained_simply, period),
            "nothing": in_a_period(test.groups, gained, period),
        },
    )


def _position(each: Choice, cases: float, period: Period) -> Position:
    warnings, caught, alarms = (
        amount * period.rows / PER for amount in (each.warnings, each.caught, each.false_alarms)
    )
    missed, right = max(cases - caught, 0.0), 100 - each.alarms_per_100
    shown = (warnings, caught, missed, alarms, 100 * each.caught_share, right)
    return Position(each.threshold, shown_threshold(each.threshold), each.caught_share, missed, alarms, shown)


def _columns(words: CaseWords) -> tuple[Column, ...]:
    return (
        Column(words.actions),
        Column(f"{words.cases} found"),
        Column(f"{words.cases} overlooked"),
        Column(f"{words.actions} for nothing"),
        Column(f"of 100 {words.cases}, found", of_100=True),
        Column(f"of 100 {words.actions}, right", of_100=True),
    )


def _terms(words: CaseWords) -> Terms:
    return Terms(
        choice="threshold",
        lowest=f"more {words.actions}",
        highest=f"fewer {words.actions}",
        explained=f"The model gives each of the {words.rows} a probability. Those from the threshold on are "
        f"picked out for {words.users}. A lower one overlooks fewer {words.cases} and leads to more "
        f"{words.actions} for nothing.",
        too_low=f"{words.cases} overlooked",
        too_high=f"{words.actions} for nothing",
        nothing=f"no {words.actions} at all",
        agreed="Threshold agreed",
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
