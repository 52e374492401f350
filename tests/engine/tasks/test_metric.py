"""A metric: how it is written, which one is refused, and what everything else may ask of it."""

import math

import numpy as np
import pytest

from handrail.errors import ProjectError
from handrail.tasks import Classification, Forecasting, Regression
from handrail.tasks.metric import Metric, Metrics

TASKS = (Classification(), Regression(), Forecasting())
SHARE = {"threshold": 0.5}


def number(name="score", rising=True, function=lambda counts: 1.0, **more):
    return Metric(name, function, "what it says", greater_is_better=rising, **more)


def refusal(*metrics):
    """Return the sentences that refuse these metrics."""
    with pytest.raises(ProjectError) as refused:
        Metrics(Classification(), metrics)
    return list(refused.value.problems)


def test_a_metric_is_shown_by_its_title_or_its_name_with_spaces():
    assert number("mean_error").shown == "mean error"
    assert number("mean_error", title="bias").shown == "bias"


def test_which_value_is_worse_follows_from_the_direction():
    up, down = number(rising=True), number(rising=False)
    assert (up.worse(0.6, 0.7), up.worse(0.7, 0.7), up.worse(0.8, 0.7)) == (True, False, False)
    assert (down.worse(0.6, 0.7), down.worse(0.7, 0.7), down.worse(0.8, 0.7)) == (False, False, True)
    assert (up.worse(0.65, 0.7, 0.1), down.worse(0.75, 0.7, 0.1)) == (False, False)
    assert (up.worse(math.nan, 0.1), down.worse(math.nan, 0.1)) == (True, True)


def test_a_figure_that_does_not_exist_is_nan():
    broken = (lambda _: 1 / 0, lambda _: np.float64(1) / np.float64(0), lambda _: math.nan)
    assert all(math.isnan(number(function=each).value((None,), SHARE)) for each in broken)


def test_the_decision_reaches_only_those_that_ask_for_it():
    plain = number(function=float)
    acting = number(function=lambda counts, decision: counts * decision["threshold"], uses_decision=True)
    assert (plain.value((8,), SHARE), acting.value((8,), SHARE)) == (8, 4)


def test_two_of_one_name_are_refused():
    assert refusal(number(), number(), number("other")) == [
        "model/metrics.py: score: two metrics of that name; rename one"
    ]


def test_none_that_can_decide_is_refused():
    assert refusal(number(rising=None)) == [
        "model/metrics.py: no metric says greater_is_better; one has to decide"
    ]


@pytest.mark.parametrize("name", ["Lift", "lift at 10", "10_lift", "", "auc:live"])
def test_a_name_that_settings_and_tables_cannot_carry_is_refused(name):
    assert refusal(number(name)) == [
        f"model/metrics.py: {name!r}: no name for a metric; write small letters, digits and underscores"
    ]


def test_a_name_that_stands_for_the_number_of_rows_is_refused():
    assert refusal(number("rows")) == [
        "model/metrics.py: rows: stands for something else beside the figures; rename the metric"
    ]


def test_every_mistake_is_named_at_once():
    found = refusal(number("A", rising=None), number("A", rising=None), number("rows", rising=None))
    assert [sentence.split(": ")[1] for sentence in found] == [
        "A",
        "'A'",
        "rows",
        "no metric says greater_is_better; one has to decide",
    ]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_the_usual_metrics_keep_their_order_and_have_one_that_decides(task):
    metrics = Metrics(task, task.metrics)
    assert list(metrics) == [metric.name for metric in task.metrics]
    assert all(metric.meaning and metric.shown for metric in metrics.values())
    assert set(metrics.goals) < set(metrics)
    assert set(task.fair_rates) <= set(metrics)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_rows_that_are_made_ready_once_are_measured_as_rows_measured_at_once(task):
    metrics = Metrics(task, task.metrics)
    target, prediction = np.float32([1, 0, 1, 0, 1]), np.float32([0.9, 0.2, 0.4, 0.4, 0.8])
    decision = SHARE if task.predicts == "chance" else {"margin": 0.1, "tolerable": 0.3}
    outcomes = metrics.outcomes(target, prediction)
    assert metrics.measure_rows(outcomes, decision) == metrics.measure(target, prediction, decision)


def test_an_own_metric_is_measured_beside_the_usual_ones():
    task = Classification()
    share = number("top_share", function=lambda counts: counts.rows[0] / counts.rows.sum())
    found = Metrics(task, (*task.metrics, share)).measure(
        np.float32([1, 0, 1, 0]), np.float32([0.9, 0.9, 0.4, 0.1]), SHARE
    )
    assert list(found)[-1] == "top_share"
    assert found["top_share"] == 0.5


def test_a_metric_that_fails_is_named():
    def broken(counts):
        return counts.moons

    with pytest.raises(
        ProjectError, match=r"^model/metrics\.py: broken can't be computed \(AttributeError: "
    ):
        Metric("broken", broken, "nothing").value((object(),), {})
