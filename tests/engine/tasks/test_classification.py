"""Metrics and threshold of probabilities: right by hand, equal to scikit-learn's, the same over counts."""

import duckdb
import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

from handrail.config.sections import ErrorCosts
from handrail.tasks import Classification
from handrail.tasks.classification.decision import shown_threshold
from handrail.tasks.classification.metrics import Cases
from handrail.tasks.metric import Metrics
from handrail.training.intervals import groups_of, resampled

TASK = Classification()
METRICS = Metrics(TASK, TASK.metrics)
CUT = {"threshold": 0.5}
NOTHING = ("roc_auc", "average_precision", "brier", "precision", "recall", "flagged_share", "mean_prediction")


def made_up(decimals, rows=3000):
    """Return outcomes and probabilities that know something of them; the fewer decimals, the more ties."""
    rng = np.random.default_rng(1)
    target = rng.integers(0, 2, rows).astype(np.float32)
    return target, np.clip(0.3 * target + rng.random(rows) * 0.7, 0, 1).round(decimals).astype(np.float32)


def of_scikit_learn(target, prediction, weight=None):
    """Return scikit-learn's figures of the same rows."""
    flagged, known = prediction >= np.float32(0.5), {"sample_weight": weight}
    return {
        "roc_auc": roc_auc_score(target, prediction, **known),
        "average_precision": average_precision_score(target, prediction, **known),
        "brier": brier_score_loss(target, prediction.astype(float), **known),
        "precision": precision_score(target, flagged, **known),
        "recall": recall_score(target, flagged, **known),
        "flagged_share": np.average(flagged, weights=weight),
        "observed_share": np.average(target, weights=weight),
        "mean_prediction": np.average(prediction.astype(float), weights=weight),
    }


@pytest.mark.parametrize("decimals", [1, 7], ids=["many ties", "no ties"])
def test_metrics_equal_those_of_scikit_learn(decimals):
    target, prediction = made_up(decimals)
    found = METRICS.measure(target, prediction, CUT)
    assert found == pytest.approx(of_scikit_learn(target, prediction), abs=1e-9)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(target, prediction), abs=1e-12)


@pytest.mark.parametrize("decimals", [1, 7], ids=["many ties", "no ties"])
def test_weighted_metrics_equal_those_of_scikit_learn(decimals):
    target, prediction = made_up(decimals)
    weight = np.random.default_rng(2).gamma(1, 1, len(target))
    found = METRICS.measure_rows(METRICS.outcomes(target, prediction), CUT, weight)
    assert found == pytest.approx(of_scikit_learn(target, prediction, weight), abs=1e-9)


def test_a_weight_counts_a_row_so_many_times():
    target, prediction = np.float32([1, 0, 1, 0]), np.float32([0.9, 0.8, 0.4, 0.4])
    counts = np.array([2, 1, 3, 0])
    weighted = METRICS.measure_rows(METRICS.outcomes(target, prediction), CUT, counts.astype(float))
    repeated = METRICS.measure(target.repeat(counts), prediction.repeat(counts), CUT)
    assert weighted == pytest.approx(repeated)


def test_rows_that_tie_have_no_order():
    target, prediction = made_up(1)
    turned = np.random.default_rng(3).permutation(len(target))
    first, second = (METRICS.measure(target[o], prediction[o], CUT) for o in (slice(None), turned))
    assert first == pytest.approx(second, rel=1e-12)


def test_a_prediction_that_no_row_was_drawn_of_is_left_out():
    cases = Cases.of_rows(np.float32([1, 0, 1, 0]), np.float32([0.9, 0.7, 0.7, 0.1]))
    (counts,) = cases.weighted(np.array([0.0, 1.0, 1.0, 2.0]))
    assert [each.tolist() for each in (counts.cases, counts.rows)] == [[1, 0], [2, 2]]
    assert counts.prediction == pytest.approx([0.7, 0.1])
    (whole,) = cases.weighted()
    assert (whole.rows.tolist(), whole.hits.tolist(), whole.alarms.tolist()) == (
        [1, 2, 1],
        [1, 2, 2],
        [0, 1, 2],
    )


def test_resamples_with_empty_groups_are_those_of_the_rows_drawn():
    target, prediction = made_up(7, rows=40)
    drawn = resampled(METRICS, METRICS.outcomes(target, prediction), groups_of(None, None, 40), CUT, 20)
    rng = np.random.default_rng(0)
    for number in range(20):
        rows = rng.integers(0, 40, 40)
        by_hand = METRICS.measure(target[rows], prediction[rows], CUT)
        assert {name: values[number] for name, values in drawn.items()} == pytest.approx(
            by_hand, nan_ok=True, rel=1e-9
        )


def test_metrics_that_the_rows_cannot_show_are_nan():
    found = METRICS.measure(np.float32([0, 0]), np.float32([0.1, 0.2]), CUT)
    assert np.isnan([found["roc_auc"], found["precision"], found["recall"]]).all()
    assert found["observed_share"] == 0
    none = METRICS.measure_rows(Cases.of_counts([], [], []), CUT)
    assert np.isnan([none[name] for name in NOTHING]).all()


@pytest.mark.parametrize("decimals", [1, 7], ids=["many ties", "no ties"])
def test_counts_that_the_engine_groups_give_the_figures_of_the_rows(decimals):
    target, prediction = made_up(decimals)
    with duckdb.connect() as connection:
        connection.register("rows", {"p": prediction, "y": target.astype(np.int32)})
        connection.execute("CREATE TABLE seen AS SELECT * FROM rows UNION ALL SELECT 0.9, NULL")
        grouped = connection.execute(TASK.grouped_query("seen", "p", "y")).fetchnumpy()
    assert len(grouped["prediction"]) == len(np.unique(prediction))
    found = METRICS.measure_rows(TASK.grouped_outcomes(grouped), CUT)
    assert found == pytest.approx(METRICS.measure(target, prediction, CUT), rel=1e-12)


def test_counts_cannot_be_drawn_anew():
    with pytest.raises(ValueError, match="they can't be weighted"):
        Cases.of_counts([0.5], [1], [2]).weighted(np.ones(1))


def test_the_threshold_is_the_one_that_pays_most():
    target, prediction = np.float32([1, 1, 0, 0]), np.float32([0.9, 0.6, 0.5, 0.1])
    equal = ErrorCosts(currency="EUR", too_low=1, too_high=1)
    assert TASK.decide(target, prediction, equal) == {"threshold": 0.6}
    dear = ErrorCosts(currency="EUR", too_low=100, too_high=10)
    assert TASK.payoff(target, prediction, {"threshold": 0.55}, dear).mean() == 50


def best_by_trying(target, prediction, costs):
    """Return the greatest mean payoff of all thresholds: of every prediction, and of none."""
    every = [*np.unique(prediction).tolist(), 2.0]
    return max(TASK.payoff(target, prediction, {"threshold": each}, costs).mean() for each in every)


def test_at_a_rare_class_the_threshold_is_worth_all_that_can_be_had():
    rng, rows = np.random.default_rng(3), 30_000
    chance = (0.002 * rng.lognormal(-0.5, 1.0, rows)).clip(0, 0.9).round(4)
    target = (rng.random(rows) < chance).astype(np.float32)
    prediction, costs = chance.astype(np.float32), ErrorCosts(currency="EUR", too_low=10_000, too_high=20)
    assert 0.001 < target.mean() < 0.003
    decision = TASK.decide(target, prediction, costs)
    worth = TASK.payoff(target, prediction, decision, costs).mean()
    assert worth == pytest.approx(best_by_trying(target, prediction, costs))
    assert decision["threshold"] == pytest.approx(20 / 10_020, rel=0.5)
    of_the_grid = max(
        TASK.payoff(target, prediction, {"threshold": 0.01 * step}, costs).mean() for step in range(2, 99)
    )
    assert worth > 5 * of_the_grid


@pytest.mark.parametrize("seed", range(20))
def test_the_threshold_is_the_best_and_the_lowest_of_equals(seed):
    rng = np.random.default_rng(seed)
    prediction = (rng.random(200).round(2 + seed % 5) * (0.01 if seed % 2 else 1)).astype(np.float32)
    target = (rng.random(200) < prediction).astype(np.float32)
    target[0] = 1
    costs = ErrorCosts(
        currency="EUR", too_low=float(rng.integers(1, 50)), too_high=float(rng.integers(1, 50))
    )
    found = TASK.decide(target, prediction, costs)
    worth = TASK.payoff(target, prediction, found, costs).sum()
    assert worth == pytest.approx(200 * best_by_trying(target, prediction, costs))
    lower = prediction[prediction < np.float32(found["threshold"])]
    below = [TASK.payoff(target, prediction, {"threshold": each}, costs).sum() for each in np.unique(lower)]
    assert all(each < worth for each in below)


def test_a_threshold_holds_for_predictions_that_were_rounded_in_a_log():
    prediction = np.float32([0.341234, 0.341236, 0.2, 0.9]) + np.float32(4e-7)
    target, costs = np.float32([0, 1, 0, 1]), ErrorCosts(currency="EUR", too_low=5, too_high=4)
    decision = TASK.decide(target, prediction, costs)
    logged = np.round(prediction.astype(np.float64), 6).astype(np.float32)
    flagged = [TASK.act(each, decision)["flagged"] for each in (*prediction, *logged)]
    assert flagged == [False, True, False, True] * 2


def test_where_every_warning_loses_nobody_is_warned():
    target, prediction = np.float32([1, 0, 0, 0]), np.float32([0.5, 0.9, 1.0, 0.7])
    costs = ErrorCosts(currency="EUR", too_low=1, too_high=100)
    decision = TASK.decide(target, prediction, costs)
    assert [TASK.act(each, decision)["flagged"] for each in prediction] == [False] * 4
    assert shown_threshold(decision["threshold"]) == "above 100%"


@pytest.mark.parametrize(
    ("threshold", "shown"),
    [
        (0.0, "0%"),
        (0.4, "40%"),
        (0.33717, "33.7%"),
        (0.0234, "2.34%"),
        (0.00196, "0.196%"),
        (0.0000214, "0.00214%"),
        (0.98, "98%"),
        (0.9995, "99.95%"),
        (1.0, "100%"),
    ],
)
def test_a_threshold_is_told_with_the_digits_that_it_needs(threshold, shown):
    assert shown_threshold(threshold) == shown


def test_a_row_saves_what_one_counts_by_hand():
    target, prediction = np.float32([1, 1, 0, 0]), np.float32([0.9, 0.1, 0.9, 0.1])
    costs = ErrorCosts(currency="EUR", too_low=10, too_high=4)
    assert list(TASK.payoff(target, prediction, CUT, costs)) == [10, 0, -4, 0]


def test_a_prediction_at_the_threshold_is_a_warning():
    told = [TASK.act(np.float32(value), {"threshold": 0.3}) for value in (0.3, 0.29)]
    assert told == [{"flagged": True}, {"flagged": False}]
    (counts,) = Cases.of_rows(np.float32([1, 0]), np.float32([0.3, 0.29])).weighted()
    assert counts.flagged({"threshold": 0.3}).tolist() == [True, False]
