"""The report on probabilities: its figures and sentences, from a small made-up training run."""

import numpy as np
import pytest

from {{ cookiecutter.__package }}.model.decision import payoff_per_row
from {{ cookiecutter.__package }}.report import figures, story

from .made_up_training import COSTS, made_up_settings, made_up_training


@pytest.fixture(scope="module")
def training():
    return made_up_training()


def test_a_threshold_is_worth_what_one_counts_by_hand():
    target = np.array([1, 0, 1, 0, 0, 0, 0, 0, 0, 1], dtype=np.float32)
    prediction = np.array([0.9, 0.8, 0.7, 0.6, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], dtype=np.float32)
    found = figures.choice(target, prediction, COSTS, 0.7)
    assert (found.warnings, found.caught, found.false_alarms) == (300, 200, 100)
    assert found.caught_share == pytest.approx(2 / 3)
    assert found.alarms_per_100 == pytest.approx(100 / 3)
    assert found.payoff == pytest.approx(100 * (2 * 10 - 4))
    gains = [10, -4, 10, 0, 0, 0, 0, 0, 0, 0]
    assert found.margin == pytest.approx(1000 * 1.96 * np.std(gains) / 10**0.5)


def test_every_threshold_is_worth_what_training_reckons(training):
    target, prediction = training.test.target, training.prediction
    for each in figures.choices(target, prediction, COSTS):
        expected = 1000 * payoff_per_row(target, prediction, each.threshold, COSTS)
        assert each.payoff == pytest.approx(expected)


def test_the_roc_curve_has_the_area_that_the_metric_says(training):
    x, y = figures.roc_curve(training.test.target, training.prediction)
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(y, x) == pytest.approx(
        training.info["evaluation"]["model"]["roc_auc"]["value"], abs=0.003
    )


def test_calibration_counts_every_row_once(training):
    bins = figures.calibration(training.test.target, training.prediction)
    assert sum(each.rows for each in bins) == 1200
    assert len(bins) == 10
    assert all(each.low <= each.observed <= each.high for each in bins)
    assert sum(each.rows * each.observed for each in bins) == pytest.approx(training.test.target.sum())


def test_equal_probabilities_fall_into_one_bin():
    (only,) = figures.calibration(
        np.tile(np.array([0, 1], dtype=np.float32), 100), np.full(200, 0.3, dtype=np.float32)
    )
    assert (only.rows, only.observed) == (200, 0.5)


def test_the_story_says_what_the_threshold_brings(training, tmp_path):
    told = story.tell(made_up_settings(tmp_path), training, "calls", "2030-01")
    caught = training.info["evaluation"]["model"]["recall"]["value"]
    assert (f"{caught:.0%}", "of the cases are caught") in told.tiles
    assert "warns from 40% on" in told.opening
    assert told.choices.rows[told.choices.picked][0] == "40%"


def test_probabilities_that_are_too_low_are_called_so():
    share = {"value": 0.3, "low": 0.29, "high": 0.31}
    model = {"observed_share": share, "mean_prediction": {"value": 0.2}}
    assert story.bias(model) == "its probabilities are too low on average (20.0% predicted, 30.0% observed)"
