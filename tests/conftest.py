"""Fixtures: `bake` renders a project once for each set of answers, `cookiecutter` runs the real command."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hooks.questions import NONE
from tests.combinations import choices
from tests.trees import tree

TEMPLATE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Project:
    """A baked project."""

    path: Path
    answers: dict

    @property
    def files(self) -> list[str]:
        """Every file but git's own, relative and with forward slashes, sorted."""
        return tree(self.path)

    def text(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    def has(self, name: str) -> bool:
        return (self.path / name).exists()

    def run(self, *command: str, timeout: float = 600, **environment: str) -> subprocess.CompletedProcess:
        """Run a command in the project's folder; its output is text, its status is for the test to judge."""
        return subprocess.run(
            command,
            cwd=self.path,
            env=own_environment(**environment),
            timeout=timeout,
            capture_output=True,
            text=True,
            check=False,
        )


def own_environment(**more: str) -> dict[str, str]:
    """Return the environment without a virtual environment of the tests, and with uv kept from downloads."""
    inherited = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**inherited, "PATH": tools, "UV_PYTHON_DOWNLOADS": "never", **more}


@pytest.fixture(scope="session")
def bake(cookies_session) -> Callable[..., Project]:
    """Bake a project, once for each set of answers in a session: look at it, but don't change it."""
    baked = {}

    def bake_once(**answers: str) -> Project:
        key = tuple(sorted(answers.items()))
        if key not in baked:
            baked[key] = bake_new(cookies_session, answers)
        return baked[key]

    return bake_once


def bake_new(cookies, answers: dict) -> Project:
    """Bake a project; `none` is not given where it is no choice. Raises what the bake raised."""
    given = {
        key: answer for key, answer in answers.items() if answer != NONE or NONE in choices().get(key, [NONE])
    }
    result = cookies.bake(extra_context=given)
    if result.exception:
        raise result.exception
    return Project(result.project_path, answers)


@pytest.fixture
def refusal(cookies, tmp_path) -> Callable[..., list[str]]:
    """Bake with bad answers; return the sentences of the refusal, having seen that nothing was written."""

    def refuse(**answers: str) -> list[str]:
        result = cookies.bake(extra_context=answers)
        assert type(result.exception).__name__ == "FailedHookException", result
        left = [path for path in tmp_path.rglob("*") if path.name != "cookies" and "bake" not in path.name]
        assert left == []
        return str(result.exception).splitlines()

    return refuse


@pytest.fixture
def cookiecutter(tmp_path) -> Callable[..., subprocess.CompletedProcess]:
    """Run the cookiecutter command on the template, in an empty folder with its own configuration."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
        line = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), *arguments]
        return subprocess.run(
            line,
            cwd=tmp_path,
            env=isolated(tmp_path, **environment),
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def isolated(home: Path, **more: str) -> dict[str, str]:
    """Return an environment in which cookiecutter and git know no user but the one in `home`."""
    home.mkdir(exist_ok=True)
    folders = {"HOME": str(home), "USERPROFILE": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
    return own_environment(**{**folders, "GIT_CONFIG_NOSYSTEM": "1", "PWD": str(home), **more})
