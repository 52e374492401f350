"""The dry run of the handover: the tests, and each command of the runbook on a copy of the project."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel, ConfigDict, ValidationError

from handrail.cli import accepts
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.stages.documents import read_text
from handrail.stages.gates import Finding, command, done, still_open
from handrail.stages.project_copy import ProjectCopy, copy_project, give_second_version
from handrail.stages.start_over import BLANK_DAY

RUNBOOK = "4-operation/runbook.md"
GOOD = (0, 3)  # 3 is an alert: what monitoring is for
NEVER_END = {"serve", "tracking"}
LONGEST_SECONDS = 3600
MOST_NAMED = 3  # tests that fail


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
    named = re.compile(rf"uv run {re.escape(settings.project.program)} ([^`\n]+)")
    return list(dict.fromkeys(line.strip() for line in named.findall(read_text(settings, RUNBOOK))))


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


def run_dry(settings: Settings, on_step: Callable[[str], None]) -> DryRun:
    """Run the tests where they are, and each command of the runbook, in its order, on one copy."""
    on_step("run the tests")
    tests = _run([sys.executable, "-m", "pytest", "-q", "-m", ""], settings.root, os.environ, "pytest")
    with TemporaryDirectory(prefix="rehearsal-") as folder:
        on_step("copy the project")
        there = copy_project(settings, Path(folder))
        tried = []
        for line in commands_of(settings):
            on_step(line)
            tried.append(attempt(there, line))
    return DryRun(at=datetime.now(UTC), tests=tests, commands=tuple(tried))


def attempt(there: ProjectCopy, line: str) -> Tried:
    """Run one command in a copy; of one that never ends, only look at its options.

    A rollback is given a version to leave, where only one was ever promoted.
    """
    verb, *arguments = shlex.split(line)
    if any(BLANK_DAY in word for word in arguments):
        return Tried(command=line, works=False, said=f"write a day in place of {BLANK_DAY} in runbook.md")
    if not accepts(there.settings.project, verb, arguments):
        return Tried(command=line, works=False, said="there is no such command")
    if verb in NEVER_END and "--rehearse" not in arguments:
        return Tried(command=line, works=True, said="not run, as it never ends; its options are right")
    if verb == "rollback":
        with suppress(ProjectError):  # the command itself says what is wrong
            give_second_version(there.settings)
    settings, folder = there.settings, there.settings.root
    small = ("--sample", str(settings.sample)) if settings.sample else ()
    called = [sys.executable, "-m", settings.project.package, verb, *arguments, *small]
    tried = _run(called, folder, there.environment, line)
    # The copy is gone when this is read.
    here = tried.said.replace(f"{folder / 'work'}{os.sep}", "").replace(str(folder), ".")
    return tried.model_copy(update={"said": here})


def _run(called: Sequence[str], folder: Path, environment: Mapping[str, str], name: str) -> Tried:
    try:
        done = subprocess.run(  # noqa: S603
            called,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Tried(command=name, works=False, said=f"did not end within {LONGEST_SECONDS} seconds")
    works = done.returncode in GOOD
    return Tried(command=name, works=works, said=_last_words(works, done.stdout, done.stderr))


def _last_words(works: bool, out: str, err: str) -> str:
    """Return the first error of what failed, or its tests that did; otherwise the last line printed."""
    lines = [[line.strip() for line in text.splitlines() if line.strip()] for text in (out, err)]
    errors = [line for line in lines[1] if line.startswith("error: ")]
    if errors and not works:
        return errors[0].removeprefix("error: ")
    tests = [line.split()[1] for line in lines[0] if line.startswith("FAILED ")]
    if tests and not works:
        return f"{lines[0][-1]}: {', '.join(tests[:MOST_NAMED])}"
    return next((text[-1] for text in lines if text), "nothing")


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
