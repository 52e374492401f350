"""The tests of the score: what each is called, how it is automated here, and what computes it.

They are those of Breck et al., The ML Test Score, IEEE Big Data (2017), in four sections of seven.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from handrail.readiness.context import ReadinessContext

SECTIONS = ("data", "model", "infrastructure", "monitoring")


@dataclass(frozen=True)
class ReadinessTest:
    """A test: its name, how it is automated here, and its check.

    The check returns the evidence, one sentence with figures. It raises ProjectError where the test fails:
    what is wrong, where, and what to do.
    """

    test: str
    how: str
    check: Callable[[ReadinessContext], str]


def rows_by_section() -> dict[str, tuple[ReadinessTest, ...]]:
    """Return the tests of each section that the project has, each in a module here that says ROWS."""
    present = [name for name in SECTIONS if Path(__file__).with_name(f"{name}.py").is_file()]
    return {name: import_module(f".{name}", __package__).ROWS for name in present}
