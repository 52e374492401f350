"""What a verb is: a function of the settings, with options of click under it."""

import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.project import Project

Function = Callable[..., int | None]
SECTIONS = re.compile(r"^(Args|Returns|Raises|Yields|Examples?|Notes?):\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Invocation:
    """The project that is worked on; `warned`: whether it has been said already that a go is missing."""

    project: "Project"
    warned: bool = False


class Verb(click.Command):
    """A command that reads the settings, with `--sample N` as a small run has them, and hands them on.

    Unless it is made with `needs_go=False`, a missing go is one line of warning on standard error.
    """

    def __init__(self, name: str, function: Function, *, needs_go: bool) -> None:
        own = reversed(getattr(function, "__click_params__", []))
        sample = click.Option(
            ["--sample"], type=int, metavar="N", help="do it with N rows, in the folder sample/N/"
        )
        text = SECTIONS.split(inspect.getdoc(function) or "", maxsplit=1)[0].rstrip()
        super().__init__(name, params=[sample, *own], callback=function, help=text)
        self.function, self.needs_go = function, needs_go

    @property
    def summary(self) -> str:
        """The first line of the function's docstring, without its full stop."""
        return (self.help or "").partition("\n")[0].rstrip(".")

    def invoke(self, ctx: click.Context) -> int:
        """Call the function with the settings and its options; return its exit status, 0 for None."""
        given = ctx.ensure_object(Invocation)
        settings = given.project.settings(ctx.params.pop("sample"))
        if self.needs_go and not given.warned:
            from handrail.stages.go_ahead import missing_go

            missing = missing_go(settings)
            if missing:
                print(f"warning: {missing}", file=sys.stderr)
        status: Any = ctx.invoke(self.function, settings, **ctx.params)
        if isinstance(status, bool) or not isinstance(status, int | None):
            raise ProjectError(f"{self.name}: returned {status!r:.60}; a verb returns None or an exit status")
        return status or 0


def verb(name: str | None = None, *, needs_go: bool = True) -> Callable[[Function], Verb]:
    """Make a verb of a function of the settings: its docstring is the help, its name the verb's.

    Options are click's, stacked under this decorator; they reach the function as keywords. The function
    returns None or an exit status, and refuses by raising ProjectError.
    """

    def made(function: Function) -> Verb:
        known_as = name or getattr(function, "__name__", "").replace("_", "-")
        return Verb(known_as, function, needs_go=needs_go)

    return made
