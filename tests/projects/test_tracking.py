"""The engine's own tests of tracking, in the environment of a project that has MLflow."""

import re
from pathlib import Path

import pytest

from tests.template.baking import bake_new, ran

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("production-batch")]

TEMPLATE = Path(__file__).parents[2]
TESTS = TEMPLATE / "tests" / "engine" / "training" / "test_tracking.py"


def test_every_training_is_a_run_in_mlflow(cookies_session):
    project = bake_new(
        cookies_session, {"stage": "research", "tracking": "mlflow", "notebooks": "none", "ci": "none"}
    )
    options = ("-q", "-p", "no:cacheprovider", "--rootdir", str(TEMPLATE), "-c", "/dev/null")
    line = ("uv", "run", "--with", "pytest-cookies", "python", "-m", "pytest", *options, "-m", "", str(TESTS))
    done = project.run(*line, PYTHONPATH=str(TEMPLATE))
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 8
    assert "skipped" not in done.stdout
    assert ran(project, "git", "status", "--porcelain").split() in ([], ["??", "uv.lock"])
