"""Rehearses what the people who stay have to be able to do: the tests, and the runbook on a copy."""

import os
import shlex
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, suppress
from datetime import UTC, datetime
from importlib import import_module
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from UNRESOLVED_commands import verbs

from handrail.config.settings import PACKAGE, Settings
from handrail.stages.dry_run import DryRun, Tried, commands_of
from handrail.stages.project_copy import copied

GOOD = (0, 3)  # 3 is an alert: what monitoring is for
NEVER_END = {"serve", "tracking"}
LONGEST_SECONDS = 3600
MOST_NAMED = 3  # tests that fail


def run_dry(settings: Settings, on_step: Callable[[str], None]) -> DryRun:
    """Run the tests where they are, and each command of the runbook, in its order, on one copy."""
    on_step("run the tests")
    tests = _ran([sys.executable, "-m", "pytest", "-q", "-m", ""], settings.root, os.environ, "pytest")
    with TemporaryDirectory(prefix="rehearsal-") as folder:
        on_step("copy the project")
        environment = copied(settings, Path(folder))
        tried = []
        for line in commands_of(settings):
            on_step(line)
            tried.append(attempt(settings, line, Path(folder), environment))
    return DryRun(at=datetime.now(UTC), tests=tests, commands=tuple(tried))


def attempt(settings: Settings, line: str, folder: Path, environment: Mapping[str, str]) -> Tried:
    """Run one command in `folder`; of one that never ends, only look at its options."""
    verb, *arguments = shlex.split(line)
    if not accepted(verb, arguments):
        return Tried(command=line, works=False, said="there is no such command")
    if verb in NEVER_END and "--rehearse" not in arguments:
        return Tried(command=line, works=True, said="not run, as it never ends; its options are right")
    small = ("--sample", str(settings.sample)) if settings.sample else ()
    tried = _ran(
        [sys.executable, "-m", settings.project.package, verb, *arguments, *small], folder, environment, line
    )
    # The copy is gone when this is read.
    here = tried.said.replace(f"{folder / 'work'}{os.sep}", "").replace(str(folder), ".")
    return tried.model_copy(update={"said": here})


def accepted(verb: str, arguments: Sequence[str]) -> bool:
    """Return whether there is such a verb, with such options."""
    if verb not in verbs():
        return False
    parser = ArgumentParser()
    parser.add_argument("--sample", type=int)
    import_module(f"{PACKAGE}.commands.{verb.replace('-', '_')}").add_arguments(parser)
    with suppress(SystemExit), redirect_stderr(StringIO()):
        parser.parse_args(arguments)
        return True
    return False


def _ran(command: Sequence[str], folder: Path, environment: Mapping[str, str], name: str) -> Tried:
    try:
        done = subprocess.run(  # noqa: S603
            command,
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
    return Tried(command=name, works=works, said=_told(works, done.stdout, done.stderr))


def _told(works: bool, out: str, err: str) -> str:
    """Return the first error of what failed, or its tests that did; otherwise the last line printed."""
    lines = [[line.strip() for line in text.splitlines() if line.strip()] for text in (out, err)]
    errors = [line for line in lines[1] if line.startswith("error: ")]
    if errors and not works:
        return errors[0].removeprefix("error: ")
    tests = [line.split()[1] for line in lines[0] if line.startswith("FAILED ")]
    if tests and not works:
        return f"{lines[0][-1]}: {', '.join(tests[:MOST_NAMED])}"
    return next((text[-1] for text in lines if text), "nothing")
