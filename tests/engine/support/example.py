"""The worked example as projects that tests can import: the template's own files, without a bake."""

import atexit
import json
import os
import re
import shutil
import sys
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from handrail.project import STAGES, Project

TEMPLATE = Path(__file__).parents[3] / "{{cookiecutter.project_slug}}"
PACKAGE = "{{cookiecutter.__package}}"
WORD = re.compile(r"@([a-z0-9_]+(?:\+[a-z0-9_]+)*)")
TEXTS = (".md", ".yaml", ".yml", ".toml", ".csv", ".json", ".py", ".ipynb")
ALWAYS = ("github", "proprietary")
FROM_STAGE = {  # no question before it
    "research": ("jupyter",),
    "production": ("fastapi", "batch"),
    "operation": ("streamlit",),
}
HOME = Path(tempfile.mkdtemp(prefix="handrail-examples-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)


def example(
    problem: str = "classification",
    model: str = "sklearn",
    stage: str = "operation",
    without: str = "",
    also: str = "",
) -> Project:
    """Return the worked example for a problem and a model library, as a project in a folder of its own.

    `without`, `also`: parts to leave out and to have besides, separated by spaces, as "fastapi batch" or
    "labelling".
    """
    return _made(problem, model, stage, without, also)


@cache
def _made(problem: str, model: str, stage: str, without: str, also: str) -> Project:
    reached = STAGES[: STAGES.index(stage) + 1]
    words = {*reached, *ALWAYS, *(word for each in reached for word in FROM_STAGE.get(each, ()))}
    words |= {problem, model} if "research" in reached else set()
    words = (words - set(without.split())) | set(also.split())
    package = "_".join(["flights", problem, model, stage, *without.split(), *also.split()])
    root = HOME / package
    (root / "src").mkdir(parents=True)
    for path in sorted(TEMPLATE.rglob("*")):
        name = path.relative_to(TEMPLATE).as_posix()
        if path.is_file() and "__pycache__" not in name and _is_chosen(name, words):
            _write(path, root / WORD.sub("", name).replace(PACKAGE, package), package, words)
    sys.path.insert(0, str(root / "src"))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(root / "src"), os.environ.get("PYTHONPATH", "")])
    project: Project = import_module(package).project
    return project.at(root)


def _is_chosen(name: str, words: set[str]) -> bool:
    return all(words & set(asked.split("+")) for asked in WORD.findall(name))


def _write(source: Path, target: Path, package: str, words: set[str]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    name = source.relative_to(TEMPLATE).as_posix()
    if name.startswith("src/") or source.suffix not in TEXTS or "alerts" in name:
        shutil.copyfile(source, target)
        return
    text = _environment().from_string(source.read_text(encoding="utf-8"))
    target.write_text(text.render(cookiecutter=_answers(package, words)), encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    environment.filters |= {"quoted": lambda text: json.dumps(text, ensure_ascii=False), "markdown": str}
    return environment


def _answers(package: str, words: set[str]) -> dict[str, object]:
    template = json.loads((TEMPLATE.parent / "cookiecutter.json").read_text(encoding="utf-8"))
    chosen = {
        key: next((each for each in options if each in words), "none")
        for key, options in template.items()
        if isinstance(options, list)
    }
    private = {key: value for key, value in template.items() if key.startswith("_")}
    return {
        **private,
        **chosen,
        "project_name": "Late Flights",
        "project_slug": package.replace("_", "-"),
        "description": template["description"],
        "author": template["author"],
        "__package": package,
        "__author_name": "Your Name",
        "__author_email": "you@example.com",
        "__chosen": sorted(words),
        "__asked": list(chosen),
        "__spdx": "LicenseRef-Proprietary",
        "__engine": "0.2.0",
    }
