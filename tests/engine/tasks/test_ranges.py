"""Ranges of amounts: right by hand, cut by the contract, and in them lies what was promised."""

import numpy as np
import pytest

from handrail.contract import Record, Role, column
from handrail.contract.schema import columns
from handrail.tasks import Classification, Regression
from handrail.tasks.amounts.ranges import coverage, radius, ranges, reaches
from handrail.tasks.metric import Metrics, of_baseline, with_baseline

TASK = Regression()
PLAN = {"margin": 1.0, "tolerable": 2.0}


class Sold(Record):
    """A target of which no fewer than none can be."""

    cakes: int = column(Role.TARGET, "Cakes sold", ge=0, le=100)
    change: float = column(Role.CONTEXT, "Without rules")


CAKES, FREE = columns(Sold)


def off_by(errors):
    """Return outcomes, and predictions that are off by `errors`."""
    target = np.arange(len(errors), dtype=np.float32)
    return target, (target + errors).astype(np.float32)


@pytest.mark.parametrize(
    ("rows", "level", "place"),
    [(9, 0.9, 9), (19, 0.9, 18), (20, 0.9, 19), (9, 0.7, 7), (99, 0.95, 95), (1, 0.5, 1)],
)
def test_a_range_reaches_to_the_error_that_the_finite_sample_asks_for(rows, level, place):
    sizes = np.random.default_rng(1).permutation(rows) + 1
    signs = np.where(np.arange(rows) % 2, 1, -1)
    assert radius(*off_by(sizes * signs), level) == place


def test_too_few_rows_give_no_range():
    assert radius(*off_by(np.ones(8)), 0.9) == np.inf
    target, prediction = off_by(np.ones(8))
    assert ranges(target, prediction, prediction, 0.9, CAKES) == {}
    assert TASK.acts(prediction, PLAN).keys() == {"planned"}


def test_model_and_baseline_have_a_range_each():
    target, prediction = off_by(np.ones(20))
    found = ranges(target, prediction, (prediction + 2).astype(np.float32), 0.9, CAKES)
    said = {"range_level": 0.9, "lowest": 0.0, "highest": 100.0}
    both = {"range": [1.0], "range_from": [], "baseline_range": [3.0], "baseline_range_from": []}
    assert found == both | said
    assert of_baseline(found) == found | {"range": [3.0]}
    assert ranges(target, prediction, None, 0.9, FREE) == {
        "range": [1.0],
        "range_from": [],
        "range_level": 0.9,
    }


def test_without_a_range_of_its_own_the_baseline_has_none():
    assert of_baseline({**PLAN, "range": [1.0], "range_from": []}) == PLAN
    assert of_baseline({"threshold": 0.3}) == {"threshold": 0.3}  # of before it had one of its own
    both = with_baseline({"margin": 2.0, "tolerable": 1.0}, {"margin": 5.5, "tolerable": 1.0})
    assert both == {"margin": 2.0, "tolerable": 1.0, "baseline_margin": 5.5}
    assert of_baseline(both)["margin"] == 5.5


def test_a_chance_has_no_range():
    target, prediction = off_by(np.ones(20))
    assert Classification().ranges(target, prediction, prediction, 0.9, CAKES) == {}


def test_an_answer_tells_the_ends_cut_where_the_contract_ends():
    decision = {**PLAN, "range": [3.25], "range_from": [], "lowest": 0.0, "highest": 10.0}
    prediction = np.float32([5, 1, 9.5, -4, 20])
    told = {name: values.tolist() for name, values in TASK.acts(prediction, decision).items()}
    assert told == {
        "planned": [6, 2, 10.5, -3, 21],
        "low": [1.75, 0, 6.25, -4, 10],  # and never above the prediction
        "high": [8.25, 4.25, 10, 0, 20],
    }
    assert TASK.act(np.float32(5), decision) == {"planned": 6.0, "low": 1.75, "high": 8.25}


def test_what_is_told_of_many_is_what_is_told_of_one():
    rng = np.random.default_rng(2)
    decision = {
        "margin": 7.13,
        "tolerable": 1,
        "range": [12.5, 38.70415],
        "range_from": [3.25],
        "lowest": -60.0,
        "threshold": 0.3,
    }
    amounts, chances = (each.astype(np.float32) for each in (rng.normal(5, 40, 300), rng.random(300)))
    for task, prediction in ((TASK, amounts), (Classification(), chances)):
        many = {name: values.tolist() for name, values in task.acts(prediction, decision).items()}
        one = [task.act(each, decision) for each in prediction]
        assert {name: [each[name] for each in one] for name in many} == many
        assert list(many) == [name for name in task.told if name in many]


def test_coverage_is_the_share_in_the_range():
    target, prediction = off_by(np.array([-3, -1, 0, 2, 4]))
    decision = {**PLAN, "range": [2.0], "range_from": []}
    assert Metrics(TASK, TASK.metrics).measure(target, prediction, decision)["coverage"] == pytest.approx(0.6)
    assert np.isnan(Metrics(TASK, TASK.metrics).measure(target, prediction, PLAN)["coverage"])


def test_coverage_counts_rows_by_their_own_range_and_none_that_had_none():
    target, prediction = (each.astype(np.float64) for each in off_by(np.array([-3, -1, 0, 2, 4])))
    weight = np.array([0.1, 0.2, 0.3, 0.2, 0.2])
    reach = np.array([3, 0.5, np.nan, 2, 1])
    found = coverage(target, prediction, weight, {"reach": reach})
    assert found == pytest.approx((0.1 + 0.2) / 0.7)
    assert np.isnan(coverage(target, prediction, weight, {"reach": np.full(5, np.nan)}))


def of_two_sizes(rows, seed=3):
    """Return outcomes of two sizes, and predictions of them; of the large they are ten times as far off."""
    rng = np.random.default_rng(seed)
    size = np.repeat([100.0, 1000.0], rows)
    prediction = (size + rng.uniform(-10, 10, 2 * rows)).astype(np.float32)
    errors = rng.uniform(-1, 1, 2 * rows) * size / 10
    return (prediction + errors).astype(np.float32), prediction


def test_predictions_of_each_size_have_a_range_of_their_own():
    target, prediction = of_two_sizes(400)
    found = ranges(target, prediction, None, 0.9, FREE)
    begins, reach = found["range_from"], found["range"]
    assert len(reach) == len(begins) + 1 == 4
    for number, (low, high) in enumerate(zip([-np.inf, *begins], [*begins, np.inf], strict=True)):
        rows = (prediction >= low) & (prediction < high)
        assert rows.sum() == 200
        assert reach[number] == radius(target[rows], prediction[rows], 0.9)
    asked = np.array([-5.0, begins[0] - 0.01, begins[0], begins[2], 2000.0])
    assert reaches(asked, found).tolist() == [reach[0], reach[0], reach[1], reach[3], reach[3]]
    told = TASK.acts(np.float32([100, 1000]), {**PLAN, **found})
    width = told["high"] - told["low"]
    assert 16 < width[0] < 20
    assert 160 < width[1] < 200


def test_later_outcomes_of_each_size_lie_in_their_ranges():
    """The truth is known: one range for all would hold every small one, and four of five large ones."""
    decision = ranges(*of_two_sizes(6000), None, 0.9, FREE)
    target, prediction = (each.astype(np.float64) for each in of_two_sizes(20_000, seed=4))
    small, weight = np.arange(len(target)) < 20_000, np.full(20_000, 1 / 20_000)
    for rows in (small, ~small):
        assert coverage(target[rows], prediction[rows], weight, decision) == pytest.approx(0.9, abs=0.02)
    one = np.abs(target - prediction) <= radius(*of_two_sizes(6000), 0.9)
    assert one[small].mean() == 1
    assert one[~small].mean() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(
    ("rows", "level", "sizes"), [(399, 0.9, 1), (400, 0.9, 2), (5000, 0.9, 10), (5000, 0.99, 5)]
)
def test_a_range_is_learnt_of_rows_enough(rows, level, sizes):
    target, prediction = off_by(np.random.default_rng(1).normal(0, 1, rows))
    assert len(ranges(target, prediction, None, level, FREE)["range"]) == sizes


def test_predictions_that_are_alike_are_of_one_size():
    target = np.arange(2000, dtype=np.float32)
    found = ranges(target, np.repeat(np.float32([0, 5]), [1900, 100]), None, 0.9, FREE)
    assert found["range_from"] == []
    found = ranges(target, np.repeat(np.float32([0, 5]), [1500, 500]), None, 0.9, FREE)
    assert found["range_from"] == [5.0]


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("shape", ["symmetric", "skewed", "heavy-tailed", "whole numbers", "wrong model"])
def test_of_many_worlds_the_ranges_cover_what_they_promise(shape, level):
    """The truth is known: of 400 worlds with 100 rows to learn a range of, 200 later rows each."""
    rng = np.random.default_rng(5)
    truth = rng.uniform(0, 50, (400, 300))
    errors = {
        "symmetric": rng.normal(0, 5, truth.shape),
        "skewed": rng.gamma(0.5, 20, truth.shape),
        "heavy-tailed": rng.standard_t(1.5, truth.shape),
        "whole numbers": rng.poisson(30, truth.shape) - 30.0,
        "wrong model": 0.4 * truth - 30 + rng.normal(0, 3, truth.shape),
    }[shape]
    target, prediction = truth.astype(np.float32), (truth + errors).astype(np.float32)
    covered = [
        (np.abs(after - value) <= radius(now[:100], guessed[:100], level)).mean()
        for now, guessed, value, after in zip(
            target, prediction, target[:, 100:], prediction[:, 100:], strict=True
        )
    ]
    if shape == "whole numbers":  # errors that are alike cover more, never less
        assert np.mean(covered) > level - 0.02
    else:
        assert np.mean(covered) == pytest.approx(level, abs=0.02)
