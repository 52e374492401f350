"""The container that an editor opens a project in: what it has, and where its steps lead."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.projects.image import instructions
from tests.template.baking import Project, isolated, own_environment
from tests.template.histories import baked, first_version, git

FOLDER = ".devcontainer"


def container(project: Project) -> dict:
    return json.loads(project.text(f"{FOLDER}/devcontainer.json"))


def steps(project: Project) -> list[tuple[str, str]]:
    return instructions(project.text(f"{FOLDER}/Dockerfile"))


def test_by_default_there_is_none(bake):
    assert not bake().has(FOLDER)
    assert not bake(stage="discovery", editor="devcontainer").has(FOLDER)


@pytest.mark.parametrize(
    ("answers", "ports", "extension"),
    [
        ({}, [8000, 8501], "ms-toolsai.jupyter"),
        ({"stage": "production", "api": "none", "notebooks": "marimo"}, None, "marimo-team.vscode-marimo"),
        ({"api": "none", "notebooks": "none"}, [8501], None),
        ({"stage": "research", "notebooks": "none"}, None, None),
    ],
)
def test_its_ports_and_extensions_are_of_what_was_chosen(answers, ports, extension, bake):
    found = container(bake(**answers, editor="devcontainer"))
    assert found.get("forwardPorts") == ports
    assert found["customizations"]["vscode"]["extensions"][2:] == [extension] * (extension is not None)


def test_its_python_and_uv_are_those_that_go_live(bake):
    project = bake(editor="devcontainer")
    live = project.text("3-production/Dockerfile")
    (base,) = [words for name, words in steps(project) if name == "FROM"]
    assert re.fullmatch(r"python:([\d.]+)-trixie", base)[1] == re.search(r"FROM python:([\d.]+)-", live)[1]
    uv = re.compile(r'"(uv>=[^"]+)"')
    assert uv.search(project.text(f"{FOLDER}/Dockerfile"))[1] == uv.search(live)[1]
    assert ("USER", "1000") in steps(project)
    assert "useradd --create-home --uid 1000 --shell /bin/bash dev" in project.text(f"{FOLDER}/Dockerfile")
    assert container(project)["remoteUser"] == "dev"


def test_the_database_is_named_outside(bake):
    found = container(bake(compute="postgres", editor="devcontainer", stage="research"))
    assert found["remoteEnv"] == {"LATE_FLIGHTS_COMPUTE_URL": "${localEnv:LATE_FLIGHTS_COMPUTE_URL}"}
    assert "remoteEnv" not in container(bake(editor="devcontainer"))


def test_spark_has_its_java(bake):
    with_spark = bake(compute="spark", editor="devcontainer", stage="research")
    assert "default-jre-headless" in with_spark.text(f"{FOLDER}/Dockerfile")
    assert "jre" not in bake(editor="devcontainer").text(f"{FOLDER}/Dockerfile")


@pytest.mark.slow
def test_its_steps_lead_to_a_project_that_runs(cookies, tmp_path):
    """Without Docker: uv as the image has it, the image's variables, then what runs when it was made."""
    answers = {"stage": "research", "notebooks": "none", "editor": "devcontainer"}
    project = Project(cookies.bake(extra_context=answers).project_path, answers)
    python = tmp_path / "python"
    subprocess.run([sys.executable, "-m", "venv", python], check=True)
    (run,) = [words for name, words in steps(project) if name == "RUN"]
    install = run.partition("&&")[0]
    assert install.startswith("pip install ")
    home = tmp_path / "dev"
    (variables,) = [words for name, words in steps(project) if name == "ENV"]
    given = dict(pair.split("=", 1) for pair in shlex.split(variables.replace("/home/dev", str(home))))
    path = os.pathsep.join([str(python / "bin"), "/usr/local/bin:/usr/bin:/bin"])
    environment = own_environment() | given | {"PATH": path, "HOME": str(home)}
    lines = [
        install,
        container(project)["postCreateCommand"],
        "uv run late-flights status",
        "uv run pytest -q",
    ]
    for line in lines:
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=project.path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert re.search(r"\d+ passed", done.stdout)
    interpreter = container(project)["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert (home / interpreter.removeprefix("/home/dev/")).exists()
    assert not project.has(".venv")


@pytest.mark.slow
def test_an_update_brings_it_and_takes_it_away(tmp_path):
    template = first_version(tmp_path / "template")
    project = baked(template, tmp_path / "made", "stage=research")
    for answer, files in (("devcontainer", ["Dockerfile", "devcontainer.json"]), ("none", [])):
        line = [Path(sys.executable).with_name("handrail"), "update", "--to", "v0.2.0", f"editor={answer}"]
        env = isolated(tmp_path / "home")
        done = subprocess.run(line, cwd=project, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        git(project, "commit", "--quiet", "--message", answer)
        assert sorted(path.name for path in (project / FOLDER).glob("*")) == files
