"""What the last rehearsal showed: whether the tests pass here, and each command of the runbook works."""

import re
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.stages.documents import read_text
from handrail.stages.gates import Finding, command, done, still_open

RUNBOOK = "4-operation/runbook.md"
COMMAND = re.compile(rf"uv run {re.escape(PROGRAM)} ([^`\n]+)")


class Tried(BaseModel):
    """A command, whether it came to its good end, and the line that says so, or why not."""

    model_config = ConfigDict(frozen=True)

    command: str
    works: bool
    said: str


class DryRun(BaseModel):
    """What was tried in one rehearsal."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    tests: Tried
    commands: tuple[Tried, ...]


def dry_run_path(settings: Settings) -> Path:
    """Return where the last rehearsal is kept."""
    return settings.workspace / "reports" / "rehearsal.json"


def commands_of(settings: Settings) -> list[str]:
    """Return the commands that the runbook names, without the program, each once and in its order."""
    return list(dict.fromkeys(line.strip() for line in COMMAND.findall(read_text(settings, RUNBOOK))))


def tests_ran(settings: Settings) -> Finding:
    """Find the tests passed in the last rehearsal."""
    last = _last(settings)
    if last is None:
        return still_open("nothing was rehearsed here", _again(settings))
    if not last.tests.works:
        return still_open(f"the tests fail here: {last.tests.said}", _again(settings))
    return done(f"on {last.at.date()}: {last.tests.said}")


def runbook_works(settings: Settings) -> Finding:
    """Find every command that the runbook names now tried in the last rehearsal, and working."""
    lines, last = commands_of(settings), _last(settings)
    if not lines:
        return still_open(f"{RUNBOOK}: it has no command", "mend the runbook")
    tried = {each.command: each for each in last.commands} if last else {}
    missing = [line for line in lines if line not in tried]
    if last is None or missing:
        return still_open(f"{RUNBOOK}: not rehearsed: {', '.join(missing)}", _again(settings))
    broken = [f"{line}: {tried[line].said}" for line in lines if not tried[line].works]
    if broken:
        return still_open(
            f"{RUNBOOK}: does not work: {'; '.join(broken)}", "mend the runbook, or what it runs"
        )
    return done(f"on {last.at.date()}: each of {len(lines)} commands works on a copy")


def _last(settings: Settings) -> DryRun | None:
    """Return the last rehearsal, None where there was none; raises ProjectError where it can't be read."""
    path = dry_run_path(settings)
    try:
        return DryRun.model_validate_json(path.read_bytes()) if path.is_file() else None
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise ProjectError(f"reports/{path.name}: no rehearsal ({reason}); {_again(settings)}") from None


def _again(settings: Settings) -> str:
    return f"{command(settings, 'handover')} --rehearse"
