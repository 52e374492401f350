"""The program `handrail`, for what is done outside a project's own program."""

import json
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handrail.cli.streams import tolerate_unknown_letters

if TYPE_CHECKING:
    from handrail.scaffold.new import Ask

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
INTERRUPTED = 130
Command = Callable[..., Any]


def makes_a_project(no_input: str) -> Callable[[Command], Command]:
    """Return the options of a command that makes a project; `no_input`: the help of `--no-input`."""
    answers = click.option(
        "--answers",
        "file",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Answers in YAML or JSON; or a project's .handrail.json, for one as that is.",
    )
    asks = click.option("--no-input", is_flag=True, help=no_input)
    version = click.option(
        "--to", metavar="VERSION", default="", help="A tag, a branch or a commit of the template."
    )
    address = click.option(
        "--template", metavar="ADDRESS", default="", help="Where the template is: an address, a folder."
    )
    return lambda command: answers(asks(version(address(command))))


@click.group(invoke_without_command=True, context_settings=CONTEXT)
@click.version_option(None, "-V", "--version", package_name="handrail", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Look after projects made with Handrail.

    In a project, its own program has the other verbs: `uv run <project> --help` lists them.
    """
    tolerate_unknown_letters()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@main.command()
@makes_a_project("Ask nothing: what is not answered takes its default.")
@click.argument("words", metavar="[DIR] [QUESTION=ANSWER]...", nargs=-1)
@click.pass_context
def new(
    ctx: click.Context, file: Path | None, no_input: bool, to: str, template: str, words: tuple[str, ...]
) -> None:
    """Make a project, in a new folder or an empty one.

    It asks what cookiecutter asks, and says what each answer adds, in files and in megabytes of packages. DIR
    is by default called like the project. In a repository with other projects, workflows go to its top, and
    look at this folder alone. Examples: `handrail new`, `handrail new services/churn stage=research`,
    `handrail new --answers house.yaml --no-input churn`.
    """
    from handrail.scaffold import new as projects
    from handrail.scaffold.source import source

    folders = [word for word in words if "=" not in word]
    if len(folders) > 1:
        raise click.UsageError(
            f"{folders[1]}: write question=answer, as in stage=operation; DIR is one folder"
        )
    folder = Path(folders[0]) if folders else None
    with refusals_told(ctx, "no project was made"):
        given = projects.answers_in(file) if file else {}
        given |= pairs(tuple(word for word in words if "=" in word))
        where = source(template, to, (folder or Path("here")).absolute().parent)
        made = projects.new(folder, where, given, None if no_input else who_is_asked())
    for line in (*projects.told(made), "Next:", *(f"  {step}" for step in projects.next_steps(made))):
        click.echo(line)


@main.command()
@click.option("--to", metavar="VERSION", default="", help="A tag, a branch or a commit of the template.")
@click.option("--template", metavar="ADDRESS", default="", help="Where the template is, if it has moved.")
@click.option("--dry-run", is_flag=True, help="Show the files, change nothing.")
@click.argument("answers", metavar="[QUESTION=ANSWER]...", nargs=-1)
@click.pass_context
def update(ctx: click.Context, to: str, template: str, dry_run: bool, answers: tuple[str, ...]) -> None:
    """Bring this project to a newer template, to other answers, or both.

    What has changed in the template is merged by git into your own work, and is left staged: look at it, then
    commit. Without --to it is the newest version. Examples: `handrail update`, `handrail update
    stage=operation`, `handrail update --to v0.3.0 --dry-run`.
    """
    from handrail.scaffold import update as updates

    wanted = updates.Wanted(to, template, pairs(answers), dry_run)
    with refusals_told(ctx, "nothing was changed"):
        outcome = updates.update(updates.project_above(Path.cwd()), wanted, who_is_asked())
    for line in updates.told(outcome, dry_run):
        click.echo(line)
    ctx.exit(1 if outcome.conflicts else 0)


@main.command()
@click.option("--template", metavar="ADDRESS", default="", help="Where the template is, if it has moved.")
@click.option("--json", "as_json", is_flag=True, help="Print everything that was found, as JSON.")
@click.argument(
    "folders", metavar="DIR...", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.pass_context
def check(ctx: click.Context, template: str, as_json: bool, folders: tuple[Path, ...]) -> None:
    """Tell of many projects how each stands: a row for each.

    DIR is a project, or a folder that holds some; by default, this one. It reads files and asks git, and runs
    nothing of a project. It ends with 1 where a project is behind its template, lacks a standard file or has
    another one, or has not the engine that its template made.
    """
    from handrail.scaffold import check as checks

    chosen = [project for folder in folders or (Path(),) for project in checks.projects_in(folder)]
    found = checks.check(chosen, template)
    if as_json:
        click.echo(json.dumps([each.record() for each in found], indent=1, ensure_ascii=False))
    else:
        from handrail.cli.check_table import show

        show(found)
    ctx.exit(1 if any(each.faults for each in found) else 0)


@main.command()
@makes_a_project("Ask nothing: the files of the repository answer.")
@click.option("--branch", metavar="NAME", default="handrail-adopt", show_default=True, help="The new branch.")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("words", metavar="[QUESTION=ANSWER]...", nargs=-1)
@click.pass_context
def adopt(  # noqa: PLR0913, PLR0917
    ctx: click.Context,
    file: Path | None,
    no_input: bool,
    to: str,
    template: str,
    branch: str,
    folder: Path,
    words: tuple[str, ...],
) -> None:
    """Bring layout and engine into a repository that is there, as a branch to review.

    Nothing that is there is touched: the branch adds a project in a folder of its own, and ADOPT.md, which
    says what of the repository goes where, in which order, with the commands. For that its notebooks,
    modules, data, models, tests and dependencies are read, and nothing is run. They answer the questions,
    too, or offer an answer at a terminal. Examples: `handrail adopt .`, `handrail adopt ../churn
    stage=production`.
    """
    from handrail.scaffold import adopt as adoptions
    from handrail.scaffold import new as projects
    from handrail.scaffold.adopt_page import told
    from handrail.scaffold.source import source

    asks = None if no_input else who_is_asked()
    with refusals_told(ctx, "nothing was changed"):
        given = (projects.answers_in(file) if file else {}) | pairs(words)
        where = source(template, to, folder.absolute())
        adopted = adoptions.adopt(folder.resolve(), where, given, asks, branch)
    for line in told(adopted):
        click.echo(line)


@contextmanager
def refusals_told(ctx: click.Context, untouched: str) -> Generator[None]:
    """End with the lines of what refuses or stops the work in the block; `untouched`: what was not done."""
    from handrail.scaffold.errors import UpdateError

    try:
        yield
    except UpdateError as refusal:
        for line in str(refusal).splitlines():
            click.echo(f"error: {line}", err=True)
        ctx.exit(1)
    except OSError as error:
        click.echo(f"error: {error.filename}: {error.strerror}; {untouched}", err=True)
        ctx.exit(1)
    except (KeyboardInterrupt, click.Abort):
        click.echo(f"error: stopped; {untouched}", err=True)
        ctx.exit(INTERRUPTED)


def who_is_asked() -> "Ask | None":
    """Return the function that asks on the terminal; None where nobody is at one."""
    return ask if sys.stdin.isatty() and sys.stderr.isatty() else None


def pairs(answers: tuple[str, ...]) -> dict[str, str]:
    """Return `question=answer` texts as a table. Raises UsageError."""
    for each in answers:
        if "=" not in each:
            raise click.UsageError(f"{each}: write question=answer, as in stage=operation")
    return dict(each.split("=", 1) for each in answers)


def ask(key: str, question: str, choices: Mapping[str, str] | str) -> str:
    """Ask a new question of the template on the terminal, on standard error; return the answer."""
    click.echo(f"\n{question} ({key})", err=True)
    if isinstance(choices, str):
        return click.prompt("  answer", default=choices, err=True)
    for number, said in enumerate(choices.values(), 1):
        click.echo(f"  {number}  {said}", err=True)
    words = list(choices)
    numbers = [str(number) for number in range(1, len(words) + 1)]
    picked = click.prompt("  number", type=click.Choice(numbers), default="1", show_choices=False, err=True)
    return words[int(picked) - 1]
