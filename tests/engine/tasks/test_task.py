"""The kinds of problems: both implementations have the whole seam, and none draws where it only serves."""

import inspect
import json
import subprocess
import sys

import numpy as np
import pytest

from handrail.config.sections import AmountWords, CaseWords
from handrail.tasks import Classification, Forecasting, Regression
from handrail.tasks.task import Task, told_beside
from tests.engine.support.example import example

TASKS = (Classification(), Regression(), Forecasting())
SEAM = [name for name in vars(Task) if not name.startswith("_")]
HEAVY = ("matplotlib", "jinja2", "sklearn", "pandas")
SERVED = """
import json, sys
import numpy
import handrail.serving.inference, handrail.tasks
from {package}.contract import CONTRACT, TASK
from {package} import project
decision = {{"threshold": 0.5, "margin": 1.0, "tolerable": 1.0}}
told = project.task.act(0.7, decision)
measured = project.metrics.measure(numpy.ones(3), numpy.ones(3), decision)
loaded = set({heavy}) & {{name.partition(".")[0] for name in sys.modules}}
print(json.dumps([sorted(loaded), told, len(measured)]))
"""


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_a_task_has_the_whole_seam(task):
    for name in SEAM:
        asked, given = getattr(Task, name), getattr(task, name)
        if callable(asked):
            assert list(inspect.signature(given).parameters) == list(inspect.signature(asked).parameters)[1:]
            assert inspect.getdoc(given), name


def test_the_three_problems_are_told_apart():
    assert [task.kind for task in TASKS] == ["classification", "regression", "forecasting"]
    assert [task.predicts for task in TASKS] == ["chance", "amount", "amount"]
    assert [task.words for task in TASKS] == [CaseWords, AmountWords, AmountWords]
    assert [task.mean_name for task in TASKS] == ["share of cases", "mean", "mean"]
    assert len({Classification(), Classification(), Regression(), Forecasting()}) == 3


@pytest.mark.parametrize(
    ("problem", "told", "metrics"),
    [
        ("classification", {"flagged": True}, 8),
        ("forecasting", {"planned": 1.7}, 10),
    ],
)
def test_what_serves_and_monitors_loads_nothing_that_draws_or_learns(problem, told, metrics):
    code = SERVED.format(package=example(problem).package, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert json.loads(done.stdout) == [[], told, metrics]


class InWords(Classification):
    """A class of one's own that says something else beside a prediction."""

    def act(self, prediction, decision):
        """Say it in a word, beside what is always said."""
        return {**super().act(prediction, decision), "urgency": "high" if prediction > 0.8 else "low"}


class Later(InWords):
    """One that inherits it and changes something else."""

    kind = "classification"


@pytest.mark.parametrize("task", [InWords(), Later()])
def test_a_class_that_says_something_else_of_one_prediction_is_heard(task):
    told = told_beside(task, np.array([0.2, 0.6, 0.9], dtype=np.float32), {"threshold": 0.5})
    assert told["flagged"].tolist() == [False, True, True]
    assert told["urgency"].tolist() == ["low", "low", "high"]
    assert told_beside(task, np.empty(0, dtype=np.float32), {"threshold": 0.5}) == {}
