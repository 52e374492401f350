"""What can be chosen of a model that warns: counted by hand; and costs at which no warning pays."""

from dataclasses import replace

import numpy as np
import pytest

from handrail.reports.company import verdict
from handrail.reports.tradeoff import in_table
from handrail.tasks.classification import tradeoff
from tests.engine.support.example import example
from tests.engine.support.made_up_training import COSTS, made_up_settings, made_up_training

PROJECT = example("classification")
TASK = PROJECT.task


@pytest.fixture
def settings(tmp_path):
    return made_up_settings(tmp_path, PROJECT)


@pytest.fixture(scope="module")
def training():
    return made_up_training(project=PROJECT)


def dear(settings):
    """Return the settings with warnings so dear that none pays."""
    costs = settings.error_costs.model_copy(update={"too_low": 1, "too_high": 1000})
    return settings.model_copy(update={"error_costs": costs})


def test_a_threshold_is_worth_what_one_counts_by_hand():
    target = np.array([1, 0, 1, 0, 0, 0, 0, 0, 0, 1], dtype=np.float32)
    prediction = np.array([0.9, 0.8, 0.7, 0.6, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], dtype=np.float32)
    found = tradeoff.choice(target, prediction, COSTS, 0.7)
    assert (found.warnings, found.caught, found.false_alarms) == (300, 200, 100)
    assert found.caught_share == pytest.approx(2 / 3)
    assert found.alarms_per_100 == pytest.approx(100 / 3)
    assert found.payoff == pytest.approx(100 * (2 * 10 - 4))


def test_every_threshold_is_worth_what_training_reckons(training):
    target, prediction = training.test.target, training.prediction
    for each in tradeoff.choices(target, prediction, COSTS):
        decision = {"threshold": each.threshold}
        assert each.payoff == pytest.approx(1000 * TASK.payoff(target, prediction, decision, COSTS).mean())


def test_counts_a_day_are_those_of_the_rows(settings, training):
    found = TASK.tradeoff(settings, training)
    case, warned = training.test.target == 1, training.prediction >= np.float32(0.4)
    days = found.period.days
    expected = (warned.sum(), (case & warned).sum(), (case & ~warned).sum(), (~case & warned).sum())
    assert found.present.shown[:4] == pytest.approx(tuple(count / days for count in expected))
    assert found.present.shown[4:] == pytest.approx(
        (100 * expected[1] / case.sum(), 100 * expected[1] / warned.sum())
    )
    assert found.nothing[0].too_low == pytest.approx(case.sum() / days)


def test_where_no_warning_pays_the_page_says_so(settings, training):
    settings = dear(settings)
    unsure = np.full_like(training.prediction, 0.3)
    decision = TASK.decide(training.test.target, unsure, settings.error_costs)
    unknowing = replace(made_up_training(decision=decision, project=PROJECT), prediction=unsure)
    found = TASK.tradeoff(settings, unknowing)
    assert found.present.shown[0] == 0
    said, good = verdict(settings, unknowing.info["evaluation"], found)
    assert (said, good) == (
        "It is not worth using: at what errors cost, it is best to have no warnings at all.",
        False,
    )
    assert len(TASK.pictures(settings, unknowing, found)) == 1
    assert "it leads to no warnings" in TASK.compared(settings, unknowing, found)


def test_warnings_that_cost_more_than_they_save_are_called_so(settings, training):
    found = TASK.tradeoff(dear(settings), training)
    said, good = verdict(dear(settings), training.info["evaluation"], found)
    assert said == "It is not worth using: acting on what it says costs more than no warnings at all."
    assert not good


def test_without_a_case_nobody_can_tell_what_is_found(settings):
    training = made_up_training(project=PROJECT)
    training.test.target[:] = 0
    found = TASK.tradeoff(settings, training)
    assert TASK.compared(settings, training, found).startswith("There were no cases among those tested")
    assert [picture.title for picture in TASK.pictures(settings, training, found)] == [
        "How many warnings are right"
    ]


def test_of_many_thresholds_a_manageable_number_is_told_and_the_chosen_and_the_best_are_among_them(settings):
    rng, rows = np.random.default_rng(3), 6_000
    chance = (0.004 * rng.lognormal(-0.5, 1.0, rows)).clip(0, 0.9).astype(np.float32)
    target = (rng.random(rows) < chance).astype(np.float32)
    costs = settings.error_costs.model_copy(update={"too_low": 10_000, "too_high": 20})
    settings = settings.model_copy(update={"error_costs": costs})
    made_up = made_up_training(rows=rows, decision=TASK.decide(target, chance, costs), project=PROJECT)
    made_up.test.target[:] = target
    found = TASK.tradeoff(settings, replace(made_up, prediction=chance))
    assert len(np.unique(chance)) > 5_000
    assert 60 < len(found.model) <= 100
    assert found.present.value == made_up.info["evaluation"]["decision"]["threshold"]
    least = min(each.too_low * 10_000 + each.too_high * 20 for each in found.model)
    assert found.present.too_low * 10_000 + found.present.too_high * 20 == pytest.approx(least)
    listed = [found.model[place] for place in in_table(found, costs)]
    assert found.present in listed
    assert 6 <= len(listed) <= 14
    assert len({each.label for each in listed}) == len(listed)
    assert min(each.value for each in listed) < 0.005


def test_the_last_choice_is_that_nobody_is_warned():
    found = tradeoff.choices(np.float32([1, 0, 0]), np.float32([0.9, 0.2, 0.2]), COSTS)
    assert [(each.warnings, each.caught) for each in found] == [
        (1000, pytest.approx(1000 / 3)),
        (pytest.approx(1000 / 3), pytest.approx(1000 / 3)),
        (0, 0),
    ]
