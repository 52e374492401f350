"""The commands of the documentation's pages, run as they stand."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.template.answers import TEMPLATE
from tests.template.baking import isolated
from tests.template.pages import IN_ORDER, commands_of

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pages")]

# What is run in full elsewhere, in tests/projects/test_installed.py.
SMALLER = {
    ("uv", "run", "late-flights", "demo"): ("--sample", "50000"),
    ("uv", "run", "pytest"): ("tests/test_example.py",),
}
BEHIND = 1  # `handrail check` of a template that was changed since
SAID = {
    "uv run late-flights demo": r"Measured +roc_auc 0\.\d+",
    "uv run late-flights status": r"3-production: \d of 4 done",
    "uv run late-flights status --html": r"reports/status\.html",
    "uv run pytest": r"\d+ passed",
    "uv run handrail check ..": r"1 of 1 project",
    "uv run handrail update": r"There is nothing to update\.|git commit",
    "uv run handrail update stage=production": r"4-operation/HANDOVER\.md",
    "uv run late-flights start-over": r"1-discovery/problem\.md",
}


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    """An environment in which git knows somebody, and nothing else of this machine's user."""
    made = isolated(tmp_path / "home")
    for key in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        made[key] = "Somebody"
    for key in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        made[key] = "somebody@example.org"
    return made


def test_every_command_of_the_pages_comes_to_its_good_end(tmp_path, environment):
    folder, said = tmp_path, {}
    for page in IN_ORDER:
        for command in commands_of(page):
            if command[0] == "cd":
                folder /= command[1]
                continue
            done = run([*command, *SMALLER.get(tuple(command), ())], folder, environment)
            line = shlex.join(command)
            good = (0, BEHIND) if "check" in command else (0,)
            assert done.returncode in good, f"{page}: {line}\n{done.stdout}\n{done.stderr}"
            said[line] = done.stdout + done.stderr
            if "update" in command:  # of each page's alternatives, the next begins where this one did
                run(["git", "reset", "--hard", "--quiet"], folder, environment)
    for line, pattern in SAID.items():
        assert re.search(pattern, said[line]), f"{line}\n{said[line]}"


def test_the_commands_that_make_a_project(tmp_path, environment):
    (tmp_path / "house.yaml").write_text("stage: discovery\n", encoding="utf-8")
    for command in commands_of("docs/new.md"):
        done = run(command, tmp_path, environment)
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
    for folder in ("late-flights", "churn", "services/churn"):
        assert (tmp_path / folder / "1-discovery" / "ideas.yaml").is_file()
    assert (tmp_path / "late-flights" / "4-operation").is_dir()
    assert not (tmp_path / "services" / "churn" / "2-research").exists()


def test_the_commands_that_adopt_a_repository(tmp_path, environment):
    for name in ("ours", "churn"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "features.py").write_text("import pandas\n", encoding="utf-8")
        for command in (
            ["git", "init", "--quiet"],
            ["git", "add", "."],
            ["git", "commit", "--message", "begin"],
        ):
            assert run(command, tmp_path / name, environment).returncode == 0
    for command in commands_of("docs/adopt.md"):
        done = run(command, tmp_path / "ours", environment)
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
        if command[1] == "switch" and command[2] != "-":
            assert "features.py" in (tmp_path / "ours" / "ADOPT.md").read_text(encoding="utf-8")
    left = run(["git", "branch", "--all"], tmp_path / "ours", environment).stdout
    assert "handrail-adopt" not in left
    kept = run(
        ["git", "ls-tree", "-r", "--name-only", "handrail-adopt"], tmp_path / "churn", environment
    ).stdout
    assert "3-production/launch.md" in kept


def run(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess:
    """Run a command; ADDRESS is this template, and every question is answered by Enter."""
    return subprocess.run(
        [str(TEMPLATE) if word == "ADDRESS" else word for word in command],
        cwd=folder,
        env=environment | {"PWD": str(folder)},
        input="\n" * 40,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
