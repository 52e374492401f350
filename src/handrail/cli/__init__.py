"""The command line: one file per verb, imported only when that verb is called."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.project import Project

VERBS = {
    "archive": "operation", "demo": "research", "etl": "research", "handover": "operation", "ideas": "discovery",
    "labels": "labelling", "monitor": "operation", "promote": "production", "purge": "operation",
    "readiness": "operation", "replay": "operation", "rollback": "production", "rounds": "research",
    "score": "batch", "serve": "api", "start-over": "discovery", "status": "discovery", "tracking": "tracking",
    "train": "research", "tune": "research",
}  # fmt: skip


def verbs(project: "Project") -> tuple[str, ...]:
    """Return the verbs that a project has."""
    return tuple(verb for verb, part in VERBS.items() if _has(project, part))


def _has(project: "Project", part: str) -> bool:
    if part == "labelling":
        from handrail.config.settings import find_root

        try:
            root = project.root or find_root()
        except ProjectError:
            return False
        return (root / "2-research" / "labelling").is_dir()
    return part == "discovery" or project.has(part)


def _parser(project: "Project", verb: str) -> tuple[argparse.ArgumentParser, object]:
    module = import_module(f"{__name__}.verbs.{verb.replace('-', '_')}")
    parser = argparse.ArgumentParser(prog=f"{project.program} {verb}", description=module.__doc__)
    parser.add_argument("--sample", type=int, metavar="N", help="do it with N rows, in the folder sample/N/")
    module.add_arguments(parser)
    return parser, module


def run(project: "Project", arguments: Sequence[str], *, warned: bool = False) -> int:
    """Run one verb and return the exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 alert."""
    from handrail.stages.go_ahead import missing_go

    verb, *rest = arguments
    if verb not in verbs(project):
        print(f"error: no such verb: {verb}", file=sys.stderr)
        return 2
    try:
        parser, module = _parser(project, verb)
        options = parser.parse_args(rest)
        settings = project.settings(options.sample)
        missing = None if warned or not getattr(module, "NEEDS_GO", True) else missing_go(settings)
        if missing:
            print(f"warning: {missing}", file=sys.stderr)
        return module.run(options, settings)
    except SystemExit as left:
        return int(left.code or 0)
    except ProjectError as error:
        return _fail(error.problems)
    except OSError as error:
        return _fail(
            [f"{error.filename or verb}: {error.strerror or error}; the last good result is untouched"]
        )
    except KeyboardInterrupt:
        return _fail(["stopped; the last good result is untouched"], status=130)


def accepts(project: "Project", verb: str, arguments: Sequence[str]) -> bool:
    """Return whether there is such a verb, with such options; nothing is run."""
    if verb not in verbs(project):
        return False
    try:
        _parser(project, verb)[0].parse_args(list(arguments))
    except SystemExit:
        return False
    return True


def _fail(problems: Sequence[str], status: int = 1) -> int:
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return status


def command_line(project: "Project"):
    """Return the program of a project."""
    return lambda: sys.exit(run(project, sys.argv[1:]))
