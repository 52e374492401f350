"""The program of a project: the library's verbs of the parts that it has, and the project's own."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from typing import TYPE_CHECKING, Any

import click

from handrail.cli.catalogue import VERBS, is_there, why_not
from handrail.cli.completion import COMPLETION, SUMMARY, completion_command
from handrail.cli.extras import which_extra
from handrail.cli.streams import tell_warnings, tolerate_unknown_letters
from handrail.cli.verb import Function, Invocation, Verb, verb
from handrail.errors import ProjectError
from handrail.project import STAGES, BrokenModuleError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from handrail.project import Project

INTERRUPTED = 130
UNTOUCHED = "the last good result is untouched"


class Program(click.Group):
    """The command line of a project. Calling it runs one verb and ends the process with its exit status.

    0 done, 1 refused or failed, 2 wrong usage, 3 alert, 130 stopped by Ctrl-C. What is refused is a line
    `error: ...` on standard error, never a traceback. A verb is imported when it is called, not before.
    """

    def __init__(self, project: "Project", own: Mapping[str, click.Command] | None = None) -> None:
        super().__init__(
            project.program,
            commands=dict(own or {}),
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
            options_metavar=None,
            subcommand_metavar="VERB [OPTIONS]",
            epilog=f"`{project.program} VERB --help` tells more. Every verb takes --sample N to run small.",
        )
        self.project = project

    def verb(self, name: str | None = None, *, needs_go: bool = True) -> Callable[[Function], Verb]:
        """Add a verb of the project's own: a function of the settings, as in `@main.verb()`.

        Its docstring is the help, the first line the summary, and its name the verb's if none is given.
        Options are click's, stacked under the decorator. It takes `--sample N` like every verb, returns None
        or an exit status, and refuses by ProjectError. One with the name of a verb of the library takes that
        one's place.
        """

        def add(function: Function) -> Verb:
            made = verb(name, needs_go=needs_go)(function)
            self.add_command(made)
            return made

        return add

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run one verb by the arguments of the process, or by `args`, and exit with its status."""
        tolerate_unknown_letters()
        tell_warnings()
        status = self.run(sys.argv[1:] if args is None else args)
        _flush()
        if standalone_mode:
            sys.exit(status)
        return status

    def run(self, arguments: Sequence[str], *, warned: bool = False) -> int:
        """Run one verb and return its exit status."""
        given = Invocation(self.project, warned)
        arguments = list(arguments) or ["--help"]
        try:
            status = super().main(arguments, self.project.program, standalone_mode=False, obj=given)
        except SystemExit as left:  # what a library, or the shell's completion, ends with
            status = _tell([left.code]) if isinstance(left.code, str) else left.code
        except (click.ClickException, click.Abort) as error:
            status = _tell_usage(error)
        return status if isinstance(status, int) else 0

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; what it refuses is told, and becomes an exit status."""
        try:
            return super().invoke(ctx)
        except ProjectError as error:
            return _tell(error.problems)
        except BrokenPipeError:  # nobody reads on, as after `| head -1`
            return 1
        except OSError as error:
            what = error.filename or ctx.invoked_subcommand
            return _tell([f"{what}: {error.strerror or error}; {UNTOUCHED}"])
        except KeyboardInterrupt:
            return _tell([f"stopped; {UNTOUCHED}"], INTERRUPTED)
        except ModuleNotFoundError as error:
            missing = which_extra(error)
            if missing is None:
                raise
            return _tell([f"{ctx.invoked_subcommand}: {missing}"])

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs that there are: the library's by stage, then the project's own."""
        return [*self.verbs(), COMPLETION]

    def verbs(self) -> list[str]:
        """Return the verbs that work on the project, in the order of the help."""
        listed = [name for name in VERBS if name not in self.commands and is_there(self.project, name)]
        return [*listed, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb by its name, None where there is none."""
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        if cmd_name == COMPLETION:
            return completion_command(self.project.program)
        if cmd_name not in VERBS or not is_there(self.project, cmd_name):
            return None
        name = cmd_name.replace("-", "_")
        return getattr(import_module(f"handrail.cli.verbs.{name}"), name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb that is called; one that is not there is wrong usage, and the near one is named."""
        name = args[0]
        missing = not ctx.resilient_parsing and self.get_command(ctx, name) is None
        if missing and name in VERBS:
            raise click.UsageError(f"{name}: {why_not(self.project, name)}", ctx)
        if missing and name[:1].isalnum():
            raise click.NoSuchCommand(name, possibilities=self.list_commands(ctx), ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs by stage, then the project's own, each with its summary in full."""
        listed = [name for name in self.verbs() if name not in self.commands]
        groups = {
            stage.capitalize(): [name for name in listed if VERBS[name].stage == stage] for stage in STAGES
        }
        groups |= {"This project's own": list(self.commands), "Shell": [COMPLETION]}
        width = max(len(name) for name in self.list_commands(ctx))
        for heading, names in groups.items():
            if names:
                with formatter.section(heading):
                    formatter.write_dl([(name.ljust(width), self.summary(name)) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list["CompletionItem"]:
        """Return the verbs that begin with `incomplete`, importing none."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=self.summary(name))
            for name in self.list_commands(ctx)
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def summary(self, name: str) -> str:
        """Return what a verb does, in a line."""
        if name in self.commands:
            return (self.commands[name].help or "").strip().partition("\n")[0].rstrip(".")
        return VERBS[name].summary if name in VERBS else SUMMARY

    def accepts(self, name: str, arguments: Sequence[str]) -> bool:
        """Return whether a verb is there and would take `arguments`; nothing is run."""
        context = click.Context(self, info_name=self.project.program, **self.context_settings)
        command = self.get_command(context, name)
        if command is None:
            return False
        with redirect_stdout(StringIO()):
            try:
                command.make_context(name, list(arguments), parent=context)
            except click.UsageError:
                return False
            except click.exceptions.Exit:  # its help is shown
                return True
        return True


def command_line(project: "Project") -> Program:
    """Return the program of a project, to which commands.py adds verbs of the project's own."""
    return Program(project)


def run(project: "Project", arguments: Sequence[str], *, warned: bool = False) -> int:
    """Run one verb of a project, such as ["train", "--sample", "2000"], and return its exit status.

    `warned`: somebody has been told already that nobody has said go.
    """
    return program_of(project).run(arguments, warned=warned)


def accepts(project: "Project", name: str, arguments: Sequence[str]) -> bool:
    """Return whether a project has a verb that would take `arguments`; nothing is run."""
    return program_of(project).accepts(name, arguments)


def verb_names(project: "Project") -> list[str]:
    """Return the verbs of a project, its own included, in the order of the help."""
    return program_of(project).verbs()


def program_of(project: "Project") -> Program:
    """Return the program of `project`, with the verbs that its package adds in commands.py, if it has any."""
    own: Mapping[str, click.Command] = {}
    try:
        main = getattr(project.module("commands"), "main", None)
        own = main.commands if isinstance(main, Program) else {}
    except BrokenModuleError:
        raise
    except ProjectError:  # it has none
        pass
    return Program(project, own)


def _tell(problems: Sequence[str], status: int = 1) -> int:
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return status


def _tell_usage(error: click.ClickException | click.Abort) -> int:
    if isinstance(error, click.Abort):
        return _tell(["stopped"], INTERRUPTED if isinstance(error.__cause__, KeyboardInterrupt) else 1)
    context = getattr(error, "ctx", None)
    if context is not None:
        print(context.get_usage(), file=sys.stderr)
    return _tell([error.format_message()], error.exit_code)


def _flush() -> None:
    """Write what is still to be written; nobody may be there any more to read it, as after `| head -1`."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
