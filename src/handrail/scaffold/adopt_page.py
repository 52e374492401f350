"""What is told of an adoption: a page on the branch, and its summary in the terminal."""

import shlex
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from .answers import TEXTS
from .dependencies import Dependency
from .guesses import Guess
from .moves import STEPS, Layout, Move
from .survey import KINDS, Survey

WIDTH = 110
ROWS_SHOWN = 40  # in the terminal
GUESSES_SHOWN = ("stage", "problem")
DONE_BY = {  # the verb that shows whether a step is done, and the file of the package that it needs
    "data": ("etl", "etl/extract.py"),
    "model": ("train", "model/train.py"),
    "production": ("score", "serve/batch.py"),
}


@dataclass(frozen=True)
class Adopted:
    """What was found in a repository, and the branch that was made of it.

    answers: those that the project was baked with · guessed: of which of them the files spoke
    beside: the files that the branch has outside of the project's folder, by name from the top
    additions: what people are to add to files that are there, by name · hidden: the project's files that an
    ignore rule would hide, were they new, by the rule · page: its name, from the folder that was adopted
    """

    survey: Survey
    layout: Layout
    answers: Mapping[str, str]
    guessed: Mapping[str, Guess]
    moves: list[Move]
    dependencies: list[Dependency]
    branch: str
    page: str
    beside: list[str] = field(default_factory=list)
    additions: Mapping[str, str] = field(default_factory=dict)
    hidden: Mapping[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    commit: str = ""

    @property
    def folder(self) -> str:
        """The folder of the project, as a shell takes it."""
        return quoted(self.layout.folder)

    @property
    def slug(self) -> str:
        """The name of the project's command."""
        return self.answers["project_slug"]

    @property
    def files(self) -> int:
        """How many files the branch adds, the page among them."""
        return len(self.layout.files) + len(self.beside) + 1

    def of(self, step: str) -> list[Move]:
        """Return what a step moves."""
        return [move for move in self.moves if move.step == step]

    def has(self, module: str) -> bool:
        """Return whether the project's package has a file or a folder."""
        return self.layout.has(f"src/{self.layout.package}/{module}")


def page(adopted: Adopted) -> str:
    """Return the page, in Markdown."""
    parts = (opening, first_run, steps, declared, staying, going, answered, at_the_end)
    return "\n".join(line for part in parts for line in [*part(adopted), ""]).rstrip() + "\n"


def opening(adopted: Adopted) -> Iterator[str]:
    """Yield what the branch is."""
    yield f"# {adopted.answers['project_name']} in Handrail's layout"
    yield ""
    yield from paragraph(
        f"This branch adds {adopted.files} files and changes none. `{adopted.layout.folder}/` holds a",
        "whole project in",
        "Handrail's layout, which runs, with a worked example in it. What was here is where it was:",
        f"{KINDS[adopted.survey.kind]}. This page says what of that goes where, in which order.",
        "Nothing has to move at",
        "once: both stand beside each other for as long as you like.",
    )
    if adopted.beside:
        yield ""
        named = ", ".join(f"`{name}`" for name in adopted.beside)
        look = "looks" if len(adopted.beside) == 1 else "look"
        yield from paragraph(
            f"At the top of the repository it adds {named}, which {look} at that folder alone."
        )


def first_run(adopted: Adopted) -> Iterator[str]:
    """Yield how to see the new project run."""
    yield "## 1. See it run"
    yield ""
    whole = adopted.has("etl")
    run = f"uv run {adopted.slug} {'demo' if whole else 'status'}"
    yield from fenced(f"git switch {quoted(adopted.branch)}", f"cd {adopted.folder}", "uv run pytest", run)
    yield ""
    change = ", and `docs/change-it.md` the lines of usual changes" if whole else ""
    yield from paragraph(
        f"Then `uv run {adopted.slug} start-over` empties the example's texts into blank forms, and",
        "lists what is to be",
        f"filled in. `README.md` there has every verb{change}.",
    )


def steps(adopted: Adopted) -> Iterator[str]:
    """Yield the table and the commands of each step."""
    yield "## 2. Move, step by step"
    yield ""
    yield from paragraph(
        f"The second column is in `{adopted.layout.folder}/`. What moves *as it is*, the commands",
        "below its table move;",
        "they are run where this page lies. The rest is taken over by hand; its file goes when",
        "nothing needs it any more.",
    )
    for step, heading in STEPS.items():
        found = adopted.of(step)
        if not found or step in ("last", "stays"):
            continue
        yield from ("", f"### {heading}", "")
        yield from table(("there", "goes to", "what of it"), map(cells_of, found))
        commands = [each for move in found if move.whole for each in commands_of(move, adopted)]
        if commands:
            yield ""
            yield from fenced(*dict.fromkeys(commands))
        verb, needed = DONE_BY.get(step, ("", ""))
        if verb and adopted.has(needed):
            yield ""
            yield f"Done when `uv run {adopted.slug} {verb}` and `uv run pytest` end well."


def declared(adopted: Adopted) -> Iterator[str]:
    """Yield what is to be declared."""
    yield "## 3. Declare what it depends on"
    yield ""
    if not adopted.dependencies:
        yield "Nothing is declared or imported here but what Python itself has."
        return
    rows = ((f"`{each.name}`", each.declared, each.where, each.how) for each in adopted.dependencies)
    yield from table(("package", "asked for", "by", "what to do"), rows)
    groups: dict[str, list[str]] = {}
    for each in adopted.dependencies:
        if each.group != "-":
            groups.setdefault(each.group, []).append(each.name)
    if groups:
        yield ""
        yield from paragraph(
            f"In `{adopted.layout.folder}/`, when the first file that needs them has moved; uv takes the",
            "newest that fits:",
        )
        yield ""
        options = {group: f"--group {group} " if group else "" for group in groups}
        yield from fenced(*(f"uv add {options[group]}{' '.join(names)}" for group, names in groups.items()))


def staying(adopted: Adopted) -> Iterator[str]:
    """Yield what stays, what is to be added to it, and what of it is in the way."""
    yield f"## 4. {STEPS['stays']}"
    yield ""
    found = adopted.of("stays")
    yield from table(("there", "why"), (cells_of(move)[::2] for move in found)) if found else ["Nothing."]
    for name, addition in adopted.additions.items():
        yield ""
        yield from paragraph(f"`{name}` is not changed. To have it look after the project too:")
        yield ""
        yield from fenced(*addition.splitlines(), language="diff")
    for rule, names in adopted.hidden.items():
        yield ""
        yield from paragraph(
            f"The ignore rule {rule} hides from git what is called like `{names[0]}`: such files of",
            "the project are in",
            "git because they were added by force; new ones need `git add --force`, or a narrower rule.",
        )


def going(adopted: Adopted) -> Iterator[str]:
    """Yield what goes in the end."""
    yield f"## 5. {STEPS['last']}"
    yield ""
    found = adopted.of("last")
    yield from table(("there", "goes to", "why"), map(cells_of, found)) if found else ["Nothing."]


def answered(adopted: Adopted) -> Iterator[str]:
    """Yield the answers, with what they rest on."""
    yield "## 6. What was answered"
    yield ""
    whys = {key: guess.why for key, guess in adopted.guessed.items()}
    rows = ((key, answer, whys.get(key, "")) for key, answer in adopted.answers.items())
    yield from table(("question", "answer", "by what is here"), rows)
    yield ""
    yield f"Another answer, with all that it brings or takes away, in `{adopted.layout.folder}/`:"
    yield ""
    yield from fenced("uv run handrail update stage=operation")


def at_the_end(adopted: Adopted) -> Iterator[str]:
    """Yield how the branch comes to its end."""
    yield "## 7. Merge, and the end"
    yield ""
    folder = adopted.layout.folder
    yield from paragraph(
        "The branch disturbs nothing, so it can be merged at once, and the moves come as changes",
        "like any other. In the end",
        f"delete what section 5 lists, and this page. The project may stay in `{folder}/` for good,",
        "with others beside it.",
        "Or it moves up, when nothing is left there that bears the same name; the update brings its",
        "workflows along:",
    )
    yield ""
    yield from fenced(
        f"git mv -k {adopted.folder}/* {adopted.folder}/.[!.]* .",
        'git commit -m "Move the project up"',
        "uv run handrail update",
    )
    yield ""
    yield from paragraph(
        "`uv run handrail update` keeps it current, and",
        f"`handrail check {adopted.folder}` says how it stands.",
    )


def told(adopted: Adopted) -> list[str]:
    """Return the summary for the terminal."""
    folder, going_on = adopted.layout.folder, [move for move in adopted.moves if move.target]
    lines = [
        f"It is {KINDS[adopted.survey.kind]}, of {len(adopted.survey.files)} files.",
        f"The branch {adopted.branch} ({adopted.commit[:7]}) adds {adopted.files} files and changes none: "
        f"the project in {folder}/, and {adopted.page}.",
    ]
    shown = going_on[:ROWS_SHOWN]
    width = max((len(move.name) for move in shown), default=0)
    for step, heading in STEPS.items():
        rows = [f"  {move.name:{width}}  {folder}/{move.target}" for move in shown if move.step == step]
        lines += [heading, *rows] if rows else []
    lines += [f"  and {len(going_on) - ROWS_SHOWN} more"] if len(going_on) > ROWS_SHOWN else []
    names = [each.name for each in adopted.dependencies if each.group != "-"]
    lines += [f"To declare: {', '.join(names)}"] if names else []
    for key in GUESSES_SHOWN:
        lines += (
            [f"{key}={adopted.answers[key]}: {adopted.guessed[key].why}"] if key in adopted.guessed else []
        )
    others = {key: answer for key, answer in adopted.answers.items() if key not in (*GUESSES_SHOWN, *TEXTS)}
    lines.append(f"Beside that: {' '.join(f'{key}={answer}' for key, answer in others.items())}")
    lines += adopted.remarks
    return [
        *lines,
        f"Look: git switch {adopted.branch}; {adopted.page}   Take back: git branch -D {adopted.branch}",
    ]


def cells_of(move: Move) -> tuple[str, str, str]:
    """Return the cells of a move: what is there, where it goes, what of it."""
    many = f" ({move.files} files)" if move.files > 1 else ""
    untracked = "" if move.tracked else ", not in git"
    return f"`{move.name}`{many}{untracked}", f"`{move.target}`" if move.target else "-", move.how


def commands_of(move: Move, adopted: Adopted) -> Iterator[str]:
    """Yield the commands that move a file, or those of a folder, as they are."""
    target = f"{adopted.layout.folder}/{move.target}"
    parent = target.rstrip("/") if target.endswith("/") else PurePosixPath(target).parent.as_posix()
    if not adopted.layout.has(parent.removeprefix(f"{adopted.layout.folder}/")):
        yield f"mkdir -p {quoted(parent)}"
    place, _, pattern = move.name.rpartition("/")
    name = f"{quoted(place)}/{pattern}" if move.files > 1 and place else quoted(move.name)
    name = pattern if move.files > 1 and not place else name
    yield f"{'git mv' if move.tracked else 'mv'} {name} {quoted(target)}"


def paragraph(*parts: str) -> list[str]:
    """Return sentences as lines of a paragraph."""
    return textwrap.wrap(" ".join(parts), WIDTH, break_long_words=False, break_on_hyphens=False)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a table of Markdown."""
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    for row in rows:
        cells = (cell.replace("|", r"\|") for cell in row)
        yield f"| {' | '.join(cells)} |"


def fenced(*lines: str, language: str = "") -> Iterator[str]:
    """Yield lines as a block of code."""
    yield f"```{language}"
    yield from lines
    yield "```"


def quoted(name: str) -> str:
    """Return a name as a shell takes it."""
    return shlex.quote(name)
