"""Metrics and margin of amounts: right by hand, and equal to scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, r2_score, root_mean_squared_error

from {{ cookiecutter.__package }} import sections
from {{ cookiecutter.__package }}.model import decision, metrics

PLAN = {"margin": 1.0, "tolerable": 2.0}
COSTS = sections.ErrorCosts(currency="EUR", too_low=3, too_high=1, tolerable=2)


def made_up(rows=3000):
    """Return outcomes and predictions that know something of them."""
    rng = np.random.default_rng(1)
    target = rng.gamma(2, 5, rows).astype(np.float32)
    return target, (0.5 * target + rng.normal(4, 3, rows)).astype(np.float32)


def test_metrics_equal_those_of_scikit_learn():
    target, prediction = made_up()
    found = metrics.measure(metrics.rows_of(target, prediction), PLAN)
    y, p = target.astype(float), prediction.astype(float)
    assert found["mae"] == pytest.approx(mean_absolute_error(y, p), rel=1e-12)
    assert found["rmse"] == pytest.approx(root_mean_squared_error(y, p), rel=1e-12)
    assert found["r2"] == pytest.approx(r2_score(y, p), rel=1e-9)
    assert found["wape"] == pytest.approx(np.abs(p - y).sum() / y.sum(), rel=1e-12)


def test_metrics_are_those_that_one_counts_by_hand():
    target, prediction = np.float32([0, 10, 20, -10]), np.float32([1, 7, 20, -8])
    found = metrics.measure(metrics.rows_of(target, prediction), PLAN)
    assert (found["mae"], found["mean_error"], found["mean_outcome"]) == (1.5, 0, 5)
    assert (found["within"], found["covered"], found["wape"]) == (0.75, 0.75, 6 / 40)


def test_a_weight_counts_a_row_so_many_times():
    (target, prediction), counts = made_up(4), np.array([2, 1, 3, 0])
    weighted = metrics.measure(metrics.rows_of(target, prediction), PLAN, counts.astype(float))
    repeated = metrics.measure(metrics.rows_of(target.repeat(counts), prediction.repeat(counts)), PLAN)
    assert weighted == pytest.approx(repeated)


def test_metrics_that_the_rows_cannot_show_are_nan():
    found = metrics.measure(metrics.rows_of(np.float32([0, 0]), np.float32([1, 2])), PLAN)
    assert np.isnan([found["r2"], found["wape"]]).all()
    assert found["mae"] == 1.5


def test_the_margin_is_the_one_that_costs_least():
    target, prediction = made_up()
    margin = decision.decide(target, prediction, COSTS)["margin"]
    costs = [decision.cost_per_row(target, prediction, margin + step, COSTS) for step in (-1, 0, 1)]
    assert min(costs) == costs[1]
    pinball = mean_pinball_loss(target.astype(float), prediction.astype(float) + margin, alpha=0.75)
    assert costs[1] == pytest.approx(4 * pinball, rel=1e-6)


def test_an_answer_tells_what_to_plan_with():
    assert decision.act(np.float32(2.5), PLAN) == {"planned": 3.5}
