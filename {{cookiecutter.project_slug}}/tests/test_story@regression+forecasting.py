"""The report on amounts: its figures and sentences, from a small made-up training run."""

import numpy as np
import pytest

from {{ cookiecutter.__package }}.model.decision import cost_per_row
from {{ cookiecutter.__package }}.report import figures, story

from .made_up_training import COSTS, made_up_settings, made_up_training


@pytest.fixture(scope="module")
def training():
    return made_up_training()


def test_a_margin_costs_what_one_counts_by_hand():
    target, prediction = np.float32([0, 10, 20, 30]), np.float32([2, 8, 20, 20])
    found = figures.choice(target, prediction, COSTS, 3.0)
    assert (found.enough, found.short, found.spare) == (0.75, 7 / 4, (5 + 1 + 3) / 4)
    assert found.cost == 1000 * (7 * 10 + 9 * 4) / 4
    assert found.interval == pytest.approx(1000 * 1.96 * np.std([20, 4, 12, 70]) / 2)


def test_every_margin_costs_what_training_reckons(training):
    target, prediction = training.test.target, training.prediction
    for each in figures.choices(target, prediction, COSTS):
        expected = 1000 * cost_per_row(target, prediction, each.margin, COSTS)
        assert each.cost == pytest.approx(expected)


def test_the_error_budget_counts_every_row():
    target, prediction = np.float32([0, 0, 0, 0]), np.float32([0, -1, 2, 4])
    sizes, shares = figures.budget(target, prediction, 4.0)
    assert (sizes[0], shares[0], sizes[-1], shares[-1]) == (0, 0.25, 4, 1)
    assert shares[np.searchsorted(sizes, 2.0, side="right")] == 0.75


def test_the_bins_count_every_row_once(training):
    found = figures.bins(training.test.target, training.prediction, training.baseline)
    assert sum(each.rows for each in found) == len(training.test)
    assert len(found) == 10
    assert sum(each.rows * each.observed for each in found) == pytest.approx(training.test.target.sum())
    mae = training.info["evaluation"]["model"]["mae"]["value"]
    assert sum(each.rows * each.error for each in found) / len(training.test) == pytest.approx(mae, rel=1e-6)


def test_the_story_says_what_the_margin_brings(training, tmp_path):
    told = story.tell(made_up_settings(tmp_path), training, "calls", "2030-01")
    model = training.info["evaluation"]["model"]
    assert any(tile[0] == f"{model['covered']['value']:.0%}" for tile in told.tiles)
    assert "Planned with +0.2 on top" in told.sentences[1]
    assert told.choices.rows[told.choices.picked][0] == "+0.2"


def test_predictions_that_are_too_low_are_called_so():
    means = {"mean_outcome": {"value": 3.0}, "mean_prediction": {"value": 2.0}}
    model = means | {"mean_error": {"value": -1.0, "low": -1.2, "high": -0.8}}
    assert story.bias(model) == "its predictions are too low on average (2.00 predicted, 3.00 came)"
