"""What `handrail adopt` brings into a repository installs and runs there, beside what it was brought to."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.template.answers import TEMPLATE
from tests.template.baking import isolated, own_environment
from tests.template.existing import LAYOUTS
from tests.template.histories import contents, git

pytestmark = pytest.mark.slow

HANDRAIL = Path(sys.executable).with_name("handrail")
FOLDERS = {"notebooks": "shop-sales", "data_science": "churn-project", "kedro": "spaceflights"}
# The whole of it is installed and trained for one layout in `make test`, for all of them in `make test-all`.
FAST = ("notebooks",)
CASES = [name if name in FAST else pytest.param(name, marks=pytest.mark.long) for name in LAYOUTS]


def ran(folder: Path, *command: str) -> str:
    """Run a command to its good end; return what it printed."""
    done = subprocess.run(
        command, cwd=folder, env=own_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.mark.parametrize("layout", CASES)
def test_the_project_on_the_branch_is_whole(layout, tmp_path):
    path = LAYOUTS[layout](tmp_path / "existing")
    before = contents(path)
    command = [HANDRAIL, "adopt", ".", "--template", TEMPLATE, "author=Jane Smith <jane@example.com>"]
    subprocess.run(command, cwd=path, env=isolated(tmp_path / "home"), check=True, capture_output=True)
    assert contents(path) == before
    git(path, "switch", "--quiet", "handrail-adopt")
    project = path / FOLDERS[layout]
    slug = (project / "pyproject.toml").read_text().split('name = "')[1].split('"')[0]

    ran(project, "uv", "sync", "--quiet")
    for check in (("ruff", "check"), ("ruff", "format", "--check"), ("ty", "check"), ("deptry", "src")):
        ran(project, "uv", "run", *check)
    assert " passed" in ran(project, "uv", "run", "pytest", "-q")
    assert "Measured" in ran(project, "uv", "run", slug, "demo", "--sample", "20000")
    assert "discovery" in ran(project, "uv", "run", slug, "status")

    now = contents(path, f"{FOLDERS[layout]}/")
    assert {name: now[name] for name in before} == before
    new = {line for line in git(path, "status", "--porcelain").splitlines() if not line.endswith("uv.lock")}
    assert {line for line in new if FOLDERS[layout] not in line} == set()
