"""Every threshold, with what it finds, misses and raises in vain on the test rows."""

import numpy as np

from handrail.arrays import Doubles, Floats
from handrail.config.sections import CaseWords, ErrorCosts
from handrail.config.settings import Settings
from handrail.reports.period import Period, in_a_period, period_of
from handrail.reports.tradeoff import Column, Position, Terms, Tradeoff, cheapest
from handrail.tasks.classification.figures import PER, Choice, choice, choices
from handrail.training.run import Training


def tradeoff_of(settings: Settings, training: Training) -> Tradeoff:
    """Return what can be chosen, from the rows that the model was tested on."""
    words, costs, test = settings.section(CaseWords), settings.error_costs, training.test
    period = period_of(test.times)
    cases = period.rows * float((test.target == 1).mean(dtype=np.float64))
    model, simple = (
        [_position(each, cases, period) for each in choices(test.target, prediction, costs)]
        for prediction in (training.prediction, training.baseline)
    )
    threshold = training.info["evaluation"]["decision"]["threshold"]
    present = _position(choice(test.target, training.prediction, costs, threshold), cases, period)
    model = sorted([*(each for each in model if each.value != threshold), present], key=lambda p: p.value)
    spent = row_costs(test.target, training.prediction, present.value, costs)
    other = row_costs(test.target, training.baseline, cheapest(simple, costs).value, costs)
    idle = np.where(test.target == 1, costs.too_low, 0.0)
    return Tradeoff(
        terms=_terms(words),
        period=period,
        columns=_columns(words),
        model=tuple(model),
        simple=tuple(simple),
        nothing=(Position(1.0, "", 0.0, cases, 0.0, ()),),
        chosen=model.index(present),
        saved={
            "simple": in_a_period(test.times, other - spent, period),
            "nothing": in_a_period(test.times, idle - spent, period),
        },
    )


def row_costs(target: Floats, prediction: Floats, threshold: float, costs: ErrorCosts) -> Doubles:
    """Return what the error of each row costs: a case without a warning, or a warning for nothing."""
    warned, case = prediction >= np.float32(threshold), target == 1
    return np.where(case & ~warned, costs.too_low, np.where(warned & ~case, costs.too_high, 0.0))


def _position(each: Choice, cases: float, period: Period) -> Position:
    warnings, caught, alarms = (
        amount * period.rows / PER for amount in (each.warnings, each.caught, each.false_alarms)
    )
    missed, right = max(cases - caught, 0.0), 100 - each.alarms_per_100
    shown = (warnings, caught, missed, alarms, 100 * each.caught_share, right)
    return Position(each.threshold, f"{each.threshold:.0%}", each.caught_share, missed, alarms, shown)


def _columns(words: CaseWords) -> tuple[Column, ...]:
    return (
        Column("warnings"),
        Column(f"{words.cases} warned of"),
        Column(f"{words.cases} without a warning"),
        Column("warnings for nothing"),
        Column(f"of 100 {words.cases}, warned of", of_100=True),
        Column("of 100 warnings, right", of_100=True),
    )


def _terms(words: CaseWords) -> Terms:
    return Terms(
        choice="threshold",
        lowest="more warnings",
        highest="fewer warnings",
        explained=f"The model gives each of the {words.rows} a probability. From the threshold on, a warning "
        f"goes to {words.users}. A lower one overlooks fewer {words.cases} and raises more warnings for "
        "nothing.",
        too_low=f"each of the {words.cases} without a warning",
        too_high="each warning for nothing",
        nothing="no warnings at all",
        agreed="Threshold agreed",
    )
