"""What can be chosen of a model that predicts amounts: counted by hand; and when it is of no use."""

import numpy as np
import pytest

from handrail.contract.schema import Role, one_of_role
from handrail.reports.company import verdict
from handrail.reports.tradeoff import cheapest, cost
from handrail.tasks.amounts import tradeoff
from tests.engine.support.example import example
from tests.engine.support.made_up_training import COSTS, made_up_settings, made_up_training

PROJECT = example("regression")
TASK = PROJECT.task


@pytest.fixture
def settings(tmp_path):
    return made_up_settings(tmp_path, PROJECT)


@pytest.fixture(scope="module")
def training():
    return made_up_training(project=PROJECT)


def spent(training, prediction, margin, costs=COSTS):
    """Return what the errors of all rows cost, counted anew."""
    missing = training.test.target.astype(np.float64) - prediction - margin
    return (np.maximum(missing, 0) * costs.too_low + np.maximum(-missing, 0) * costs.too_high).sum()


def test_a_margin_costs_what_one_counts_by_hand():
    target, prediction = np.float32([0, 10, 20, 30]), np.float32([2, 8, 20, 20])
    found = tradeoff.choice(target, prediction, COSTS, 3.0)
    assert (found.enough, found.short, found.spare) == (0.75, 7 / 4, (5 + 1 + 3) / 4)
    assert found.cost == 1000 * (7 * 10 + 9 * 4) / 4


def test_every_margin_costs_what_training_reckons(training):
    target, prediction = training.test.target, training.prediction
    for each in tradeoff.choices(target, prediction, COSTS):
        paid = TASK.payoff(target, prediction, {"margin": each.margin}, COSTS)
        assert each.cost == pytest.approx(-1000 * paid.mean())


def test_amounts_a_day_are_those_of_the_rows(settings, training):
    found = TASK.tradeoff(settings, training)
    left = training.prediction.astype(np.float64) + 0.25 - training.test.target
    expected = (100 * (left >= 0).mean(), -left[left < 0].sum(), left[left > 0].sum())
    days = found.period.days
    assert found.present.shown == pytest.approx((expected[0], expected[1] / days, expected[2] / days))


def test_everybody_is_told_what_the_amounts_are(settings, training):
    said = TASK.does(settings, TASK.tradeoff(settings, training))
    target = one_of_role(PROJECT.contract, Role.TARGET).description.partition(";")[0]
    assert said.startswith("For each of the departures, about ")
    assert f" a day, it says beforehand what to expect: {target[0].lower()}{target[1:]}. What " in said
    assert " should plan with is 0.25 min more than that, which follows from what errors cost." in said


def test_always_the_same_is_the_best_of_all_amounts(settings, training):
    found = TASK.tradeoff(settings, training)
    least = min(spent(training, 0.0, same) for same in (0.0, 1.0))
    saved = least - spent(training, training.prediction, 0.25)
    assert found.saved["nothing"]["value"] == pytest.approx(saved / found.period.days)


@pytest.mark.parametrize(("too_low", "too_high"), [(1, 200), (200, 1), (10, 4)])
def test_the_cheapest_margin_of_all_is_among_those_to_choose_from(settings, training, too_low, too_high):
    costs = settings.error_costs.model_copy(update={"too_low": too_low, "too_high": too_high})
    settings = settings.model_copy(update={"error_costs": costs})
    found = TASK.tradeoff(settings, training)
    least = min(spent(training, training.prediction, each, costs) for each in np.linspace(-1, 1, 201))
    best = cost(cheapest(found.model, costs), costs)
    assert best * found.period.days == pytest.approx(least, rel=0.01)


def test_plans_that_one_amount_beats_are_called_so(settings):
    training = made_up_training(knows=False, project=PROJECT)
    found = TASK.tradeoff(settings, training)
    said, good = verdict(settings, training.info["evaluation"], found)
    assert said == (
        "It is not worth using: always planning the same amount costs no more than planning by it."
    )
    assert not good


def test_without_a_tolerable_error_nothing_is_said_of_it(settings, training):
    costs = settings.error_costs.model_copy(update={"tolerable": 0})
    settings = settings.model_copy(update={"error_costs": costs})
    found = TASK.tradeoff(settings, training)
    assert [picture.title for picture in TASK.pictures(settings, training, found)] == [
        "How often the plan is enough"
    ]


def test_amounts_are_called_as_project_yaml_says(settings, training):
    words = settings.words.model_copy(update={"units": "boxes", "rows": "orders", "users": "the store"})
    settings = settings.model_copy(update={"words": words})
    found = TASK.tradeoff(settings, training)
    assert found.present.label == "+0.25 boxes"
    assert TASK.does(settings, found).startswith("For each of the orders, ")
    assert "What the store should plan with is 0.25 boxes more than that" in TASK.does(settings, found)
    assert [column.name for column in found.columns] == [
        "of 100 orders, enough for",
        "boxes missing",
        "boxes left over",
    ]


@pytest.mark.parametrize(
    ("margin", "places", "text"),
    [(14.94, 1, "+14.9 min"), (-114.2, 0, "-114 min"), (-0.001, 2, "+0.00 min"), (1234.0, 0, "+1,234 min")],
)
def test_a_margin_is_written_with_its_sign(margin, places, text):
    assert tradeoff.signed(margin, places, "min") == text
