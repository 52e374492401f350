"""Every margin, with how often it is enough, and what is short and left over on the test rows."""

import numpy as np

from handrail.arrays import Doubles, Floats
from handrail.config.sections import AmountWords, ErrorCosts
from handrail.config.settings import Settings
from handrail.reports.period import Period, in_a_period, period_of
from handrail.reports.tradeoff import Column, Position, Terms, Tradeoff, cheapest, decimals
from handrail.tasks.amounts.figures import Choice, choice, choices
from handrail.training.run import Training


def tradeoff_of(settings: Settings, training: Training) -> Tradeoff:
    """Return what can be chosen, from the rows that the model was tested on."""
    words, costs, test = settings.section(AmountWords), settings.error_costs, training.test
    period, same = period_of(test.times), np.zeros(len(test), dtype=np.float32)
    margin = training.info["evaluation"]["decision"]["margin"]
    present = choice(test.target, training.prediction, costs, margin)
    found = [each for each in choices(test.target, training.prediction, costs) if each.margin != margin]
    found = sorted([*found, present], key=lambda each: each.margin)
    places = decimals([float(np.median([abs(each.margin) for each in found]))])
    model = _positions(found, period, words, places)
    simple, nothing = (
        _positions(choices(test.target, prediction, costs), period, words, places)
        for prediction in (training.baseline, same)
    )
    spent = row_costs(test.target, training.prediction, present.margin, costs)
    saved = {
        name: row_costs(test.target, prediction, cheapest(positions, costs).value, costs) - spent
        for name, prediction, positions in (("simple", training.baseline, simple), ("nothing", same, nothing))
    }
    return Tradeoff(
        terms=_terms(words),
        period=period,
        columns=_columns(words),
        model=model,
        simple=simple,
        nothing=nothing,
        chosen=found.index(present),
        saved={name: in_a_period(test.times, each, period) for name, each in saved.items()},
    )


def row_costs(target: Floats, prediction: Floats, margin: float, costs: ErrorCosts) -> Doubles:
    """Return what each row costs that is planned with prediction and margin."""
    left = prediction.astype(np.float64) + margin - target
    return np.where(left < 0, -left * costs.too_low, left * costs.too_high)


def _positions(found: list[Choice], period: Period, words: AmountWords, places: int) -> tuple[Position, ...]:
    return tuple(
        Position(
            each.margin,
            f"{each.margin:+,.{places}f} {words.counted}",
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
        Column(f"{words.counted} too few"),
        Column(f"{words.counted} too many"),
    )


def _terms(words: AmountWords) -> Terms:
    return Terms(
        choice="margin",
        lowest="plan with less",
        highest="plan with more",
        explained=f"The model predicts an amount for each of the {words.rows}. What "
        f"{words.users} should plan with is that and the margin. A larger margin is enough more often and "
        "leaves more over.",
        too_low=f"each of the {words.counted} too few",
        too_high=f"each of the {words.counted} too many",
        nothing="the same amount always, the one that would have been best",
        agreed="Margin agreed",
    )
