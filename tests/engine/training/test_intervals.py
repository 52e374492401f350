"""Intervals hold the truth as often as they promise, where rows belong together and the truth is known."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.coverage import share_covered, share_passed
from handrail.training.evaluation import compare
from handrail.training.intervals import (
    Groups,
    deviation,
    drawn_by,
    figures,
    format_gain,
    format_interval,
    groups_of,
    replicated,
    source_of,
    t_quantile,
)
from tests.engine.support.example import example

DAY = np.timedelta64(86_400, "s")
START = np.datetime64("2030-01-01", "s")


def test_subjects_belong_together_before_days_do():
    times = START + np.arange(6) * DAY
    found = groups_of(times, np.array(["b", "a", "b", "a", "c", "c"]), 6)
    assert (found.unit, found.count, found.numbers.tolist()) == ("subject", 3, [1, 0, 1, 0, 2, 2])


def test_without_subjects_the_rows_of_a_day_belong_together():
    found = groups_of(START + np.arange(8) * DAY / 4, None, 8)
    assert (found.unit, found.numbers.tolist()) == ("day", [0, 0, 0, 0, 1, 1, 1, 1])


def test_monthly_rows_belong_to_their_month():
    months = (np.datetime64("2030-01") + np.arange(12)).astype("datetime64[s]")
    found = groups_of(np.repeat(months, 3), None, 36)
    assert (found.unit, found.count) == ("month", 12)


def test_without_time_and_subject_each_row_stands_for_itself():
    assert groups_of(None, None, 3).facts == {"unit": "row", "count": 3}


def test_the_groups_of_some_rows_are_numbered_anew():
    found = groups_of(START + np.arange(8) * DAY / 2, None, 8).rows(np.arange(8) >= 4)
    assert (found.count, found.numbers.tolist()) == (2, [0, 0, 1, 1])


def test_whole_groups_are_drawn_the_same_each_time():
    groups = groups_of(START + np.arange(160) * DAY / 4, None, 160)
    draws = list(groups.weights(20))
    assert all((draw.reshape(40, 4) == draw.reshape(40, 4)[:, :1]).all() for draw in draws)
    assert {draw.sum() for draw in draws} == {160.0}
    assert len({tuple(draw) for draw in draws}) == 20
    again = groups.weights(20)
    assert all(np.array_equal(one, other) for one, other in zip(draws, again, strict=True))


def test_below_thirty_groups_each_is_left_out_once():
    draws = np.array(list(groups_of(START + np.arange(24) * DAY / 2, None, 24).weights()))
    assert draws.shape == (12, 24)
    assert (draws == 1 - np.repeat(np.eye(12), 2, axis=1)).all()


def test_the_interval_of_a_mean_of_few_groups_is_students():
    """Of groups of one size, the jackknife's is the t-interval of their means."""
    values = np.random.default_rng(3).normal(10, 2, 12)
    groups = groups_of(START + np.arange(36) * DAY / 3, None, 36)
    each = np.repeat(values, 3)
    found = figures(each.mean(), replicated(groups, lambda w: float(np.average(each, weights=w))), groups)
    wanted = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    assert (found["low"], found["high"]) == pytest.approx(wanted, abs=1e-3)


def test_below_ten_groups_there_is_no_interval():
    groups = groups_of(START + np.arange(9) * DAY, None, 9)
    found = figures(1.0, replicated(groups, lambda weight: float(weight.sum())), groups)
    assert np.isnan([found["low"], found["high"], deviation(np.array([]), groups)]).all()
    assert format_interval(found) == "no interval"
    assert drawn_by(groups.facts) == (
        "No interval can be given: the rows are of 9 days, and at least 10 are needed."
    )


def test_a_figure_that_one_group_decides_on_has_no_interval():
    """Without the only group that has a case there is no such figure at all."""
    case = np.array([1.0] + [0.0] * 14)
    groups = groups_of(START + np.arange(15) * DAY, None, 15)
    drawn = replicated(groups, lambda weight: float(weight @ case) or float("nan"))
    assert np.isnan(figures(1.0, drawn, groups)["low"])


@pytest.mark.parametrize("freedom", [9, 15, 29, 59, 1000])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.995])
def test_the_quantiles_of_t_are_those_of_scipy(freedom, confidence):
    wanted = stats.t.ppf(0.5 + confidence / 2, freedom)
    assert t_quantile(freedom, confidence) == pytest.approx(wanted, rel=3e-3)


def test_what_was_drawn_is_said():
    assert drawn_by({"unit": "day", "count": 62}) == "Intervals draw whole days anew, of which there are 62."
    assert drawn_by({"unit": "row", "count": 5000}) == "Intervals draw the rows anew."
    assert drawn_by(None) == "Intervals draw single rows anew."
    few = {"unit": "month", "count": 29}
    assert drawn_by(few) == "Intervals are of Student's t, each of 29 months left out once."
    assert "at least 10 are needed" in drawn_by(few | {"count": 9})


@pytest.mark.parametrize(
    ("unit", "count", "source"),
    [
        ("day", 62, "Cluster bootstrap: Field and Welsh, 2007."),
        ("row", 62, "Bootstrap: Efron, 1979."),
        ("month", 29, "Jackknife: Miller, 1974."),
        ("month", 9, ""),
    ],
)
def test_a_method_is_named_with_its_source(unit, count, source):
    assert source_of({"unit": unit, "count": count}) == source


def test_a_gain_below_nought_is_told_as_a_loss():
    assert format_gain({"value": 0.1, "low": -0.05, "high": 0.25}) == "better by 0.100 (-0.050 to 0.250)"
    assert format_gain({"value": -34.0, "low": -42.8, "high": -25.3}) == "worse by 34.000 (25.300 to 42.800)"
    assert format_gain({"value": -1.0, "low": np.nan, "high": np.nan}) == "worse by 1.000 (no interval)"


@pytest.mark.parametrize(("time", "unit"), [("2030-01-01", "month"), ("2030-01-02", "day")])
def test_rows_of_one_moment_are_of_a_month_where_it_begins_with_it(time, unit):
    found = groups_of(np.array([time] * 5, dtype="datetime64[s]"), None, 5)
    assert (found.unit, found.count) == (unit, 1)


def test_rows_that_belong_together_make_the_interval_wide():
    """Rows of a day are alike: days make it many times as wide as single rows would, and rightly so."""
    rng = np.random.default_rng(5)
    values = np.repeat(rng.normal(0, 1, 60), 50) + rng.normal(0, 0.1, 3000)
    days = Groups("day", np.repeat(np.arange(60), 50), 60)
    by = {
        groups.unit: deviation(
            replicated(groups, lambda weight: float(np.average(values, weights=weight))), groups
        )
        for groups in (days, groups_of(None, None, 3000))
    }
    assert by["day"] / by["row"] == pytest.approx(50**0.5, rel=0.15)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "low", "high"), [(12, 0.92, 0.98), (40, 0.92, 0.98)])
def test_the_truth_is_covered_as_often_as_promised(count, low, high):
    """The short form; with 300 draws chance alone is 0.013 (one standard deviation)."""
    assert low <= share_covered("roc_auc", count, draws=300, seed=1) <= high
    assert low <= share_covered("share", count, draws=300, seed=1) <= high


@pytest.mark.parametrize("count", [10, 60])
def test_the_gate_lets_a_useless_model_pass_at_most_one_time_in_twenty(count):
    assert share_passed(count, draws=150, seed=3) <= 0.05


def test_the_gate_lets_nothing_pass_where_too_few_groups_are_to_tell():
    assert share_passed(9, draws=20, seed=3) == 0


def test_where_every_draw_gives_the_same_no_interval_is_given():
    """All of 40 cases are found: that may be so of 92 in 100, which no draw of these rows shows."""
    project, rng = example("classification"), np.random.default_rng(1)
    target = (np.arange(4000) % 100 == 0).astype(np.float32)
    found = (target * 0.9 + rng.uniform(0, 0.6, 4000)).astype(np.float32).clip(0, 1)
    missed = np.where(np.cumsum(target) == 1, 0.0, found).astype(np.float32)
    decision, groups = {"threshold": 0.5}, groups_of(None, None, 4000)
    whole, less, gain = compare(project.metrics, target, found, missed, decision, groups)
    assert (whole["recall"]["value"], format_interval(whole["recall"])) == (1.0, "no interval")
    assert less["recall"]["low"] < less["recall"]["value"] == 0.975 < less["recall"]["high"]
    assert gain["roc_auc"]["low"] <= gain["roc_auc"]["value"] <= gain["roc_auc"]["high"]
    assert whole["precision"]["low"] < whole["precision"]["value"] < whole["precision"]["high"]
