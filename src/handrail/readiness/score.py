"""Runs the tests and counts: a test that is run by itself counts 1, and the score is the lowest section.

What the score measures is whether somebody would notice. That a test fails is another matter: it is shown.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext
from handrail.readiness.test_registry import ReadinessTest


@dataclass(frozen=True)
class Result:
    """What came of a test: whether it passed, by which evidence or against which reason, in what time.

    It is `automated` if it came to a verdict by itself, for or against.
    """

    section: str
    test: str
    how: str
    automated: bool
    passed: bool
    evidence: str
    seconds: float


@dataclass(frozen=True)
class Score:
    """The results, in their order, and the version that was live."""

    version: str
    results: tuple[Result, ...]

    @property
    def sections(self) -> dict[str, int]:
        """How many tests of each section are automated."""
        names = dict.fromkeys(each.section for each in self.results)
        return {name: sum(each.automated for each in self.results if each.section == name) for name in names}

    @property
    def total(self) -> int:
        """The lowest section's count."""
        return min(self.sections.values())

    @property
    def failed(self) -> tuple[Result, ...]:
        """The tests that did not pass."""
        return tuple(each for each in self.results if not each.passed)

    def record(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "version": self.version,
            "score": self.total,
            "sections": self.sections,
            "failed": [each.test for each in self.failed],
            "rows": [asdict(each) for each in self.results],
        }


def measure(
    context: ReadinessContext, tests: Mapping[str, Sequence[ReadinessTest]], on_step: Callable[[str], None]
) -> Score:
    """Run `tests`, by section, one after another; raises ProjectError where no model is live."""
    version = context.version.name
    results = []
    for section, listed in tests.items():
        for test in listed:
            on_step(test.test)
            results.append(_run(context, section, test))
    return Score(version, tuple(results))


def _run(context: ReadinessContext, section: str, test: ReadinessTest) -> Result:
    begun = time.perf_counter()
    try:
        evidence, automated, passed = test.check(context), True, True
    except ProjectError as error:
        evidence, automated, passed = "\n".join(error.problems), True, False
    except Exception as error:  # a library's own error fails this test, not the others
        evidence, automated, passed = f"stopped by {type(error).__name__}: {error}", False, False
    seconds = round(time.perf_counter() - begun, 1)
    return Result(section, test.test, test.how, automated, passed, evidence, seconds)
