"""Small workspaces of the worked example: run once for all tests, and copied to be broken."""

import shutil
from pathlib import Path

import duckdb

from handrail.config.settings import Settings, read_settings
from handrail.etl import load, pipeline
from handrail.project import Project
from handrail.training.run import train
from tests.engine.support.example import example

SAMPLE = 20_000
SECRET = "for tests, known to everybody"
ANY, NONE = (-1e9, 1e9), (1e9, 2e9)  # ranges that hold every figure, and no figure
PROJECT = example()
ROOT = PROJECT.root
METRIC = read_settings(PROJECT).accuracy.metric
RISING = PROJECT.metrics[METRIC].greater_is_better  # whether more of the metric is better
KNOWN = ", ".join(PROJECT.metrics.goals)


def in_workspace(workspace: Path, project: Project = PROJECT, **changes: object) -> Settings:
    """Return the example's settings for a small run in `workspace`, as if somebody had said go.

    Any accuracy is enough: what is tested is the engine, not how good a model of few rows is.
    """
    settings = read_settings(project)
    rising = project.metrics[settings.accuracy.metric].greater_is_better
    easy = settings.accuracy.model_copy(update={"minimum": -1e9 if rising else 1e9})
    decided: dict[str, object] = {"forgetting_secret": SECRET} if project.has("operation") else {}
    decided |= {
        "decision": settings.decision.model_copy(update={"go": "go"}),
        "example": False,
        "accuracy": easy,
    }
    return settings.model_copy(update={"workspace": workspace, "sample": SAMPLE, **decided, **changes})


def trained_in(workspace: Path, project: Project = PROJECT) -> Settings:
    """Return settings whose workspace holds a loaded table and one trained version."""
    settings = in_workspace(workspace, project)
    pipeline.run_etl(settings, lambda step: None)
    train(settings, settings.dates, lambda step: None)
    return settings


def copied(settings: Settings, folder: Path) -> Settings:
    """Return the settings of a copy of the workspace in `folder`, to change and to break."""
    workspace = folder / "workspace"
    shutil.copytree(settings.workspace, workspace)
    return settings.model_copy(update={"workspace": workspace})


def with_few_rows(settings: Settings) -> None:
    """Keep a fifth of the loaded rows."""
    table = load.table_path(settings, settings.project.table_name)
    few = table.with_name("few.parquet")
    duckdb.sql(f"SELECT * FROM '{table}' WHERE hash({settings.project.key}) % 5 = 0").write_parquet(str(few))
    few.replace(table)


def with_given(settings: Settings, **given: object) -> Settings:
    """Return the settings of a project that brings something else: `transform="SELECT ..."`."""
    old = settings.project
    other = Project(old.package, given={**old.given, **given}, root=old.root)
    return other.settings_type.model_construct(**dict(settings))
