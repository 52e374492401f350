"""Reads the texts and tables that people write in the stage folders."""

import re
from collections.abc import Iterator
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from ..errors import ProjectError
from ..settings import Settings
from .gates import Finding, done, still_open

COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
SECTION = re.compile(r"^## +(.+)$", re.MULTILINE)
Model = TypeVar("Model", bound=BaseModel)


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
    return done(f"{name}, {len(sections) // 2} sections")


def read_yaml(settings: Settings, name: str, model: type[Model]) -> Model:
    """Return YAML file `name` as `model`; raises ProjectError with line, field and rule of each problem."""
    text = read_text(settings, name)
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        return model.model_validate(yaml.safe_load(text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ProjectError(
            f"{name}, line {line}: not valid YAML: {error.problem}; see the line above too"
        ) from None
    except ValidationError as error:
        raise ProjectError(_problems(name, node, error)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ProjectError(f"{name}: not valid YAML: {' '.join(str(error).split())}") from None


def reason(error: Any) -> str:
    """Return what pydantic found wrong with a field, in its own words."""
    return error["msg"].removeprefix("Value error, ")


def _problems(name: str, node: yaml.Node | None, error: ValidationError) -> Iterator[str]:
    for item in error.errors():
        field = ".".join(str(part) for part in item["loc"])
        given = f" (given: {item['input']!r:.60})" if isinstance(item["input"], str | int | float) else ""
        yield f"{name}, line {_line(node, item['loc'])}: {field + ': ' if field else ''}{reason(item)}{given}"


def _line(node: yaml.Node | None, place: tuple[int | str, ...]) -> int:
    """Return the line of the place in the file, or of the nearest thing around it."""
    line = 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            key, node = next(((k, v) for k, v in node.value if k.value == str(part)), (None, None))
            line = key.start_mark.line + 1 if key else line
        elif isinstance(node, yaml.SequenceNode):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
    return line
