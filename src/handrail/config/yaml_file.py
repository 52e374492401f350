"""Reads the YAML files that people write; each mistake is told with its line, the rule and the remedy."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from yaml.reader import ReaderError

from handrail.config.validation_errors import Place, format_error
from handrail.errors import ProjectError

Mistake = tuple[int, str]
Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """YAML as people mean it: a date that cannot be stays a text, for the rule of its field to refuse."""

    def date_or_text(self, node: yaml.ScalarNode) -> Any:
        """Return the date, or the text as it is written."""
        try:
            return self.construct_yaml_timestamp(node)
        except ValueError:
            return node.value


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.date_or_text)


@dataclass(frozen=True)
class YamlFile:
    """What a YAML file says, where it says it (`node`), and what is wrong with it under any rules."""

    name: str
    values: dict[str, Any]
    node: yaml.Node
    mistakes: tuple[Mistake, ...]

    def line(self, place: Place) -> int:
        """Return the line of a place in the file, or of the nearest thing around it."""
        return [line for line, _ in _steps(self.node, place)][-1]

    def field(self, place: Place) -> str:
        """Return a place as people name it: an item of a list by its name, or counted from 1."""
        return ".".join(label for _, label in _steps(self.node, place) if label)

    def read_as(self, model: type[Model]) -> Model:
        """Return the file as `model`; raises ProjectError naming every mistake with line and remedy."""
        try:
            found = model.model_validate(self.values)
        except ValidationError as error:
            problems = self.refusal(error.errors(), model.model_json_schema())
        else:
            problems = self.sentences(self.mistakes)
            if not problems:
                return found
        raise ProjectError(problems)  # out here, without pydantic's error, which would keep all it has seen

    def refusal(self, errors: Iterable[Mapping[str, Any]], schema: Mapping[str, Any]) -> list[str]:
        """Return every mistake of the file, in the order of its lines: pydantic's `errors` and its own.

        `schema` is the JSON schema of the model; it knows the remedies.
        """
        found = [
            (
                self.line(item["loc"]),
                ": ".join(filter(None, (self.field(item["loc"]), format_error(item, schema)))),
            )
            for item in errors
        ]
        return self.sentences([*self.mistakes, *found])

    def sentences(self, mistakes: Iterable[Mistake]) -> list[str]:
        """Return the sentences on mistakes, in the order of their lines."""
        return [f"{self.name}, line {line}: {text}" for line, text in sorted(mistakes)]


def read_yaml_file(path: Path, name: str) -> YamlFile:
    """Return what YAML file `path` says; raises ProjectError where it is no mapping in YAML and UTF-8."""
    try:
        text = path.read_text(encoding="utf-8")
        loader = _Loader(text)
        node = loader.get_single_node()
        values = loader.construct_document(node) if node else None
        mistakes = tuple(_repeated(node)) if node else ()
    except UnicodeDecodeError as error:
        raise ProjectError(f"{name}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ProjectError(f"{name}, line {line}: an invisible control character; delete it") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = f"not valid YAML: {error.problem}; see the line above too"
        raise ProjectError(f"{name}, line {line}: {problem}") from None
    except RecursionError:
        raise ProjectError(f"{name}: lists within lists without end; write it flatter") from None
    if not isinstance(values, dict):
        raise ProjectError(f"{name}, line 1: expected names and values; write each as `name: value`")
    return YamlFile(name, values, node, mistakes)


def _steps(node: yaml.Node | None, place: Place) -> Iterator[tuple[int, str]]:
    """Yield line and label of each part of a place, the whole file first; what isn't there has no line."""
    line = 1
    yield line, ""
    for part in place:
        label, below = str(part), None
        if isinstance(node, yaml.MappingNode):
            key, below = next(((k, v) for k, v in node.value if k.value == label), (None, None))
            line = key.start_mark.line + 1 if key else line
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            below = next(iter(node.value[part : part + 1]), None)
            line = below.start_mark.line + 1 if below else line
            label = (below and _name(below)) or f"#{part + 1}"
        yield line, label
        node = below


def _name(node: yaml.Node) -> str:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value.value for key, value in pairs if key.value == "name" and _is_text(value)), "")


def _is_text(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and bool(node.value)


def _repeated(node: yaml.Node) -> Iterator[Mistake]:
    """Yield each name that stands twice in one place: the first would be lost without a word."""
    names = [(key, key.value) for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
    items = node.value if isinstance(node, yaml.SequenceNode) else []
    names += [(item, _name(item)) for item in items if _name(item)]
    seen: set[str] = set()
    for where, name in names:
        if name in seen:
            yield where.start_mark.line + 1, f"{name}: a second one of that name; give it a name of its own"
        seen.add(name)
    for below in [value for _, value in node.value] if isinstance(node, yaml.MappingNode) else items:
        yield from _repeated(below)
