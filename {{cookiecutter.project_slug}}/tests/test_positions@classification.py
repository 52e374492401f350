"""What can be chosen of a model that warns: counted by hand; and costs at which no warning pays."""

from dataclasses import replace

import numpy as np
import pytest

from {{ cookiecutter.__package }}.model.decision import decide
from {{ cookiecutter.__package }}.report import company, plain, positions

from .made_up_training import made_up_settings, made_up_training


@pytest.fixture
def settings(tmp_path):
    return made_up_settings(tmp_path)


def dear(settings):
    """Return the settings with warnings so dear that none pays."""
    costs = settings.error_costs.model_copy(update={"too_low": 1, "too_high": 1000})
    return settings.model_copy(update={"error_costs": costs})


def test_a_row_costs_what_one_counts_by_hand(settings):
    target, prediction = np.float32([1, 1, 0, 0]), np.float32([0.9, 0.1, 0.9, 0.1])
    assert list(positions.row_costs(target, prediction, 0.5, settings.error_costs)) == [0, 10, 4, 0]


def test_counts_a_day_are_those_of_the_rows(settings):
    training = made_up_training()
    found = positions.tradeoff_of(settings, training)
    case, warned = training.test.target == 1, training.prediction >= np.float32(0.4)
    days = found.period.days
    expected = (warned.sum(), (case & warned).sum(), (case & ~warned).sum(), (~case & warned).sum())
    assert found.present.shown[:4] == pytest.approx(tuple(count / days for count in expected))
    assert found.present.shown[4:] == pytest.approx(
        (100 * expected[1] / case.sum(), 100 * expected[1] / warned.sum())
    )
    assert found.nothing[0].too_low == pytest.approx(case.sum() / days)


def test_where_no_warning_pays_the_page_says_so(settings):
    settings, known = dear(settings), made_up_training()
    unsure = np.full_like(known.prediction, 0.3)
    decision = decide(known.test.target, unsure, settings.error_costs)
    training = replace(made_up_training(decision=decision), prediction=unsure)
    found = positions.tradeoff_of(settings, training)
    assert found.present.shown[0] == 0
    said, good = company.verdict(settings, training.info["evaluation"], found)
    assert (said, good) == (
        "It is not worth using: at what errors cost, it is best to give no warnings at all.",
        False,
    )
    assert len(plain.pictures(settings, training, found)) == 1
    assert "it gives no warnings" in plain.compared(settings, training, found)


def test_warnings_that_cost_more_than_they_save_are_called_so(settings):
    training = made_up_training()
    found = positions.tradeoff_of(dear(settings), training)
    said, good = company.verdict(dear(settings), training.info["evaluation"], found)
    assert said == "It is not worth using: acting on its warnings costs more than giving none."
    assert not good


def test_without_a_case_nobody_can_tell_what_is_found(settings):
    training = made_up_training()
    training.test.target[:] = 0
    found = positions.tradeoff_of(settings, training)
    assert plain.compared(settings, training, found).startswith("There were no cases among those tested")
    assert [picture.title for picture in plain.pictures(settings, training, found)] == [
        "How many warnings are right"
    ]
