"""The checks of a project by name, and the decorator that makes each a test of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import FunctionType
from typing import Any

from handrail import labelling
from handrail.config.settings import find_root
from handrail.project import Project
from handrail.testing.runs import small_run

# Where the checks of a part stand: module -> the part that they need.
NEEDED = {
    "discovery_checks": "discovery",
    "data_checks": "research",
    "model_checks": "research",
    "labelling_checks": "labelling",
    "live_checks": "production",
    "api_checks": "api",
    "batch_checks": "batch",
    "monitoring_checks": "operation",
}


@dataclass(frozen=True)
class Check:
    """A property that a project must have; called, it raises AssertionError or ProjectError where it has not.

    name: as pytest shows it, with the area in front · says: what must hold, in a sentence
    """

    name: str
    says: str
    project: Project
    function: FunctionType
    headers: Mapping[str, str]

    def __call__(self) -> None:
        """Hold the project's small run against it."""
        __tracebackhide__ = True
        run = small_run(self.project)
        run.headers = self.headers
        self.function(run)


def checks_of(project: Project, headers: Mapping[str, str] | None = None) -> tuple[Check, ...]:
    """Return every check of the parts that `project` has; nothing is run yet.

    `headers`: what a request to the service needs beside the key, where the project has a sign-in of its own.
    """
    return tuple(
        Check(_name(module, function), _sentence(function), project, function, headers or {})
        for module, part in NEEDED.items()
        if _has(project, part)
        for function in import_module(f"handrail.testing.{module}").CHECKS
    )


def parametrize_with_checks(
    project: Project, headers: Mapping[str, str] | None = None
) -> Callable[[Any], Any]:
    """Return the decorator that runs a test with each check of `project` as its argument `check`.

    The checks share one small run, which is made when the first of them is called, in a temporary workspace.
    `headers`: see `checks_of`.
    """
    import pytest

    return pytest.mark.parametrize("check", checks_of(project, headers), ids=lambda check: check.name)


def _has(project: Project, part: str) -> bool:
    if part == "labelling":
        return project.has("research") and labelling.is_asked_for(project.root or find_root())
    return part in project.stages or project.has(part)


def _name(module: str, function: FunctionType) -> str:
    return f"{module.removesuffix('_checks')}-{function.__name__}"


def _sentence(function: FunctionType) -> str:
    return " ".join((function.__doc__ or "").split())
