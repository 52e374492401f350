"""What can be chosen of a model that predicts amounts: counted by hand; and when it is of no use."""

import numpy as np
import pytest

from {{ cookiecutter.__package }} import contract, schema
from {{ cookiecutter.__package }}.report import company, plain, positions, tradeoff

from .made_up_training import made_up_settings, made_up_training


@pytest.fixture
def settings(tmp_path):
    return made_up_settings(tmp_path)


def test_a_row_costs_what_one_counts_by_hand(settings):
    target, prediction = np.float32([10, 10, 10]), np.float32([4, 8, 12])
    assert list(positions.row_costs(target, prediction, 2.0, settings.error_costs)) == [40, 0, 16]


def test_amounts_a_day_are_those_of_the_rows(settings):
    training = made_up_training()
    found = positions.tradeoff_of(settings, training)
    left = training.prediction.astype(np.float64) + 0.25 - training.test.target
    expected = (100 * (left >= 0).mean(), -left[left < 0].sum(), left[left > 0].sum())
    days = found.period.days
    assert found.present.shown == pytest.approx((expected[0], expected[1] / days, expected[2] / days))


def test_everybody_is_told_what_the_amounts_are(settings):
    said = plain.does(settings, positions.tradeoff_of(settings, made_up_training()))
    target = schema.one_of_role(contract.CONTRACT, schema.Role.TARGET).description.partition(";")[0]
    assert f" of them a day: {target[0].lower()}{target[1:]}. What " in said
    assert " should plan with is that, with +0.25 " in said


def test_always_the_same_is_the_best_of_all_amounts(settings):
    training = made_up_training()
    found, costs = positions.tradeoff_of(settings, training), settings.error_costs
    target = training.test.target.astype(np.float64)
    spent = positions.row_costs(target, training.prediction, 0.25, costs).sum()
    least = min(positions.row_costs(target, np.zeros_like(target), same, costs).sum() for same in (0.0, 1.0))
    assert found.saved["nothing"]["value"] == pytest.approx((least - spent) / found.period.days)


@pytest.mark.parametrize(("too_low", "too_high"), [(1, 200), (200, 1), (10, 4)])
def test_the_cheapest_margin_of_all_is_among_those_to_choose_from(settings, too_low, too_high):
    costs = settings.error_costs.model_copy(update={"too_low": too_low, "too_high": too_high})
    settings = settings.model_copy(update={"error_costs": costs})
    training = made_up_training()
    found = positions.tradeoff_of(settings, training)
    margins = np.linspace(-1, 1, 201)
    target, prediction = training.test.target, training.prediction
    least = min(positions.row_costs(target, prediction, each, costs).sum() for each in margins)
    best = tradeoff.cost(tradeoff.cheapest(found.model, costs), costs)
    assert best * found.period.days == pytest.approx(least, rel=0.01)


def test_plans_that_one_amount_beats_are_called_so(settings):
    training = made_up_training(knows=False)
    found = positions.tradeoff_of(settings, training)
    said, good = company.verdict(settings, training.info["evaluation"], found)
    assert said == (
        "It is not worth using: always planning the same amount costs no more than planning by it."
    )
    assert not good


def test_without_a_tolerable_error_nothing_is_said_of_it(settings):
    costs = settings.error_costs.model_copy(update={"tolerable": 0})
    settings = settings.model_copy(update={"error_costs": costs})
    training = made_up_training()
    found = positions.tradeoff_of(settings, training)
    assert [picture.title for picture in plain.pictures(settings, training, found)] == [
        "How often the plan is enough"
    ]


def test_amounts_are_called_as_project_yaml_says(settings):
    words = settings.words.model_copy(update={"units": "boxes", "rows": "orders", "users": "the store"})
    settings = settings.model_copy(update={"words": words})
    found = positions.tradeoff_of(settings, made_up_training())
    assert found.present.label.endswith(" boxes")
    assert "how many boxes to expect for each of the orders" in plain.does(settings, found)
