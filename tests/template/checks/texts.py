"""Checks of each file by its text: tidy, readable, nothing of the template or of absent parts."""

import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import nbformat
import yaml

from tests.template.answers import NONE
from tests.template.baking import Project
from tests.template.checks import in_each_project, in_each_text, line_of
from tests.template.combinations import choices
from tests.template.traces import TRACES

WORDS = {word for options in choices().values() for word in options if word != NONE}
AT_NAME = rf"[\w.-]@(?:{'|'.join(sorted(WORDS))})\b"
MARKER = re.compile(rf"cookiecutter\.|{{% | %}}|{{# | #}}|{AT_NAME}")
MARKER_IN_HTML = re.compile(rf"cookiecutter|{AT_NAME}")  # the project's own report is made with Jinja
FENCED = re.compile(r"^```python\n.*?^```$", re.MULTILINE | re.DOTALL)
RECORD = ".handrail.json"  # holds every answer, so words of every part
ELSEWHERE = {
    ("docs/change-it.md", "sklearn")
}  # shows how another library takes the place of the one there is


@in_each_text
def no_marker_is_left(name: str, text: str) -> Iterator[str]:
    """Yield what of the template's own language is still there, in names and in texts."""
    if "@" in name or "{{" in name:
        yield f"{name}:1: the name is the template's, not the project's"
    pattern = MARKER_IN_HTML if name.endswith(".html") else MARKER
    for match in pattern.finditer(text):
        yield f"{name}:{line_of(text, match.start())}: {match[0].strip()!r} is left of the template"


@in_each_text
def tidy(name: str, text: str) -> Iterator[str]:
    """Yield stacked blank lines, blanks at a line's end, a bad first or last line."""
    most = 2 if name.endswith(".py") else 1
    prose = FENCED.sub(lambda code: re.sub(r"\n{3}", "\n \n", code[0]), text)  # two are Python's own way
    for match in re.finditer(rf"\n{{{most + 2},}}", prose):
        yield f"{name}:{line_of(text, match.end()) - 1}: stacked blank lines"
    for match in re.finditer(r"[ \t\r]+$", text, re.MULTILINE):
        yield f"{name}:{line_of(text, match.start())}: blanks at the end of the line"
    if text.startswith("\n"):
        yield f"{name}:1: begins with a blank line"
    if text and not re.search(r"[^\n]\n\Z", text):
        yield f"{name}:{len(text.splitlines())}: must end with exactly one newline"


class UniqueKeys(yaml.SafeLoader):
    """Reads YAML, and refuses a mapping that names a key twice."""

    def construct_mapping(self, node, deep=False):
        keys = [
            self.construct_object(key, deep=True)
            for key, _ in node.value
            if key.tag != "tag:yaml.org,2002:merge"
        ]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"names {twice} twice", node.start_mark)
        return super().construct_mapping(node, deep)


# What CloudFormation writes as `!Ref` is another way to write a mapping; cfn-lint looks at what is in it.
UniqueKeys.add_multi_constructor("!", lambda loader, tag, node: f"!{tag}")


def read_notebook(text: str) -> None:
    """Read a notebook; raises where it breaks the format of notebooks."""
    nbformat.validate(nbformat.reads(text, as_version=nbformat.NO_CONVERT))


READERS = {
    ".toml": tomllib.loads,
    ".json": json.loads,
    ".ipynb": read_notebook,
    ".yaml": lambda text: yaml.load(text, UniqueKeys),
    ".yml": lambda text: yaml.load(text, UniqueKeys),
}


@in_each_text
def parses(name: str, text: str) -> Iterator[str]:
    """Yield why a TOML, JSON, YAML or notebook file cannot be read."""
    reader = READERS.get(Path(name).suffix)
    try:
        if reader:
            reader(text)
    except (ValueError, yaml.YAMLError, nbformat.ValidationError) as error:
        place = getattr(error, "problem_mark", None)
        line = place.line + 1 if place else getattr(error, "lineno", 1)
        yield f"{name}:{line}: cannot be read: {' '.join(str(error).split())}"


@cache
def traces_in(name: str, text: str, word: str) -> list[str]:
    """Return each place of a file that speaks of the part chosen with `word`."""
    found = [match for pattern in TRACES.get(word, ()) for match in re.finditer(pattern, text, re.IGNORECASE)]
    places = [f"{name}:{line_of(text, match.start())}: {match[0]!r} tells of {word}" for match in found]
    named = [match for pattern in TRACES.get(word, ()) for match in re.finditer(pattern, name, re.IGNORECASE)]
    return places + [f"{name}:1: its name, {match[0]!r}, tells of {word}" for match in named]


@in_each_project
def no_word_of_an_absent_part(project: Project) -> Iterator[str]:
    """Yield each word of a part that was not chosen."""
    for name, text in project.texts.items():
        if name != RECORD:
            for word in sorted(WORDS - project.words - {word for page, word in ELSEWHERE if page == name}):
                for place in traces_in(name, text, word):
                    yield f"{place}, which is not there"


@in_each_project
def no_empty_folder(project: Project) -> Iterator[str]:
    """Yield each folder without anything in it; git's own are not the project's."""
    for path in project.path.rglob("*"):
        inside = path.relative_to(project.path)
        if path.is_dir() and inside.parts[0] != ".git" and not any(path.iterdir()):
            yield f"{inside.as_posix()}:1: an empty folder"
