"""A small project run once for all tests, and copies of it to break."""

import os
import shutil
from pathlib import Path

import duckdb
import pytest

from {{ cookiecutter.__package }} import contract, schema
from {{ cookiecutter.__package }} import settings as project_settings
from {{ cookiecutter.__package }}.etl import load, pipeline
from {{ cookiecutter.__package }}.model import metrics

from .evidence import write_facts

# Read when a trainer is loaded, later on: few rows gain nothing by more threads, and wait on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).parents[1]
SAMPLE = 20_000
METRIC = project_settings.read_settings(root=ROOT).accuracy.metric
RISING = metrics.GREATER_IS_BETTER[METRIC]  # whether more of the metric is better
KNOWN = ", ".join(metrics.GREATER_IS_BETTER)
ANY, NONE = (-1e9, 1e9), (1e9, 2e9)  # ranges that hold every figure, and no figure


def in_workspace(workspace, **changes):
    """Return the project's settings for a small run in `workspace`, as if somebody had said go.

    Any accuracy is enough: what is tested is the project, not how good its model is by now.
    """
    settings = project_settings.read_settings(root=ROOT)
    easy = settings.accuracy.model_copy(update={"minimum": -1e9 if RISING else 1e9})
    decided = {
        "decision": settings.decision.model_copy(update={"go": "go"}),
        "example": False,
        "accuracy": easy,
    }
    return settings.model_copy(update={"workspace": workspace, "sample": SAMPLE, **decided, **changes})


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Return settings whose workspace holds a loaded table and one trained version; read only."""
    from {{ cookiecutter.__package }}.model import train

    settings = in_workspace(tmp_path_factory.mktemp("trained"))
    pipeline.run_etl(settings, lambda step: None)
    train.train(settings, settings.dates, lambda step: None)
    return settings


@pytest.fixture
def project(trained, tmp_path):
    """Return settings of a copy of the trained workspace, to change and to break."""
    workspace = tmp_path / "workspace"
    shutil.copytree(trained.workspace, workspace)
    return trained.model_copy(update={"workspace": workspace})


@pytest.fixture
def own_root(project, monkeypatch):
    """Return the root of a project of its own, with a few loaded rows; the working folder is there."""
    write_facts(project.workspace)
    table = load.table_path(project, contract.TABLE)
    few = table.with_name("few.parquet")
    key = schema.one_of_role(contract.CONTRACT, schema.Role.KEY).name
    duckdb.sql(f"SELECT * FROM '{table}' WHERE hash({key}) % 5 = 0").write_parquet(str(few))
    few.replace(table)
    monkeypatch.chdir(project.workspace)
    return project.workspace


@pytest.fixture
def empty(tmp_path):
    """Return settings of a workspace in which nothing was run yet."""
    return in_workspace(tmp_path)
