"""Checks of a project's Python: formatted, linted; its imports, types and dependencies right."""

import ast
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from click.testing import CliRunner
from deptry.cli import cli as deptry

from tests.template.baking import Project
from tests.template.checks import Found, in_each_project
from tests.template.checks.judges import run

# What is imported under another name than it is installed. Where it is installed, deptry knows.
MODULES = {"pyyaml": "yaml", "scikit-learn": "sklearn", "xgboost-cpu": "xgboost"}
# Without the environment of the project a type checker cannot know what comes from elsewhere.
NOT_INSTALLED = ("--ignore", "import-not-found", "--ignore", "unused-ignore-comment")
KNOWN_TYPES: dict[object, list[str]] = {}
KNOWN_DEPENDENCIES: dict[object, list[str]] = {}


def linted_and_formatted(projects: Iterable[Project]) -> Found:
    """Yield what ruff has to say, each project under its own settings, all in one process."""
    projects = list(projects)
    for command in ("check", "format --check"):
        paths = [project.path for project in projects]
        done = run("ruff", *command.split(), "--output-format", "concise", "--no-cache", "--quiet", *paths)
        yield from blamed(done.stdout.splitlines(), projects)
        if done.returncode and not done.stdout:
            yield projects[0], f"ruff: {done.stderr}"


def blamed(lines: Iterable[str], projects: Iterable[Project]) -> Found:
    """Yield each line that begins with a file of a project, without the project's folder."""
    for line in lines:
        for project in projects:
            if line.startswith((f"{project.path}/", f"{os.path.relpath(project.path)}/")):
                yield project, line.partition(f"/{project.path.name}/")[2]


@in_each_project
def own_imports_are_there(project: Project) -> Iterator[str]:
    """Yield each import of a module of the project itself that is not in it."""
    for name, text in project.texts.items():
        if name.endswith(".py"):
            for line, module, thing in own_imports(name, text, project.package):
                package = project.texts.get(f"{module}/__init__.py")
                inside = {f"{module}/{thing}.py", f"{module}/{thing}/__init__.py"} & project.texts.keys()
                if f"{module}.py" not in project.texts and (
                    package is None or not (inside or thing in package)
                ):
                    yield f"{name}:{line}: imports {thing} from {module}, which is not there"


@cache
def own_imports(name: str, text: str, package: str) -> list[tuple[int, str, str]]:
    """Return line, path and what is wanted of each module or package of the project that a file imports."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else []
            own = node.level or parts[0] == package
            base = PurePosixPath(name).parents[node.level - 1] if node.level else PurePosixPath("src")
            path = base.joinpath(*parts).as_posix()
            found += [(node.lineno, path, alias.name) for alias in node.names if own]
    return found


@in_each_project
def types_are_right(project: Project) -> Iterator[str]:
    """Yield what the type checker has to say; the same package is shown to it once."""
    key = frozenset(project.code.items())
    if key not in KNOWN_TYPES:
        KNOWN_TYPES[key] = judged_by_ty(project, *NOT_INSTALLED)
    yield from KNOWN_TYPES[key]


def judged_by_ty(project: Project, *options: str) -> list[str]:
    """Return what ty finds in a project's package."""
    done = run("ty", "check", "--output-format", "concise", *options, cwd=project.path)
    found = [line for line in done.stdout.splitlines() if re.match(r"\S+:\d+", line)]
    return found or ([f"ty: {done.stdout}{done.stderr}"] if done.returncode else [])


@in_each_project
def dependencies_are_used_and_named(project: Project) -> Iterator[str]:
    """Yield each dependency that nothing imports, and each import without a dependency."""
    described = tomllib.loads(project.texts["pyproject.toml"])
    declared = (
        described["project"]["dependencies"],
        described["dependency-groups"],
        described["tool"].get("deptry"),
    )
    key = (repr(declared), frozenset(project.code.items()))
    if key not in KNOWN_DEPENDENCIES:
        KNOWN_DEPENDENCIES[key] = judged_by_deptry(project)
    yield from KNOWN_DEPENDENCIES[key]


def judged_by_deptry(project: Project) -> list[str]:
    """Return what deptry finds in a project's package, in this process; it needs nothing installed."""
    modules = ",".join(f"{package}={module}" for package, module in MODULES.items())
    before = Path.cwd()
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        os.chdir(project.path)
        try:
            done = CliRunner().invoke(
                deptry, ["src", "-o", str(report), "--package-module-name-map", modules]
            )
        finally:
            os.chdir(before)
        found = json.loads(report.read_text(encoding="utf-8")) if report.exists() else []
    said = [
        f"{one['location']['file']}:{one['location']['line'] or 1}: {one['error']['message']}"
        for one in found
    ]
    return said or ([f"deptry: {done.output}{done.exception}"] if done.exit_code else [])
