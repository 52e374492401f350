"""The figures behind the pictures of a model that predicts amounts, from a small made-up training run."""

from dataclasses import replace

import numpy as np
import pytest

from handrail.tasks.amounts import charts, tradeoff
from tests.engine.support.example import example
from tests.engine.support.made_up_training import COSTS, made_up_training


@pytest.fixture(scope="module")
def training():
    return made_up_training(project=example("regression"))


@pytest.fixture(scope="module")
def two_series():
    """Return a training with two rows of each time."""
    made_up = made_up_training(project=example("forecasting"))
    times = np.datetime64("2030-01-01", "s") + np.arange(600).repeat(2) * np.timedelta64(3600, "s")
    return replace(made_up, test=replace(made_up.test, times=times))


def test_the_shares_within_an_error_count_every_row():
    target, prediction = np.float32([0, 0, 0, 0]), np.float32([0, -1, 2, 4])
    sizes, shares = charts.shares_within(target, prediction, 4.0)
    assert (sizes[0], shares[0], sizes[-1], shares[-1]) == (0, 0.25, 4, 1)
    assert shares[np.searchsorted(sizes, 2.0, side="right")] == 0.75


def test_the_bins_count_every_row_once(training):
    found = charts.bins(training.test.target, training.prediction, training.baseline)
    assert sum(each.rows for each in found) == len(training.test)
    assert len(found) == 10
    assert sum(each.rows * each.observed for each in found) == pytest.approx(training.test.target.sum())
    mae = training.info["evaluation"]["model"]["mae"]["value"]
    assert sum(each.rows * each.error for each in found) / len(training.test) == pytest.approx(mae, rel=1e-6)


def test_the_first_picture_of_a_regression_says_what_was_predicted_and_came(training):
    picture = charts.outcome_picture(training, "min")
    assert picture.svg.count("predicted, ") >= 10
    assert "predicted, min" in picture.svg


def test_the_latest_days_are_the_sums_of_all_series(two_series):
    series = charts.latest(two_series)
    assert len(series.times) == 7 * 24
    assert series.times[-1] == two_series.test.times[-1]
    assert series.came[-1] == two_series.test.target[-2:].sum()
    assert series.model[0] == pytest.approx(two_series.prediction[-2 * 7 * 24 :][:2].sum())
    assert series.simple == pytest.approx(0.6)


def test_the_first_picture_of_a_forecast_says_how_far_off_it_was(two_series):
    series = charts.latest(two_series)
    error = np.abs(series.model - series.came).mean()
    assert 0.1 < error < 1
    picture = charts.series_picture(two_series, "")
    assert f"2030-01-19 to 2030-01-25, all series together: off by {error:.2f} on average" in picture.caption
    assert picture.caption in picture.svg


def test_a_series_below_nought_is_drawn_whole(two_series):
    below = replace(two_series, test=replace(two_series.test, target=two_series.test.target - 5))
    picture = charts.series_picture(below, "min")
    assert charts.latest(below).came.min() == -10
    assert "\u22122" in picture.svg  # a tick below 0, with the minus of typesetters
    assert "\u2212" not in charts.series_picture(two_series, "min").svg


def test_the_error_picture_says_where_eight_in_ten_errors_lie(training):
    low, middle, high = np.quantile(training.prediction - training.test.target, [0.1, 0.5, 0.9])
    assert charts.error_picture(training, "min").caption == (
        f"Eight in ten errors of the model lie between {low:.2f} and {high:.2f}, half of all below "
        f"{middle:.2f}. Left of 0, too little was predicted."
    )


def test_the_tolerance_picture_says_how_many_errors_are_tolerable(training):
    evaluation = training.info["evaluation"]
    model, simple = (f"{evaluation[name]['within']['value']:.0%}" for name in ("model", "baseline"))
    assert charts.tolerance_picture(training, COSTS.tolerable, "min").caption == (
        f"Within 0.3 min: {model} of the model's predictions, {simple} of the simple technique's."
    )


def test_the_cost_picture_names_the_margin_that_was_best(training):
    target = training.test.target
    model, simple = (
        tradeoff.choices(target, each, COSTS) for each in (training.prediction, training.baseline)
    )
    chosen = tradeoff.choice(target, training.prediction, COSTS, 0.25)
    best = min(model, key=lambda each: each.cost)
    assert charts.cost_picture("EUR", model, simple, chosen, "min").caption == (
        f"The margin of +0.25 was chosen on other rows. On these, {best.margin:+.2f} would have cost "
        f"least: EUR {best.cost:,.0f}."
    )
