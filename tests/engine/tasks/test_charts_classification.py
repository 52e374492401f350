"""The figures behind the pictures of a model that warns, from a small made-up training run."""

import numpy as np
import pytest

from handrail.tasks.classification import charts, tradeoff
from tests.engine.support.example import example
from tests.engine.support.made_up_training import COSTS, made_up_training

OUTSIDE = [(0, 51), (0, 99), (1, 55), (1, 97)]  # the interval's end misses the share by the last digit


@pytest.fixture(scope="module")
def training():
    return made_up_training(project=example("classification"))


@pytest.fixture(scope="module")
def chosen(training):
    return tradeoff.choice(training.test.target, training.prediction, COSTS, 0.4)


def test_the_roc_curve_has_the_area_that_the_metric_says(training):
    x, y = charts.roc_curve(training.test.target, training.prediction)
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    area = training.info["evaluation"]["model"]["roc_auc"]["value"]
    assert np.trapezoid(y, x) == pytest.approx(area, abs=0.003)


def test_calibration_counts_every_row_once(training):
    bins = charts.calibration(training.test.target, training.prediction)
    assert sum(each.rows for each in bins) == 1200
    assert len(bins) == 10
    assert all(each.low <= each.observed <= each.high for each in bins)
    assert sum(each.rows * each.observed for each in bins) == pytest.approx(training.test.target.sum())


def test_equal_probabilities_fall_into_one_bin():
    (only,) = charts.calibration(
        np.tile(np.array([0, 1], dtype=np.float32), 100), np.full(200, 0.3, dtype=np.float32)
    )
    assert (only.rows, only.observed) == (200, 0.5)


def test_the_interval_of_a_bin_is_wilsons():
    (only,) = charts.calibration(np.repeat(np.float32([1, 0]), [3, 7]), np.full(10, 0.3, np.float32))
    assert (only.low, only.high) == pytest.approx((0.1078, 0.6032), abs=1e-4)


@pytest.mark.parametrize(("outcome", "rows"), OUTSIDE)
def test_a_bin_whose_rows_all_had_one_outcome_is_drawn(outcome, rows):
    made_up = made_up_training(rows=rows, project=example("classification"))
    made_up.test.target[:] = outcome
    (only,) = charts.calibration(made_up.test.target, made_up.prediction)
    assert not only.low <= only.observed <= only.high
    assert f" {outcome:.0%} observed" in charts.calibration_picture(made_up).svg


def test_the_roc_picture_says_both_areas(training, chosen):
    evaluation = training.info["evaluation"]
    model, simple = (f"{evaluation[name]['roc_auc']['value']:.3f}" for name in ("model", "baseline"))
    drawn = charts.roc_picture(training, chosen).svg
    assert f"Area under the model's: {model}, under the simple technique's: {simple}." in drawn.replace(
        "&#x27;", "'"
    )


def test_where_all_rows_are_cases_the_curves_are_drawn_all_the_same(training):
    made_up = made_up_training(project=example("classification"))
    made_up.test.target[:] = 1
    chosen = tradeoff.choice(made_up.test.target, made_up.prediction, COSTS, 0.4)
    assert "Area under the model&#x27;s: -, under" in charts.roc_picture(made_up, chosen).svg


def test_the_payoff_picture_names_the_threshold_that_was_best(training, chosen):
    target, costs = training.test.target, COSTS
    model, simple = (
        tradeoff.choices(target, each, costs) for each in (training.prediction, training.baseline)
    )
    best = max(model, key=lambda each: each.payoff)
    picture = charts.payoff_picture("EUR", model, simple, chosen)
    assert picture.caption == (
        f"The threshold of 40% was chosen on other rows. On these, {100 * best.threshold:.1f}% would have "
        f"been worth most: EUR {best.payoff:,.0f}."
    )
