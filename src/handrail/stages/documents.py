"""Reads the texts and tables that people write in the stage folders."""

import re

from handrail.config.settings import Settings
from handrail.config.yaml_file import Model, read_yaml_file
from handrail.errors import ProjectError
from handrail.stages.gates import Finding, done, still_open

UNANSWERED = "?"  # stands in a blank form where an answer goes
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
    """Find every section of a Markdown file filled in; a comment is a hint, not a text."""
    sections = SECTION.split(COMMENT.sub("", read_text(settings, name)))[1:]
    empty = [title for title, body in zip(sections[::2], sections[1::2], strict=True) if not body.strip()]
    if not sections:
        return still_open(f"{name} is not written", f"write {name}, a heading (##) for each point")
    if empty:
        return still_open(f"{name} says nothing on: {', '.join(empty)}", f"write these parts of {name}")
    return done(f"{name}, {len(sections) // 2} sections", source=name)


def read_yaml(settings: Settings, name: str, model: type[Model]) -> Model:
    """Return YAML file `name` as `model`; raises ProjectError naming every mistake with line and remedy."""
    return read_yaml_file(settings.root / name, name).read_as(model)
