"""Baked projects: `bake` renders one once for each set of answers, `cookiecutter` runs the real command."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from cookiecutter.main import cookiecutter as cookiecutter_in_process

from tests.template.answers import NONE, TEMPLATE, choices, chosen_words
from tests.template.trees import tree

SAME: dict[str, str] = {}
SEED = "HANDRAIL_SEED"


@dataclass(frozen=True)
class Project:
    """A baked project."""

    path: Path
    answers: dict

    @cached_property
    def files(self) -> list[str]:
        """Every file but git's own, relative and with forward slashes, sorted."""
        return tree(self.path)

    @property
    def contents(self) -> dict[str, bytes]:
        """Every file but git's own, by its name."""
        return {name: (self.path / name).read_bytes() for name in self.files}

    @cached_property
    def texts(self) -> dict[str, str]:
        """The content of every file that is text, by its name; the same content is held once for all."""
        contents = {name: text_of(self.path / name) for name in self.files}
        return {name: SAME.setdefault(text, text) for name, text in contents.items() if text is not None}

    @cached_property
    def code(self) -> dict[str, str]:
        """The modules of the package, by name."""
        return {
            name: text
            for name, text in self.texts.items()
            if name.startswith("src/") and name.endswith(".py")
        }

    @cached_property
    def names(self) -> set[str]:
        """The names of all files and folders, without the way to them."""
        return {part for name in self.files for part in name.split("/")}

    @cached_property
    def record(self) -> dict:
        """The answers that the project was baked with, as it keeps them."""
        return json.loads(self.text(".handrail.json"))["answers"]

    @property
    def words(self) -> set[str]:
        """The words that were chosen."""
        return set(chosen_words(self.record))

    @property
    def slug(self) -> str:
        return self.record["project_slug"]

    @property
    def package(self) -> str:
        return self.slug.replace("-", "_")

    @cached_property
    def verbs(self) -> dict[str, str]:
        """The text of the module of each command, by the verb."""
        folder = f"src/{self.package}/commands/"
        modules = {
            name.removeprefix(folder): text for name, text in self.code.items() if name.startswith(folder)
        }
        return {name[:-3].replace("_", "-"): text for name, text in modules.items() if name[0] != "_"}

    @property
    def label(self) -> str:
        return " ".join(f"{key}={answer}" for key, answer in self.answers.items())

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


def ran(project: Project, *command: str) -> str:
    """Run a command to its good end; return what it printed."""
    done = project.run(*command)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def text_of(path: Path) -> str | None:
    """Return the content of a file, or None if it is no text."""
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        return None


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


def given(answers: dict) -> dict:
    """Return the answers as a user gives them: without the `none` of a question that is not asked."""
    return {
        key: answer for key, answer in answers.items() if answer != NONE or NONE in choices().get(key, [NONE])
    }


def bake_without_git(template: Path, folder: Path, answers: dict) -> Project:
    """Bake a project inside of what looks like a repository, so that none is made: half the time."""
    (folder / ".git").mkdir(parents=True, exist_ok=True)
    path = cookiecutter_in_process(
        str(template),
        no_input=True,
        default_config=True,
        extra_context=given(answers),
        output_dir=str(folder),
    )
    return Project(Path(path), answers)


def bake_new(cookies, answers: dict) -> Project:
    """Bake a project; `none` is not given where it is no choice. Raises what the bake raised."""
    result = cookies.bake(extra_context=given(answers))
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
