"""The command line: one file per verb, imported only when that verb is called."""

from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.cli.program import Program, accepts, command_line, run, verb_names
    from handrail.cli.verb import Verb

__all__ = ["Program", "Verb", "accepts", "command_line", "run", "verb_names"]

__getattr__ = lazy_names(
    __name__,
    {
        "Program": "program",
        "Verb": "verb",
        "accepts": "program",
        "command_line": "program",
        "run": "program",
        "verb_names": "program",
    },
)
