"""What each feature is worth to the model: what is lost when its values are shuffled."""

import pytest

from handrail.reports.importance import importances
from handrail.tasks import Classification, Regression
from handrail.tasks.metric import Metrics
from tests.engine.support.made_up_training import DECISION, DECISIONS, FEATURES, Knowing, made_up_training

FALLING = [
    (task, metric)
    for task in (Classification(), Regression())
    for metric in task.metrics
    if metric.greater_is_better is False
]


@pytest.fixture(scope="module")
def test_rows():
    return made_up_training().test


def found(rows, task, metric, decision):
    """Return the features, the most important first."""
    return importances(FEATURES, Knowing().predict, rows, Metrics(task, task.metrics), metric, decision)


def test_what_matters_is_more_important_than_noise(test_rows):
    task = Classification()
    first, second = found(test_rows, task, task.metrics[0], DECISION)
    assert (first.feature, second.feature) == ("signal", "noise")
    assert first.low > 0.05
    assert (second.value, second.low, second.high) == (0, 0, 0)


@pytest.mark.parametrize(("task", "metric"), FALLING, ids=lambda each: getattr(each, "name", each))
def test_importance_is_positive_for_a_metric_that_should_be_low(test_rows, task, metric):
    first, *_ = found(test_rows, task, metric, DECISIONS[task.predicts])
    assert first.feature == "signal"
    assert first.value > 0.05


def test_the_same_rows_give_the_same_importance(test_rows):
    task = Regression()
    decision = DECISIONS["amount"]
    assert found(test_rows, task, task.metrics[0], decision) == found(
        test_rows, task, task.metrics[0], decision
    )
