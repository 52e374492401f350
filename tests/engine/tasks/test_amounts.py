"""Metrics and margin of amounts: right by hand, equal to scikit-learn's, the same over counts."""

import duckdb
import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, r2_score, root_mean_squared_error

from handrail.config.sections import ErrorCosts
from handrail.tasks import Forecasting, Regression
from handrail.tasks.amounts.metrics import Amounts
from handrail.tasks.metric import Metrics
from handrail.training.intervals import groups_of, resampled

TASK = Regression()
METRICS = Metrics(TASK, TASK.metrics)
PLAN = {"margin": 1.0, "tolerable": 2.0, "range": [5.0], "range_from": []}
COSTS = ErrorCosts(currency="EUR", too_low=3, too_high=1, tolerable=2)


def made_up(rows=3000):
    """Return outcomes and predictions that know something of them."""
    rng = np.random.default_rng(1)
    target = rng.gamma(2, 5, rows).astype(np.float32)
    return target, (0.5 * target + rng.normal(4, 3, rows)).astype(np.float32)


def of_scikit_learn(target, prediction, weight=None):
    """Return scikit-learn's figures of the same rows, and those that it has no function for."""
    y, p, known = target.astype(float), prediction.astype(float), {"sample_weight": weight}
    return {
        "mae": mean_absolute_error(y, p, **known),
        "rmse": root_mean_squared_error(y, p, **known),
        "r2": r2_score(y, p, **known),
        "wape": mean_absolute_error(y, p, **known) / np.average(np.abs(y), weights=weight),
        "within": np.average(np.abs(p - y) <= 2, weights=weight),
        "covered": np.average(p + 1 >= y, weights=weight),
        "coverage": np.average(np.abs(p - y) <= 5, weights=weight),
        "mean_error": np.average(p - y, weights=weight),
        "mean_outcome": np.average(y, weights=weight),
        "mean_prediction": np.average(p, weights=weight),
    }


def test_metrics_equal_those_of_scikit_learn():
    target, prediction = made_up()
    found = METRICS.measure(target, prediction, PLAN)
    assert found == pytest.approx(of_scikit_learn(target, prediction), rel=1e-9)
    assert found["mae"] == pytest.approx(
        mean_absolute_error(target.astype(float), prediction.astype(float)), rel=1e-12
    )


def test_weighted_metrics_equal_those_of_scikit_learn():
    target, prediction = made_up()
    weight = np.random.default_rng(2).gamma(1, 1, len(target))
    found = METRICS.measure_rows(METRICS.outcomes(target, prediction), PLAN, weight)
    assert found == pytest.approx(of_scikit_learn(target, prediction, weight), rel=1e-9)


def test_metrics_are_those_that_one_counts_by_hand():
    target, prediction = np.float32([0, 10, 20, -10]), np.float32([1, 7, 20, -8])
    found = METRICS.measure(target, prediction, PLAN)
    assert (found["mae"], found["mean_error"], found["mean_outcome"]) == (1.5, 0, 5)
    assert (found["within"], found["covered"], found["wape"]) == (0.75, 0.75, 6 / 40)


def test_a_weight_counts_a_row_so_many_times():
    (target, prediction), counts = made_up(4), np.array([2, 1, 3, 0])
    weighted = METRICS.measure_rows(METRICS.outcomes(target, prediction), PLAN, counts.astype(float))
    repeated = METRICS.measure(target.repeat(counts), prediction.repeat(counts), PLAN)
    assert weighted == pytest.approx(repeated)


def test_the_weights_that_a_metric_is_given_sum_to_one():
    (target, prediction), counts = made_up(4), np.array([2.0, 1.0, 3.0, 0.0])
    outcomes = Amounts.of_rows(target, prediction)
    assert [outcomes.weighted(each)[2].tolist() for each in (None, counts)] == [
        [0.25] * 4,
        pytest.approx([2 / 6, 1 / 6, 3 / 6, 0]),
    ]


def test_resamples_are_those_of_the_rows_drawn():
    target, prediction = made_up(40)
    drawn = resampled(METRICS, METRICS.outcomes(target, prediction), groups_of(None, None, 40), PLAN, 20)
    rng = np.random.default_rng(0)
    for number in range(20):
        rows = rng.integers(0, 40, 40)
        by_hand = METRICS.measure(target[rows], prediction[rows], PLAN)
        assert {name: values[number] for name, values in drawn.items()} == pytest.approx(by_hand, rel=1e-9)


def test_metrics_that_the_rows_cannot_show_are_nan():
    found = METRICS.measure(np.float32([0, 0]), np.float32([1, 2]), PLAN)
    assert np.isnan([found["r2"], found["wape"]]).all()
    assert found["mae"] == 1.5
    none = METRICS.measure_rows(Amounts.of_counts([], [], []), PLAN)
    assert np.isnan(list(none.values())).all()


def test_counts_that_the_engine_groups_give_the_figures_of_the_rows():
    rng, task = np.random.default_rng(4), Forecasting()
    target = rng.poisson(8, 2000).astype(np.float32)
    prediction = rng.poisson(8, 2000).astype(np.float32)
    with duckdb.connect() as connection:
        connection.register("rows", {"p": prediction, "y": target.astype(np.int32)})
        connection.execute("CREATE TABLE seen AS SELECT * FROM rows UNION ALL SELECT 9, NULL")
        grouped = connection.execute(task.grouped_query("seen", "p", "y")).fetchnumpy()
    assert len(grouped["n"]) < 500
    assert grouped["n"].sum() == 2000
    found = METRICS.measure_rows(task.grouped_outcomes(grouped), PLAN)
    assert found == pytest.approx(METRICS.measure(target, prediction, PLAN), rel=1e-12)


def test_the_margin_is_the_one_that_costs_least():
    target, prediction = made_up()
    margin = TASK.decide(target, prediction, COSTS)["margin"]
    costs = [-TASK.payoff(target, prediction, {"margin": margin + step}, COSTS).mean() for step in (-1, 0, 1)]
    assert min(costs) == costs[1]
    pinball = mean_pinball_loss(target.astype(float), prediction.astype(float) + margin, alpha=0.75)
    assert costs[1] == pytest.approx(4 * pinball, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e6])
def test_the_margin_is_exact_for_amounts_of_any_size(scale):
    rng = np.random.default_rng(2)
    prediction = (rng.random(301) * scale).astype(np.float32)
    target = (prediction + rng.normal(size=301) * 0.3 * scale).astype(np.float32)
    missing = target.astype(np.float64) - prediction
    decided = TASK.decide(target, prediction, COSTS)["margin"]
    costs = {each: -TASK.payoff(target, prediction, {"margin": each}, COSTS).mean() for each in missing}
    assert decided in costs
    assert costs[decided] == pytest.approx(min(costs.values()), rel=1e-12)


def test_a_row_costs_what_one_counts_by_hand():
    target, prediction = np.float32([10, 10, 10]), np.float32([4, 8, 12])
    costs = ErrorCosts(currency="EUR", too_low=10, too_high=4)
    assert list(TASK.payoff(target, prediction, {"margin": 2.0}, costs)) == [-40, 0, -16]


def test_an_answer_tells_what_to_plan_with():
    assert TASK.act(np.float32(2.5), PLAN) == {"planned": 3.5, "low": -2.5, "high": 7.5}
