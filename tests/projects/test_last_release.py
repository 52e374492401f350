"""A promise: a project baked by the last release, with its own files, runs on the engine as it is now."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.template.baking import Project, ran
from tests.template.histories import baked

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("last release")]

ENGINE = Path(__file__).parents[2]
EXTRAS = "data,serving,batch,training,sklearn,pandas,testing"  # those of the default project
VERSION = "import importlib.metadata as m, handrail; print(m.version('handrail'), handrail.__file__)"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """Return a default project as the last release bakes it."""
    line = ["git", "-C", ENGINE, "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]
    found = subprocess.run(line, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"this clone has no release to compare with: {found.stderr.strip()}")
    release = found.stdout.strip()
    path = baked(f"git+file://{ENGINE}", tmp_path_factory.mktemp("release"), "--checkout", release)
    record = json.loads((path / ".handrail.json").read_text(encoding="utf-8"))
    assert f"v{record['version']}" == release
    return Project(path, record["answers"])


def on(engine: Path, *command: str) -> tuple[str, ...]:
    """Return a command on another engine, with the libraries that it needs now for what the project has."""
    return ("uv", "run", "--quiet", "--with-editable", f"{engine}[{EXTRAS}]", *command)


def test_its_own_tests_pass_on_the_engine_of_now(project):
    told = ran(project, *on(ENGINE, "python", "-c", VERSION))
    assert Path(told.split()[-1]).is_relative_to(ENGINE)
    assert " passed" in ran(project, *on(ENGINE, "python", "-m", "pytest", "-q", "-m", ""))


def test_its_commands_run_on_the_engine_of_now(project):
    told = ran(project, *on(ENGINE, "python", "-m", "late_flights", "demo", "--sample", "50000"))
    assert "\nTry next\n" in told
    assert ran(project, "git", "status", "--porcelain").split() in ([], ["??", "uv.lock"])


def test_an_engine_that_lacks_what_it_offered_is_noticed(project, tmp_path):
    subprocess.run(["git", "clone", "--quiet", ENGINE, tmp_path / "engine"], check=True)
    offered = tmp_path / "engine" / "src" / "handrail" / "contract" / "__init__.py"
    text = offered.read_text(encoding="utf-8")
    assert '"Record": "schema",' in text
    offered.write_text(text.replace('"Record": "schema",', ""), encoding="utf-8")
    done = project.run(*on(tmp_path / "engine", "python", "-m", "pytest", "-q"))
    assert done.returncode != 0
    assert "'Record'" in done.stdout + done.stderr
