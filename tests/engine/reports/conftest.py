"""Fixtures: a made-up training of each problem, and of an own choice of metrics, to report on."""

import pytest

from tests.engine.support.example import example
from tests.engine.support.made_up_training import made_up_settings, made_up_training

PROBLEMS = ("classification", "regression", "forecasting")


@pytest.fixture(scope="session", params=PROBLEMS)
def of_problem(request):
    """Return the worked example's project for each problem."""
    return example(request.param)


@pytest.fixture(scope="session")
def training(of_problem):
    """Return a made-up training of each problem; read only."""
    return made_up_training(project=of_problem)


@pytest.fixture
def settings(of_problem, tmp_path):
    """Return the settings that `training` was made with."""
    return made_up_settings(tmp_path, of_problem)


@pytest.fixture(scope="session")
def cases():
    """Return a made-up training of one problem, for what does not depend on the problem; read only."""
    return made_up_training(project=example("classification"))


@pytest.fixture
def of_cases(tmp_path):
    """Return the settings that `cases` was made with."""
    return made_up_settings(tmp_path, example("classification"))
