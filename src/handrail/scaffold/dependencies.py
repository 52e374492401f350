"""What a repository depends on, and how that is declared in the project that is brought in."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .survey import File, Survey, is_notebook, is_test

REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*([^;#]*)")
# Packages whose modules are called otherwise.
CALLED = {
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "cv2": "opencv-python",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "bs4": "beautifulsoup4",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "psycopg2": "psycopg2-binary",
    "umap": "umap-learn",
    "pkg_resources": "setuptools",
}
NOT_NEEDED = {
    "ruff and ty do that": "black flake8 isort pylint mypy autopep8 yapf pydocstyle pycodestyle",
    "it makes your docs, where they are": (
        "mkdocs mkdocs-* mkdocstrings* sphinx sphinx-* nbsphinx myst-parser docutils"
    ),
    "uv does that": "pip setuptools wheel build twine flit flit-core poetry poetry-core pipenv virtualenv",
    "JupyterLab is there": "jupyter notebook ipython nbconvert jupyterlab-server",
    "`promote` keeps models, as ONNX": "joblib dill cloudpickle",
    "goes with Kedro": "kedro kedro-*",
    "FastAPI answers in its place": "flask flask-cors gunicorn",
    "`project.yaml` and the environment hold the settings": "python-dotenv hydra-core omegaconf dynaconf",
    "the commands are there; one of your own is a function": "typer fire docopt",
}
FOR_TESTS = ("pytest-", "hypothesis", "coverage", "tox", "nox", "pre-commit")
TESTED = "[tested]"


@dataclass(frozen=True)
class Dependency:
    """A package: what was asked for and where, and what is to be done.

    declared: as it stood, with its limits · where: in which file, or who imports it · how: in a sentence
    group: to which group of the project's dependencies it is to be added, `-` where it is not to be
    """

    name: str
    declared: str
    where: str
    how: str
    group: str = "-"


def dependencies(survey: Survey, described: Mapping[str, Any]) -> list[Dependency]:
    """Return what is depended on, by name; `described` is the pyproject.toml of the project brought in."""
    asked: dict[str, tuple[str, str]] = {}
    for file in survey.files:
        for requirement in declared_in(file):
            name, limits = parsed(requirement)
            if name and name not in asked:
                asked[name] = (limits or "any", file.name)
    importers: dict[str, list[File]] = {}
    for module, files in survey.imports.items():
        name = normal(CALLED.get(module, module))
        local = module in survey.own_names or module in sys.stdlib_module_names or module == "handrail"
        if name in asked or not local:
            importers[name] = files
            asked.setdefault(name, ("-", f"{files[0].name} imports it"))
    there = names_in(described)
    return [judged(name, *asked[name], importers.get(name, []), there) for name in sorted(asked)]


def judged(
    name: str, declared: str, where: str, importers: list[File], there: Mapping[str, tuple[str, str]]
) -> Dependency:
    """Return what is to be done about one package."""
    if name in there and there[name][0] != TESTED:
        return Dependency(name, declared, where, f"there already, {name}{there[name][1]}")
    for why, names in NOT_NEEDED.items():
        if name in names.split() or any(
            name.startswith(each[:-1]) for each in names.split() if each[-1] == "*"
        ):
            return Dependency(name, declared, where, f"not needed: {why}")
    if not importers and not name.startswith(FOR_TESTS):
        return Dependency(
            name, declared, where, "nothing here imports it: declare it where you find that you need it"
        )
    limits = f", within {there[name][1]}, which is tested" if name in there else ""
    group = group_of(name, importers, {group for group, _ in there.values()})
    return Dependency(name, declared, where, f"to declare{limits}", group)


def group_of(name: str, importers: list[File], groups: set[str]) -> str:
    """Return to which group of a project a package belongs, by who imports it."""
    if name.startswith(FOR_TESTS) or (importers and all(is_test(file) for file in importers)):
        return "dev"
    if importers and all(is_notebook(file) for file in importers) and "notebooks" in groups:
        return "notebooks"
    learns = [file for file in importers if not is_notebook(file)]
    if learns and all("fits" in file.hints for file in learns) and "train" in groups:
        return "train"
    return ""


def names_in(described: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return what a project brings: name to its group and limits; the group TESTED is of limits alone."""
    found: dict[str, tuple[str, str]] = {}
    project = described.get("project", {})
    constraints = described.get("tool", {}).get("uv", {}).get("constraint-dependencies", [])
    sources = {"": project.get("dependencies", []), **described.get("dependency-groups", {})}
    for group, listed in (*sources.items(), (TESTED, constraints)):
        for requirement in listed:
            if isinstance(requirement, str):
                name, limits = parsed(requirement)
                found.setdefault(name, (group, limits))
    return found


def parsed(requirement: str) -> tuple[str, str]:
    """Return the normal name and the limits of a requirement, nothing where it is an option or an address."""
    match = REQUIREMENT.match(requirement)
    if not match or requirement.lstrip().startswith(("-", ".", "git+", "http")):
        return "", ""
    return normal(match[1]), match[3].strip()


def normal(name: str) -> str:
    """Return a name as the package index has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared_in(file: File) -> Iterator[str]:
    """Yield the requirements that a file declares; nothing where it declares none or can't be read."""
    name = file.path.name
    readers = {
        "pyproject.toml": from_pyproject,
        "setup.cfg": from_setup_cfg,
        "setup.py": from_setup_py,
        "Pipfile": from_pipfile,
    }
    with suppress(ValueError, yaml.YAMLError, AttributeError, TypeError, SyntaxError):
        if name in readers:
            yield from readers[name](file.text)
        elif file.suffix in (".yml", ".yaml") and name.startswith(("environment", "conda")):
            yield from from_conda(file.text)
        elif file.suffix in (".txt", ".in") and "requirements" in file.name:
            yield from file.text.splitlines()


def from_pyproject(text: str) -> Iterator[str]:
    """Yield what pyproject.toml asks for, Poetry's way too."""
    described = tomllib.loads(text)
    project = described.get("project", {})
    groups = (project.get("optional-dependencies", {}), described.get("dependency-groups", {}))
    lists = [project.get("dependencies", []), *(listed for group in groups for listed in group.values())]
    yield from (each for listed in lists for each in listed if isinstance(each, str))
    poetry = described.get("tool", {}).get("poetry", {})
    tables = [poetry.get("dependencies", {})]
    tables += [group.get("dependencies", {}) for group in poetry.get("group", {}).values()]
    yield from from_tables(tables)


def from_tables(tables: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield requirements of tables from names to limits."""
    for table in tables:
        for name, limits in table.items():
            if name.lower() != "python":
                said = limits.get("version", "") if isinstance(limits, Mapping) else str(limits)
                yield f"{name} {'' if said == '*' else said}"


def from_pipfile(text: str) -> Iterator[str]:
    """Yield what a Pipfile asks for."""
    described = tomllib.loads(text)
    yield from from_tables([described.get("packages", {}), described.get("dev-packages", {})])


def from_setup_cfg(text: str) -> Iterator[str]:
    """Yield what `install_requires` of setup.cfg asks for."""
    found = re.search(r"^install_requires\s*=((?:\n?[ \t]+.*|.*)(?:\n[ \t]+.*)*)", text, re.MULTILINE)
    yield from (line.strip() for line in found[1].splitlines() if line.strip()) if found else ()


def from_setup_py(text: str) -> Iterator[str]:
    """Yield what `install_requires` of setup.py asks for, where that is a list of texts."""
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.keyword)
            and node.arg == "install_requires"
            and isinstance(node.value, ast.List)
        ):
            yield from (str(each.value) for each in node.value.elts if isinstance(each, ast.Constant))


def from_conda(text: str) -> Iterator[str]:
    """Yield what conda's environment asks for, and pip inside of it."""
    for each in yaml.safe_load(text).get("dependencies", []):
        if isinstance(each, Mapping):
            yield from each.get("pip", [])
            continue
        name, _, limits = str(each).rpartition("::")[2].partition("=")
        if name.strip("<> ").lower() not in ("python", "pip", "r-base"):
            version = limits.strip("=").partition("=")[0]
            yield f"{name}=={version}" if version and name[-1] not in "<>" else str(each).rpartition("::")[2]


def described_by(project: Path) -> dict[str, Any]:
    """Return what the pyproject.toml of a project holds."""
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
