"""Compute the ML Test Score: 28 tests of data, model, infrastructure and monitoring."""

import json
import os
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from handrail.config.settings import Settings
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.readiness.score import Result, Score


def add_arguments(parser: ArgumentParser) -> None:
    """Take one section, to look at it alone."""
    parser.add_argument("--section", metavar="NAME", help="compute one section only, and keep no record")


def run(options: Namespace, settings: Settings) -> int:
    """Show every test and the score, keep the record; refuse where a test fails."""
    # Threads that wait for their turn leave the processor to others; read when the libraries are loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from handrail.console import progress
    from handrail.files import write_whole
    from handrail.readiness.context import ReadinessContext
    from handrail.readiness.score import measure
    from handrail.readiness.score_evidence import RECORD
    from handrail.readiness.test_registry import rows_by_section

    chosen = rows_by_section()
    if options.section:
        if options.section not in chosen:
            raise ProjectError(
                f"--section {options.section}: no such section; take one of {', '.join(chosen)}"
            )
        chosen = {options.section: chosen[options.section]}
    with progress("readiness") as step:
        score = measure(ReadinessContext(settings), chosen, step)
    if not options.section:
        report = settings.workspace / "reports" / RECORD
        write_whole(report, json.dumps(score.record(), indent=1, ensure_ascii=False) + "\n")
    _show(score)
    if score.failed:
        raise ProjectError(f"{each.section}: {each.test}: failed" for each in score.failed)
    return 0


def _show(score: "Score") -> None:
    from handrail.console import say

    for section, automated in score.sections.items():
        results = [each for each in score.results if each.section == section]
        passed = sum(each.passed for each in results)
        say(f"{section.capitalize()}: {automated} of {len(results)} automated, {passed} passed")
        for each in results:
            _show_result(each)
        say("")
    counts = ", ".join(f"{section} {automated}" for section, automated in score.sections.items())
    say(f"ML Test Score of {score.version}: {score.total} ({counts}); the lowest section counts")
    say(f"{len(score.results) - len(score.failed)} of {len(score.results)} tests passed")


def _show_result(result: "Result") -> None:
    from handrail.console import say

    say(f"  {'passed' if result.passed else 'FAILED'}  {result.test}  [{result.seconds:.1f} s]")
    say(f"          how    {result.how}")
    first, *more = result.evidence.splitlines()
    say(f"          {'found' if result.passed else 'not   '}  {first}")
    for line in more:
        say(f"                 {line}")
