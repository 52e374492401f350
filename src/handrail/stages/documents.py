"""Reads the texts and tables that people write in the stage folders."""

import re

from handrail.config.settings import Settings
from handrail.config.yaml_file import Model, read_yaml_file
from handrail.errors import ProjectError
from handrail.stages.gates import Finding, done, still_open

UNANSWERED = "?"  # stands in a blank form where an answer goes
FEWEST_WORDS = 5  # different ones, for a sentence that says something
WORD = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]|\w+")  # or a sign of a script without spaces
HEADER = re.compile(r"^\s*\|.*\|\s*\n\s*\|[\s:|-]+\|\s*$", re.MULTILINE)  # of a table
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
SECTION = re.compile(r"^## +(.+)$", re.MULTILINE)


def read_text(settings: Settings, name: str) -> str:
    """Return the text of file `name` of the project; empty where there is none."""
    try:
        return (settings.root / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise ProjectError(f"{name}: not UTF-8 at byte {error.start}; save it as UTF-8") from None


def written(settings: Settings, name: str) -> Finding:
    """Find a sentence at least in every section of a Markdown file; a comment is a hint, not a text."""
    sections = SECTION.split(COMMENT.sub("", read_text(settings, name)))[1:]
    bodies = [*zip(sections[::2], sections[1::2], strict=True)]
    empty = [title for title, body in bodies if not HEADER.sub("", body).strip()]
    short = [title for title, body in bodies if title not in empty and not says_something(body)]
    if not sections:
        return still_open(f"{name} is not written", f"write {name}, a heading (##) for each point")
    if empty:
        return still_open(f"{name} says nothing on: {', '.join(empty)}", f"write these parts of {name}")
    if short:
        said = f"{name} says too little on: {', '.join(short)}"
        return still_open(said, f"write a sentence there, of {FEWEST_WORDS} different words or more")
    return done(f"{name}, {len(sections) // 2} sections", source=name)


def says_something(text: str) -> bool:
    """Return whether a text may be a sentence; a word or two, or one again and again, say nothing."""
    return len({word.casefold() for word in WORD.findall(HEADER.sub("", text))}) >= FEWEST_WORDS


def read_yaml(settings: Settings, name: str, model: type[Model]) -> Model:
    """Return YAML file `name` as `model`; raises ProjectError naming every mistake with line and remedy."""
    return read_yaml_file(settings.root / name, name).read_as(model)
