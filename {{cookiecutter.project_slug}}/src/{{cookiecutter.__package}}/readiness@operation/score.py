"""Runs the tests and counts: a test that passes by itself counts 1, and the score is the lowest section."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from ..errors import ProjectError
from .bench import Bench
from .rows import Row


@dataclass(frozen=True)
class Result:
    """What came of a test: whether it passed, by which evidence or against which reason, in what time."""

    section: str
    test: str
    how: str
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
        """How many tests of each section passed."""
        names = dict.fromkeys(each.section for each in self.results)
        return {name: sum(each.passed for each in self.results if each.section == name) for name in names}

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
            "rows": [asdict(each) for each in self.results],
        }


def measure(bench: Bench, rows: Mapping[str, Sequence[Row]], on_step: Callable[[str], None]) -> Score:
    """Run `rows`, by section, one after another; raises ProjectError where no model is live."""
    version = bench.version.name
    results = []
    for section, tests in rows.items():
        for row in tests:
            on_step(row.test)
            results.append(_run(bench, section, row))
    return Score(version, tuple(results))


def _run(bench: Bench, section: str, row: Row) -> Result:
    begun = time.perf_counter()
    try:
        evidence, passed = row.check(bench), True
    except ProjectError as error:
        evidence, passed = "\n".join(error.problems), False
    except Exception as error:  # a library's own error fails this test, not the others
        evidence, passed = f"stopped by {type(error).__name__}: {error}", False
    return Result(section, row.test, row.how, passed, evidence, round(time.perf_counter() - begun, 1))
