"""Checks of what a project's texts promise: each path, line, command, name and link is there."""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import Path, PurePosixPath

import click
from markdown_it import MarkdownIt

import handrail
from docs.site.build import reference
from handrail.cli.completion import COMPLETION
from handrail.cli.program import Program
from handrail.project import SHOWN_BY
from tests.template.baking import Project
from tests.template.checks import in_each_project, line_of

MADE_LATER = tuple("data/ models/ reports/ .venv uv.lock build/ sample/ mlflow/".split())
# Files that commands write; the engine knows them, and no project has them from the beginning.
WRITTEN = set(
    "company.html choice.html research.html ideas.html rounds.html status.html rounds.jsonl "
    "hyperparameters.yaml readiness.json alerts.jsonl lifecycle.jsonl live.json forgotten.txt "
    "ADOPT.md".split()
)
OURS = "handrail"
HELD = ["network.py"]  # beside the estimator that it belongs to
CHANGE = re.compile(r"^In `([^`\n]+)`, (?:below|above|in place of) `([^`\n]+)`:$", re.MULTILINE)
ENGINE_NAME = re.compile(rf"(?<![\w.]){OURS}(?:\.[a-z_]\w*)+")
ENGINE_IMPORT = re.compile(rf"^ *from ({OURS}[\w.]*) import ([\w, ]+)$", re.MULTILINE)
PAGE_LINES = 90
KNOWN_VERBS: dict[tuple[frozenset[str], bool], dict[str, set[str]]] = {}
SUFFIXES = tuple(".md .py .yaml .yml .toml .json .sql .html .lock .ipynb .txt .jsonl".split())
RUN = re.compile(r"\buv run (?:--[a-z-]+(?:[= ]\S+)?? )*([a-z][\w-]*)(.*)")
ARGUMENTS = re.compile(r"(?: [\w./=:,-]+)*")
VERB_IN_TABLE = re.compile(r"^\| `([a-z-]+)[^`]*` \|", re.MULTILINE)


@in_each_project
def paths_and_links_exist(project: Project) -> Iterator[str]:
    """Yield each path and each link in Markdown that leads nowhere."""
    for name, text in project.texts.items():
        if name.endswith(".md"):
            for line, kind, target in references(text):
                path, _, heading = target.partition("#") if kind == "link" else (target, "", "")
                if path and not is_there(path, name, project):
                    yield f"{name}:{line}: {kind} {path}: no such file or folder"
                elif heading and heading not in headings_of(path, name, project):
                    yield f"{name}:{line}: {kind} {target}: no such heading"


@cache
def references(markdown: str) -> list[tuple[int, str, str]]:
    """Return line, kind and target of each relative link, each path in backticks or in a plain tree."""
    found = []
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        line = token.map[0] + 1 if token.map else 1
        for child in token.children or ():
            href = str(child.attrs.get("href") or child.attrs.get("src") or "")
            if href and not re.match(r"[a-z]+:", href):
                found.append((line, "link", href))
            elif child.type == "code_inline" and looks_like_a_path(child.content):
                found.append((line, "path", child.content))
        if token.type == "fence" and not token.info:
            for number, row in enumerate(token.content.splitlines(), line + 1):
                words = [word for word in row.split() if not word.startswith("../")]  # out of the project
                found += [(number, "path", word) for word in words if looks_like_a_path(word.strip(":,"))]
    return [(line, kind, target.strip(":,")) for line, kind, target in found]


def looks_like_a_path(code: str) -> bool:
    """Return whether a piece of code is spelled like a file or a folder in the project."""
    plain = re.fullmatch(r"[\w.@-]+(/[\w.@-]+)*/?", code)
    return bool(plain) and ("/" in code.strip("/") or code.endswith(("/", *SUFFIXES))) and code[0] != "/"


def is_there(path: str, name: str, project: Project) -> bool:
    """Return whether a path is beside its text, in the project or in its package, or is made later.

    A bare name may stand for a file or folder anywhere, as in a tree.
    """
    if path.startswith(MADE_LATER) or PurePosixPath(path).name in WRITTEN:
        return True
    if "/" not in path.strip("/"):
        return path.strip("/") in project.names
    bases = (PurePosixPath(name).parent.as_posix(), ".", f"src/{project.package}")
    return any((project.path / base / path).exists() for base in bases)


def headings_of(path: str, name: str, project: Project) -> set[str]:
    """Return the anchors that the headings of a text have, as GitHub and GitLab make them."""
    target = (project.path / name).parent / path if path else project.path / name
    rows = re.findall(r"^#+ +(.+?) *$", target.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", row).strip().lower().replace(" ", "-") for row in rows}


@in_each_project
def commands_exist(project: Project) -> Iterator[str]:
    """Yield each command in any text whose verb, option or tool is not there."""
    tools = tools_of(project)
    for name, text in project.texts.items():
        for line, tool, rest in commands_in(text):
            if tool == project.slug:
                for problem in wrong_in_command(ARGUMENTS.match(rest)[0].split(), verbs_of(project)):
                    yield f"{name}:{line}: {tool} {problem}"
            elif tool not in tools:
                yield f"{name}:{line}: uv run {tool}: no such tool in pyproject.toml"


def wrong_in_command(words: list[str], verbs: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield which of the words after the project's command name is no verb, or no option of the verb."""
    verb = words[0] if words and not words[0].startswith("-") else ""
    if verb and verb not in verbs and verb.islower():  # VERB stands for any
        yield f"{verb}: no such command"
    for option in [word.split("=")[0] for word in words if word.startswith("--") and verb in verbs]:
        if option not in verbs[verb]:
            yield f"{verb} {option}: no such option"


def verbs_of(project: Project) -> dict[str, set[str]]:
    """Return the options of each verb that the engine gives a project with such parts."""
    package = f"src/{project.package}"
    parts = {part for part, shown in SHOWN_BY.items() if f"{package}/{shown}" in project.files}
    parts |= {"tracking"} & ({"tracking"} if "mlflow" in project.words else set())
    return options_of(frozenset(parts), "labelling" in project.words, project.path)


def options_of(parts: frozenset[str], labelling: bool, root: Path) -> dict[str, set[str]]:
    """Return the options of each verb; the package itself is not looked at."""
    known = KNOWN_VERBS.get((parts, labelling))
    if known is None:
        made = handrail.Project("not_imported", given={"parts": parts}, root=root)
        program = Program(made)
        context = click.Context(program)
        commands = {name: program.get_command(context, name) for name in program.list_commands(context)}
        known = {
            name: {option for each in command.params for option in each.opts} | {"--help"}
            for name, command in commands.items()
        }
        KNOWN_VERBS[parts, labelling] = known
    return known


@cache
def commands_in(text: str) -> list[tuple[int, str, str]]:
    """Return line, tool and the rest of each command that `uv run` starts."""
    return [(line_of(text, match.start()), match[1], match[2]) for match in RUN.finditer(text)]


def tools_of(project: Project) -> set[str]:
    """Return what `uv run` can start: Python, and the names of the dependencies."""
    described = tomllib.loads(project.texts["pyproject.toml"])
    wanted = [*described["project"]["dependencies"], *chain(*described["dependency-groups"].values())]
    named = {re.match(r"[\w-]+", each)[0] for each in wanted}
    return {"python", *named, *(["jupyter"] if "jupyterlab" in named else [])}


@in_each_project
def every_verb_is_in_the_readme(project: Project) -> Iterator[str]:
    """Yield each command that the README's table leaves out, and each row without a command."""
    readme = project.texts["README.md"]
    listed = {match[1]: line_of(readme, match.start()) for match in VERB_IN_TABLE.finditer(readme)}
    verbs = verbs_of(project).keys()
    for verb in sorted(verbs - listed - {COMPLETION}):
        yield f"README.md:1: the table of verbs leaves out {verb}"
    for verb in sorted(listed.keys() - verbs):
        yield f"README.md:{listed[verb]}: {verb}: no such command"


@in_each_project
def every_folder_of_the_package_is_in_the_readme(project: Project) -> Iterator[str]:
    """Yield each folder and module of the package that the README's tree leaves out."""
    rows = re.finditer(r"^  ([\w.]+)/? +(.*)$", project.texts["README.md"], re.MULTILINE)
    tree = {row[1]: row[2].replace(":", "").split() for row in rows}
    inside = (name.split("/")[2:] for name in project.files if name.startswith("src/"))
    for first, *rest in inside:
        if first not in tree and first != "__main__.py":
            yield f"README.md:1: the tree leaves out {first}{'/' if rest else ''}"
        elif rest and rest != ["__init__.py"] and rest[-1] not in tree[first] + HELD:
            yield f"README.md:1: the tree leaves out {first}/{'/'.join(rest)}"


@in_each_project
def agents_are_told_all_on_a_page(project: Project) -> Iterator[str]:
    """Yield what AGENTS.md leaves out: a module that a team changes, a command that checks a change."""
    page = project.texts["AGENTS.md"]
    if len(page.splitlines()) > PAGE_LINES:
        yield f"AGENTS.md:{PAGE_LINES}: more than a page"
    folder = f"src/{project.package}/"
    for name in sorted(project.code):
        said = re.search(rf"`(?:{folder})?{name.removeprefix(folder)}`", page)
        if not (said or name.endswith("__.py") or PurePosixPath(name).name in HELD):
            yield f"AGENTS.md:1: {name} is left out"
    for command in ("pytest", "ruff check", "ty check", "deptry src", f"{project.slug} status"):
        if f"uv run {command}\n" not in page:
            yield f"AGENTS.md:1: uv run {command} is left out"


@in_each_project
def lines_to_change_are_there(project: Project) -> Iterator[str]:
    """Yield each change of a text, "In `file`, below `line`:", whose line is not once in the file."""
    for name, text in project.texts.items():
        if name.endswith(".md"):
            for match in CHANGE.finditer(text):
                place = f"{name}:{line_of(text, match.start())}"
                file = next(
                    (f for f in (f"src/{project.package}/{match[1]}", match[1]) if f in project.texts), None
                )
                if file is None:
                    yield f"{place}: {match[1]}: no such file"
                    continue
                found = [row for row in project.texts[file].splitlines() if begins_with(row, match[2])]
                if len(found) != 1:
                    yield f"{place}: {file}: {match[2]}: {len(found)} such lines"


def begins_with(row: str, line: str) -> bool:
    """Return whether a row of a file is a line as texts name it: without indentation and comment."""
    return row.strip() == line or row.strip().startswith(f"{line}  #")


@in_each_project
def names_of_the_engine_exist(project: Project) -> Iterator[str]:
    """Yield each name of the engine that a text or a module uses and that is not there."""
    for name, text in project.texts.items():
        if name.endswith((".md", ".py", ".ipynb")):
            for position, used in engine_names(text, name.endswith(".py")):
                if not resolves(used):
                    yield f"{name}:{line_of(text, position)}: {used}: the engine has no such name"


@in_each_project
def code_uses_what_the_engine_promises(project: Project) -> Iterator[str]:
    """Yield each name of the engine that a module or a notebook uses and that may change at any time."""
    for name, text in project.texts.items():
        if name.endswith((".py", ".ipynb")):
            for position, used in engine_names(text, name.endswith(".py")):
                if used not in promised():
                    yield f"{name}:{line_of(text, position)}: {used}: is not in the __all__ of its package"


@cache
def promised() -> set[str]:
    """Return the dotted names of the public interface: modules, and what stands in their `__all__`."""
    public = reference()
    return {*public, *(f"{module}.{name}" for module, names in public.items() for name in names)}


@cache
def engine_names(text: str, python: bool) -> list[tuple[int, str]]:
    """Return position and dotted name of what is used of the engine, imported or written out."""
    found = [(match.start(), match[0]) for match in ENGINE_NAME.finditer(text)]
    for match in ENGINE_IMPORT.finditer(text.replace('",\n', "\n").replace("\\n", "\n")):
        found += [(0, f"{match[1]}.{name.strip()}") for name in match[2].split(",")]
    if python:
        rows = [0, *(match.end() for match in re.finditer("\n", text))]
        imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
        for node in imports:
            if not node.level and (node.module or "").split(".")[0] == OURS:
                found += [(rows[node.lineno - 1], f"{node.module}.{alias.name}") for alias in node.names]
    return found


@cache
def resolves(name: str) -> bool:
    """Return whether a dotted name is a module, or a thing in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:length]))
        except ModuleNotFoundError as error:
            if error.name is None or not error.name.startswith(OURS):
                return True  # the module is there; what it imports is not installed
            continue
        for part in parts[length:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False
