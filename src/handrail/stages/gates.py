"""The gates: what each stage needs, what the evidence says, and what `status --strict` refuses.

Evidence is *done*; *open*, not there yet; or *failed*, there and against. Open is no fault while its
stage is worked on. It becomes one when a later stage has begun without it. *Advice* never does: the stage
can be passed without.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from types import ModuleType

from handrail import labelling
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.project import STAGES

GO = "decision made"
MODULES = {stage: f"handrail.stages.{stage}" for stage in STAGES}
ADDED = {"research": "handrail.labelling.gate"}  # where the project asks people for labels


class State(StrEnum):
    """What the evidence says."""

    DONE = "done"
    OPEN = "open"
    FAILED = "failed"
    ADVICE = "advice"


@dataclass(frozen=True)
class Finding:
    """What was found, what to do next if it is not done; who stands behind it, or the file that it is in."""

    state: State
    evidence: str
    next_step: str = ""
    by: str = ""
    source: str = ""


@dataclass(frozen=True)
class Stage:
    """A stage that the project has: whether its work has begun, and what was found, by the check's name.

    facts: what is to be known of it besides, by name; no gate waits for it
    """

    folder: str
    begun: bool
    findings: Mapping[str, Finding]
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether everything that the stage needs is done."""
        return all(finding.state in (State.DONE, State.ADVICE) for finding in self.findings.values())

    @property
    def failed(self) -> bool:
        """Whether something that the stage needs is not as it should be."""
        return any(finding.state is State.FAILED for finding in self.findings.values())


def done(evidence: str, by: str = "", source: str = "") -> Finding:
    """Return that the evidence is there, by whom or in which file of the project."""
    return Finding(State.DONE, evidence, by=by, source=source)


def still_open(evidence: str, next_step: str) -> Finding:
    """Return that the evidence is not there yet, and how to get it."""
    return Finding(State.OPEN, evidence, next_step)


def advice(evidence: str, next_step: str) -> Finding:
    """Return that there is more to gain, and how; nothing waits for it."""
    return Finding(State.ADVICE, evidence, next_step)


def command(settings: Settings, verb: str) -> str:
    """Return the command line of a verb, small where the settings are."""
    sample = f" --sample {settings.sample}" if settings.sample else ""
    return f"uv run {settings.project.program} {verb}{sample}"


BORROWED = still_open(
    "that of the worked example, not of your data",
    "write your own, then take `example: true` out of project.yaml",
)


def gate_modules(settings: Settings, stage: str) -> list[ModuleType]:
    """Return the module of a stage, then that of a part of the project which adds to it.

    Each has CHECKS (name: function from settings to a finding; ProjectError is a failure), BY_PEOPLE, the
    checks of what people write and sign: it counts only if it is theirs, and `yours`, which returns for a
    project the files to change for data of one's own. That of a stage has `begun` too, and may have FACTS
    (name: function from settings to a sentence), which are no gates.
    """
    names = [MODULES[stage]]
    if stage in ADDED and labelling.is_asked_for(settings.root):
        names.append(ADDED[stage])
    return [import_module(name) for name in names]


def read_stages(settings: Settings) -> list[Stage]:
    """Look at the evidence of every stage that the project has, in their order."""
    return [_read_stage(settings, name) for name in settings.project.stages]


def _read_stage(settings: Settings, name: str) -> Stage:
    modules = gate_modules(settings, name)
    findings = {
        title: BORROWED if settings.borrowed and title in module.BY_PEOPLE else _judged(check, settings)
        for module in modules
        for title, check in module.CHECKS.items()
    }
    facts = {title: _told(of, settings) for title, of in getattr(modules[0], "FACTS", {}).items()}
    return Stage(f"{STAGES.index(name) + 1}-{name}", _has_begun(modules[0].begun, settings), findings, facts)


def refusals(stages: list[Stage]) -> list[str]:
    """Return why `status --strict` fails: what has failed, and what is open though a later stage has begun.

    The decision may not be open at all: until somebody has said go, nothing should be built on it.
    """
    found = []
    for place, stage in enumerate(stages):
        later = next((other.folder for other in stages[place + 1 :] if other.begun), None)
        for title, finding in stage.findings.items():
            if finding.state is State.FAILED:
                found.append(f"{stage.folder}: {title}: {finding.evidence}")
            elif finding.state is State.OPEN and (later or title == GO):
                though = f", though {later} has begun" if later else ""
                gap = f"{finding.evidence}{though}; {finding.next_step}"
                found.append(f"{stage.folder}: {title}: {gap}")
    return found


def _judged(check: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return check(settings)
    except ProjectError as error:
        return Finding(State.FAILED, "\n".join(error.problems), "mend that first")


def _told(of: Callable[[Settings], str], settings: Settings) -> str:
    try:
        return of(settings)
    except ProjectError as error:
        return "; ".join(error.problems)


def _has_begun(begun: Callable[[Settings], bool], settings: Settings) -> bool:
    try:
        return begun(settings)
    except ProjectError:  # the check that reads the same evidence says why
        return False
