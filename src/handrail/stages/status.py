"""Says where the project stands, stage by stage, and what comes next."""

from collections.abc import Iterator

from handrail.config.sections import said
from handrail.config.settings import Settings
from handrail.stages.gates import Finding, Stage, State


def lines(stages: list[Stage], farewell: str | None = None) -> Iterator[str]:
    """Yield the lines of the overview: each stage, what was found, what to do where it isn't done.

    `farewell` is what there is to say after a no: then no later stage is shown, and nothing is asked for.
    """
    width = max(len(title) for stage in stages for title in (*stage.findings, *stage.facts))
    for stage in stages[:1] if farewell else stages:
        yield f"{stage.folder}: {count(stage)}"
        for title, finding in stage.findings.items():
            first, *more = signed(finding).splitlines()
            yield f"  {finding.state:<6}  {title:<{width}}  {first}"
            yield from (f"{'':{width + 12}}{line}" for line in more)
        yield from (f"{'':10}{title:<{width}}  {fact}" for title, fact in stage.facts.items())
        yield ""
    yield farewell or next_step(stages)


def lead(settings: Settings) -> str:
    """Return what the project is for, and for whom, in two sentences."""
    described = said(settings.description)
    return f"{described[:1].upper()}{described[1:]}. Sponsor: {said(settings.decision.sponsor)}."


def count(stage: Stage) -> str:
    """Return how much of a stage is done."""
    number = sum(finding.state is State.DONE for finding in stage.findings.values())
    return "passed" if stage.passed else f"{number} of {len(stage.findings)} done"


def signed(finding: Finding) -> str:
    """Return the evidence, and who stands behind it."""
    return f"{finding.evidence}, by {finding.by}" if finding.by else finding.evidence


def next_step(stages: list[Stage]) -> str:
    """Return the sentence on what to do now: first what has failed, then what is open, in order."""
    for state in (State.FAILED, State.OPEN):
        for stage, title, finding in _findings(stages):
            if finding.state is state:
                return f"Next ({stage.folder}, {title}): {finding.next_step}"
    return "Next: nothing; every gate is passed"


def _findings(stages: list[Stage]) -> Iterator[tuple[Stage, str, Finding]]:
    return ((stage, title, finding) for stage in stages for title, finding in stage.findings.items())
