"""`handrail update` as a user runs it: in a project that has only the engine, and by the template's own."""

import re
from pathlib import Path

import pytest

from tests.template.baking import Project, ran
from tests.template.histories import (
    appended,
    baked,
    commit,
    copy_of,
    git,
    record,
    three_versions,
)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("update")]

ENGINE = "import importlib.metadata as m; print(m.version('handrail'))"
LAST = "All of it is staged, and nothing is committed."


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> Path:
    """A template with three versions."""
    return three_versions(tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="module")
def locked(history, tmp_path_factory) -> Path:
    """A project of the first version, with its lock committed."""
    folder = tmp_path_factory.mktemp("project")
    project = baked(f"git+file://{history}", folder, "--checkout", "v0.2.0", "stage=discovery")
    ran(Project(project, {}), "uv", "sync", "--quiet")
    commit(project, "lock")
    return project


@pytest.fixture
def project(locked, tmp_path) -> Project:
    return Project(copy_of(locked, tmp_path / "work"), {})


def lock_of(project: Project) -> str:
    """Return the engine's version that uv.lock holds."""
    return re.search(r'name = "handrail"\nversion = "([^"]+)"', project.text("uv.lock"))[1]


def test_uv_run_handrail_update_in_a_project_that_has_only_the_engine(project):
    ran(project, "uv", "sync", "--locked", "--quiet")
    assert project.run(".venv/bin/python", "-c", "import cookiecutter").returncode == 1
    appended(project.path / "1-discovery" / "data.md", "\nOurs.\n")
    commit(project.path, "ours")
    said = ran(project, "uv", "run", "--locked", "handrail", "update")
    assert LAST in said
    engine = record(project.path)["engine"]
    assert engine.startswith("0.4.0+h")
    assert lock_of(project) == engine
    assert "M  uv.lock" in git(project.path, "status", "--porcelain")
    assert git(project.path, "diff", "--name-only") == ""
    git(project.path, "commit", "--quiet", "--message", "update")
    assert ran(project, "uv", "run", "--quiet", "--locked", "python", "-c", ENGINE).strip() == engine
    assert "1-discovery: " in ran(project, "uv", "run", "--locked", "late-flights", "status")
    assert "There is nothing to update." in ran(project, "uv", "run", "--locked", "handrail", "update")


def test_uvx_takes_the_program_of_the_template_itself(project, history):
    said = ran(project, "uvx", "--from", f"git+file://{history}", "handrail", "update", "--to", "v0.3.0")
    assert LAST in said
    assert record(project.path)["version"] == "0.3.0"
    assert lock_of(project) == record(project.path)["engine"]


def test_a_lock_that_cannot_be_renewed_is_said(project):
    ran(project, "uv", "sync", "--locked", "--quiet")
    before = project.text("uv.lock")
    tools = project.path / ".venv" / "bin"
    done = project.run(
        str(tools / "handrail"),
        "update",
        "stage=research",
        "--to",
        "v0.2.0",
        UV_OFFLINE="1",
        UV_CACHE_DIR=str(project.path.parent / "cache"),
        PYTHONPATH=str(Path(pytest.__file__).parents[1]),  # where cookiecutter is: uv cannot fetch it
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "uv.lock: could not be renewed: " in done.stdout
    assert done.stdout.count("Later: uv lock\n") == 1
    assert project.text("uv.lock") == before
