"""The command line: one file per verb, imported only when that verb is called."""

import argparse
import ast
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from ..errors import ProjectError

PROGRAM = (__package__ or "").split(".")[0].replace("_", "-")


def verbs() -> dict[str, Path]:
    """Return every verb with its file, importing none of them."""
    return {file.stem.replace("_", "-"): file for file in sorted(Path(__file__).parent.glob("[!_]*.py"))}


def summary(file: Path) -> str:
    """Return the first line of a file's docstring."""
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].rstrip(".")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 alert."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    known = verbs()
    if not arguments or arguments[0] not in known:
        _overview(known).parse_args(arguments or ["--help"])
        return 0
    return run(arguments[0], arguments[1:])


def run(verb: str, arguments: Sequence[str] = (), *, warned: bool = False) -> int:
    """Run `verb`; a refusal is one clear line on standard error, never a traceback.

    Unless a verb says NEEDS_GO = False, or somebody was `warned` already, a missing go is one line there too.
    """
    from ..settings import read_settings
    from ..stages.go_ahead import missing_go

    try:
        module = import_module(f"{__name__}.{verb.replace('-', '_')}")
        parser = argparse.ArgumentParser(prog=f"{PROGRAM} {verb}", description=module.__doc__)
        parser.add_argument(
            "--sample", type=int, metavar="N", help="do it with N rows, in the folder sample/N/"
        )
        module.add_arguments(parser)
        options = parser.parse_args(arguments)
        settings = read_settings(options.sample)
        missing = None if warned or not getattr(module, "NEEDS_GO", True) else missing_go(settings)
        if missing:
            print(f"warning: {missing}", file=sys.stderr)
        return module.run(options, settings)
    except ProjectError as error:
        return _fail(error.problems)
    except OSError as error:
        return _fail(
            [f"{error.filename or verb}: {error.strerror or error}; the last good result is untouched"]
        )
    except KeyboardInterrupt:
        return _fail(["stopped; the last good result is untouched"], status=130)


def _fail(problems: Sequence[str], status: int = 1) -> int:
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return status


def _overview(known: dict[str, Path]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"`{PROGRAM} VERB --help` tells more. Every verb takes --sample N to run small.",
    )
    subparsers = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb, file in known.items():
        subparsers.add_parser(verb, help=summary(file))
    return parser
