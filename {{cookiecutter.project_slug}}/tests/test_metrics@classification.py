"""Metrics and threshold of probabilities: right by hand, and equal to scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from {{ cookiecutter.__package }} import sections
from {{ cookiecutter.__package }}.model import decision, metrics

CUT = {"threshold": 0.5}


@pytest.mark.parametrize("decimals", [1, 7], ids=["many ties", "no ties"])
def test_metrics_equal_those_of_scikit_learn(decimals):
    rng = np.random.default_rng(1)
    target = rng.integers(0, 2, 3000).astype(np.float32)
    prediction = np.clip(0.3 * target + rng.random(3000) * 0.7, 0, 1).round(decimals).astype(np.float32)
    found = metrics.measure(metrics.rows_of(target, prediction), CUT)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(target, prediction), abs=1e-12)
    assert found["average_precision"] == pytest.approx(average_precision_score(target, prediction), abs=1e-12)
    assert found["brier"] == pytest.approx(brier_score_loss(target, prediction.astype(float)), abs=1e-9)
    flagged = prediction >= np.float32(0.5)
    assert found["precision"] == pytest.approx(target[flagged].mean())
    assert found["recall"] == pytest.approx(flagged[target == 1].mean())


def test_a_weight_counts_a_row_so_many_times():
    target, prediction = np.float32([1, 0, 1, 0]), np.float32([0.9, 0.8, 0.4, 0.4])
    counts = np.array([2, 1, 3, 0])
    weighted = metrics.measure(metrics.rows_of(target, prediction), CUT, counts.astype(float))
    repeated = metrics.measure(metrics.rows_of(target.repeat(counts), prediction.repeat(counts)), CUT)
    assert weighted == pytest.approx(repeated)


def test_metrics_that_the_rows_cannot_show_are_nan():
    found = metrics.measure(metrics.rows_of(np.float32([0, 0]), np.float32([0.1, 0.2])), CUT)
    assert np.isnan([found["roc_auc"], found["precision"], found["recall"]]).all()
    assert found["observed_share"] == 0


def test_the_threshold_is_the_one_that_pays_most():
    target, prediction = np.float32([1, 1, 0, 0]), np.float32([0.9, 0.6, 0.5, 0.1])
    equal = sections.ErrorCosts(currency="EUR", too_low=1, too_high=1)
    assert decision.decide(target, prediction, equal) == {"threshold": 0.51}
    dear = sections.ErrorCosts(currency="EUR", too_low=100, too_high=10)
    assert decision.payoff_per_row(target, prediction, 0.55, dear) == 50


def test_a_prediction_at_the_threshold_is_a_warning():
    told = [decision.act(np.float32(value), {"threshold": 0.3}) for value in (0.3, 0.29)]
    assert told == [{"flagged": True}, {"flagged": False}]
