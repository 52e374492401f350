"""The verb `readiness`."""

import json
import os
from typing import TYPE_CHECKING

import click

from handrail.cli.verb import verb
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.config.settings import Settings
    from handrail.readiness.score import Result, Score


@verb()
@click.option("--section", metavar="NAME", help="compute one section only, and keep no record")
def readiness(settings: "Settings", section: str | None) -> None:
    """Compute the ML Test Score: 28 tests of data, model, infrastructure and monitoring."""
    # Threads that wait for their turn leave the processor to others; read when the libraries are loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from handrail.console import progress
    from handrail.readiness.context import ReadinessContext
    from handrail.readiness.score import measure
    from handrail.readiness.test_registry import tests_by_section

    chosen = tests_by_section()
    if section:
        if section not in chosen:
            raise ProjectError(f"--section {section}: no such section; take one of {', '.join(chosen)}")
        chosen = {section: chosen[section]}
    with progress("readiness") as step:
        score = measure(ReadinessContext(settings), chosen, step)
    if not section:
        _keep(settings, score)
    _show(score)
    if score.failed:
        raise ProjectError(f"{each.section}: {each.test}: failed" for each in score.failed)


def _keep(settings: "Settings", score: "Score") -> None:
    from handrail.files import write_whole
    from handrail.readiness.score_evidence import RECORD

    text = json.dumps(score.record(), indent=1, ensure_ascii=False) + "\n"
    write_whole(settings.workspace / "reports" / RECORD, text)


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
    passed = f"{len(score.results) - len(score.failed)} of {len(score.results)} tests pass"
    say(f"ML Test Score of {score.version}: {score.total}, the lowest of {counts}; {passed}")


def _show_result(result: "Result") -> None:
    from handrail.console import say

    say(f"  {'passed' if result.passed else 'FAILED'}  {result.test}  [{result.seconds:.1f} s]")
    say(f"          how    {result.how}")
    first, *more = result.evidence.splitlines()
    say(f"          {'found' if result.passed else 'not   '}  {first}")
    for line in more:
        say(f"                 {line}")
