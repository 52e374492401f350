"""What Airflow is to run are commands that this project has."""

import shlex
from pathlib import Path

import pytest
import yaml
from handrail.cli import accepts

from . import project

SCHEDULE = Path(__file__).parents[1] / "dags" / "schedule.yaml"
DAYS = {"yesterday": "2026-01-04", "today": "2026-01-05", "tomorrow": "2026-01-06"}
LINES = [line for dag in yaml.safe_load(SCHEDULE.read_bytes())["dags"].values() for line in dag["run"]]


@pytest.mark.parametrize("line", LINES)
def test_the_project_has_the_command(line):
    verb, *arguments = shlex.split(line.format(**DAYS))
    assert accepts(project, verb, arguments), f"dags/schedule.yaml: {line}: no such verb, option or day"
