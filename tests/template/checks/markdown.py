"""Checks of what a project's texts promise: each path, command, option and link is really there."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import PurePosixPath

from markdown_it import MarkdownIt

from tests.template.baking import Project
from tests.template.checks import in_each_project, line_of

MADE_LATER = tuple("data/ models/ reports/ .venv uv.lock build/ sample/ mlflow/ rounds.jsonl".split())
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
                found += [
                    (number, "path", word) for word in row.split() if looks_like_a_path(word.strip(":,"))
                ]
    return [(line, kind, target.strip(":,")) for line, kind, target in found]


def looks_like_a_path(code: str) -> bool:
    """Return whether a piece of code is spelled like a file or a folder in the project."""
    plain = re.fullmatch(r"[\w.@-]+(/[\w.@-]+)*/?", code)
    return bool(plain) and ("/" in code.strip("/") or code.endswith(("/", *SUFFIXES))) and code[0] != "/"


def is_there(path: str, name: str, project: Project) -> bool:
    """Return whether a path is beside its text, in the project or in its package, or is made later.

    A bare name may stand for a file or folder anywhere, as in a tree.
    """
    if path.startswith(MADE_LATER):
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
                for problem in wrong_in_command(ARGUMENTS.match(rest)[0].split(), project.verbs):
                    yield f"{name}:{line}: {tool} {problem}"
            elif tool not in tools:
                yield f"{name}:{line}: uv run {tool}: no such tool in pyproject.toml"


def wrong_in_command(words: list[str], verbs: dict[str, str]) -> Iterator[str]:
    """Yield which of the words after the project's command name is no verb, or no option of the verb."""
    verb = words[0] if words else ""
    if verb and verb not in verbs and verb.islower():  # VERB stands for any
        yield f"{verb}: no such command"
    known = set(re.findall(r"--[a-z][a-z-]*", verbs.get(verb, ""))) | {"--sample", "--help"}
    for option in [word.split("=")[0] for word in words if word.startswith("--") and verb in verbs]:
        if option not in known:
            yield f"{verb} {option}: no such option"


@cache
def commands_in(text: str) -> list[tuple[int, str, str]]:
    """Return line, tool and the rest of each command that `uv run` starts."""
    return [(line_of(text, match.start()), match[1], match[2]) for match in RUN.finditer(text)]


def tools_of(project: Project) -> set[str]:
    """Return what `uv run` can start: Python, and the names of the dependencies."""
    named = re.findall(r'^ +"([a-z][\w-]*)', project.texts["pyproject.toml"], re.MULTILINE)
    return {"python", *named, *(["jupyter"] if "jupyterlab" in named else [])}


@in_each_project
def every_verb_is_in_the_readme(project: Project) -> Iterator[str]:
    """Yield each command that the README's table leaves out, and each row without a command."""
    readme = project.texts["README.md"]
    listed = {match[1]: line_of(readme, match.start()) for match in VERB_IN_TABLE.finditer(readme)}
    for verb in sorted(project.verbs.keys() - listed):
        yield f"README.md:1: the table of verbs leaves out {verb}"
    for verb in sorted(listed.keys() - project.verbs):
        yield f"README.md:{listed[verb]}: {verb}: no such command"


@in_each_project
def every_folder_of_the_package_is_in_the_readme(project: Project) -> Iterator[str]:
    """Yield each folder of the package that the README's tree leaves out."""
    inside = (name.split("/")[2:] for name in project.files if name.startswith("src/"))
    for folder in sorted({path[0] for path in inside if len(path) > 1}):
        if not re.search(rf"^  {folder}/  ", project.texts["README.md"], re.MULTILINE):
            yield f"README.md:1: the tree leaves out {folder}/"
