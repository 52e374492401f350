"""Fixtures: small runs of the worked example, once for all tests, and copies of them to break."""

import os

import pytest

# Read when a trainer is loaded: few rows gain nothing by more threads, and wait on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from tests.engine.support.evidence import write_facts
from tests.engine.support.example import example
from tests.engine.support.workspaces import copied, in_workspace, trained_in, with_few_rows


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Return settings whose workspace holds a loaded table and one trained version; read only."""
    return trained_in(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="session")
def trained_amounts(tmp_path_factory):
    """Return the same of the regression example; read only."""
    return trained_in(tmp_path_factory.mktemp("trained-amounts"), example("regression"))


@pytest.fixture(scope="session")
def trained_forecast(tmp_path_factory):
    """Return the same of the forecasting example; read only."""
    return trained_in(tmp_path_factory.mktemp("trained-forecast"), example("forecasting"))


@pytest.fixture
def project(trained, tmp_path):
    """Return settings of a copy of the trained workspace, to change and to break."""
    return copied(trained, tmp_path)


@pytest.fixture
def own_root(project, monkeypatch):
    """Return the root of a project of its own, with a few loaded rows; the working folder is there."""
    write_facts(project.workspace)
    with_few_rows(project)
    monkeypatch.chdir(project.workspace)
    return project.workspace


@pytest.fixture
def empty(tmp_path):
    """Return settings of a workspace in which nothing was run yet."""
    return in_workspace(tmp_path)
