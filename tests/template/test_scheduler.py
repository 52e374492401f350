"""What Airflow is to run: commands that there are, as was chosen, by a file that knows no project."""

import ast
import shlex
import tomllib

import pytest
import yaml

from tests.template.answers import TEMPLATE
from tests.template.checks.markdown import verbs_of, wrong_in_command
from tests.template.checks.template import FOLDER
from tests.template.test_ci import JOBS

DAYS = {"yesterday": "2026-01-04", "today": "2026-01-05", "tomorrow": "2026-01-06"}
SCORE = "score --from {today} --to {tomorrow}"
# Stage, api and batch, and what is run then.
RUNS = [
    (
        "operation",
        "batch",
        {"daily": ["etl", SCORE, "monitor"], "retrain": ["retrain"], "upkeep": JOBS["upkeep"]},
    ),
    ("operation", "none", {"daily": ["etl", "monitor"], "retrain": ["retrain"], "upkeep": JOBS["upkeep"]}),
    ("production", "batch", {"daily": ["etl", SCORE]}),
    ("production", "none", {"daily": ["etl"]}),
]


def schedule(project) -> dict:
    return yaml.safe_load(project.text("dags/schedule.yaml"))


@pytest.mark.parametrize(("stage", "batch", "runs"), RUNS)
def test_what_is_run_is_what_was_chosen(stage, batch, runs, bake):
    project = bake(stage=stage, batch=batch, scheduler="airflow")
    found = schedule(project)
    assert {name: each["run"] for name, each in found["dags"].items()} == runs
    assert found["timezone"] == "UTC"
    assert found["mail_to"] == []
    lines = [line.format(**DAYS) for each in found["dags"].values() for line in each["run"]]
    wrong = [wrong for line in lines for wrong in wrong_in_command(shlex.split(line), verbs_of(project))]
    assert wrong == []


def test_a_verb_or_option_that_is_not_there_is_noticed(bake):
    verbs = verbs_of(bake(scheduler="airflow"))
    assert list(wrong_in_command(["scor"], verbs)) == ["scor: no such command"]
    assert list(wrong_in_command(["score", "--since", "x"], verbs)) == ["score --since: no such option"]


@pytest.mark.parametrize("answers", [{}, {"project_slug": "bird-counts", "stage": "production"}])
def test_the_file_is_the_same_in_every_project(answers, bake):
    text = bake(scheduler="airflow", **answers).text("dags/schedule.py")
    assert text == (TEMPLATE / FOLDER / "dags@airflow" / "schedule.py").read_text(encoding="utf-8")
    assert "late" not in text
    imported = [node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    assert not [name for name in imported if name.startswith("handrail")]


def test_airflow_is_no_dependency_of_the_project(bake):
    with_it, without = bake(scheduler="airflow"), bake()
    asked = [tomllib.loads(project.text("pyproject.toml")) for project in (with_it, without)]
    assert asked[0]["tool"].pop("deptry") == asked[1]["tool"].pop("deptry") | {
        "extend_exclude": ["2-research", "dags"]
    }
    assert asked[0] == asked[1]
    assert set(with_it.files) - set(without.files) == {
        "dags/README.md",
        "dags/schedule.py",
        "dags/schedule.yaml",
        "tests/test_schedule.py",
    }
    assert set(without.files) - set(with_it.files) == {".github/workflows/live.yml"}
