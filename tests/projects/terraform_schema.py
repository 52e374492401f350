"""What is wrong with Terraform files, by the schema of Google's provider.

The provider itself can't be had from a package index. Its schema can: CDK Terrain publishes the bindings that
are made of it, with each resource, each argument, whether it is needed and what it takes.
"""

import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import hcl2

PACKAGE = "cdktn-provider-google==21.1.0"  # of the provider 8.7.0
META = {"count", "depends_on", "dynamic", "for_each", "lifecycle", "provider", "__is_block__", "__comments__"}
SPELLED = re.compile(r"#(\w+) \w+#\w+\}")
REFERENCE = re.compile(
    r"(?<![\w.\"])((?:data\.|ephemeral\.)?[a-z]+_[a-z0-9_]+)\.(\w+)(?:\[[^]]+\])?(?:\.(\w+))?"
)
Kind = dict[str, Any]


def parsed(folder: Path) -> dict[str, list[Any]]:
    """Return the blocks of all files of a folder, by their kind; texts without quotes around them."""
    found: dict[str, list[Any]] = {}
    for path in sorted(folder.glob("*.tf")):
        with path.open(encoding="utf-8") as file:
            for kind, blocks in hcl2.load(file).items():
                found.setdefault(kind, []).extend(_unquoted(blocks))
    return found


def _unquoted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key).strip('"'): _unquoted(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_unquoted(each) for each in value]
    return value[1:-1] if isinstance(value, str) and re.fullmatch(r'".*"', value, re.DOTALL) else value


class Schema:
    """The schema of a provider, of the bindings in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._archive = next(folder.rglob("*.jsii.tgz"))

    @cached_property
    def _types(self) -> dict[str, Kind]:
        with tarfile.open(self._archive) as archive:
            file = archive.extractfile("package/.jsii")
            assert file
            types = json.load(file)["types"]
        return {name: kind for name, kind in types.items() if "OutputReference" not in name}

    @cached_property
    def _configs(self) -> dict[str, str]:
        """The type of the arguments of each resource and data source, by its name in Terraform."""
        found = {}
        for name, kind in self._types.items():
            if kind["kind"] == "interface" and name.endswith("Config") and name.count(".") == 2:
                page = re.search(r"/docs/(resources|data-sources)/(\w+)#", json.dumps(kind.get("properties")))
                if page and name.split(".")[1].lower() == name.split(".")[2].removesuffix("Config").lower():
                    data = "data." if page[1] == "data-sources" else ""
                    found[f"{data}google_{page[2]}"] = name
        return found

    def arguments(self, kind: str) -> dict[str, Kind]:
        """Return what a resource or a block takes, under the names of Terraform."""
        return {_spelled(each): each for each in self._types[kind].get("properties", [])}

    def mistakes(self, folder: Path) -> Iterator[str]:
        """Yield what Google's provider would refuse, and what names what is not there."""
        blocks = parsed(folder)
        declared: dict[str, set[str]] = {}
        for prefix, kind in (("", "resource"), ("data.", "data"), ("ephemeral.", "ephemeral")):
            for block in blocks.get(kind, []):
                for type_, named in block.items():
                    for name, body in named.items():
                        declared.setdefault(f"{prefix}{type_}", set()).add(name)
                        yield from self._of_resource(f"{prefix}{type_}", name, body)
        yield from self._references(blocks, declared)

    def _of_resource(self, type_: str, name: str, body: Kind) -> Iterator[str]:
        if "google_" not in type_:
            return
        config = self._configs.get(type_)
        if config is None:
            yield f"{type_}.{name}: the provider has no such resource"
        else:
            yield from self._of_block(config, body, f"{type_}.{name}")

    def _of_block(self, kind: str, body: Kind, place: str) -> Iterator[str]:
        known = self.arguments(kind)
        given = {key: value for key, value in body.items() if key not in META}
        for block in body.get("dynamic", []):
            for key, inner in block.items():
                given[key] = [*given.get(key, []), *inner["content"]]
        for key in given.keys() - known.keys():
            yield f"{place}: {key}: no such argument"
        for key, argument in known.items():
            if not argument.get("optional") and key not in given:
                yield f"{place}: {key} is missing"
        for key in given.keys() & known.keys():
            yield from self._of_value(known[key], given[key], f"{place}.{key}")

    def _of_value(self, argument: Kind, value: Any, place: str) -> Iterator[str]:
        inner = _struct(argument["type"])
        if inner in self._types and self._types[inner]["kind"] == "interface":
            bodies = value if isinstance(value, list) else [value]
            if not all(isinstance(each, Mapping) for each in bodies):
                yield f"{place}: is a block"
                return
            if len(bodies) > 1 and '"collection"' not in json.dumps(argument["type"]):
                yield f"{place}: may be given once"
            for each in bodies:
                yield from self._of_block(inner, each[0] if isinstance(each, list) else each, place)
        elif not _fits(json.dumps(argument["type"]), value):
            yield f"{place}: {value!r} is none of {json.dumps(argument['type'])}"

    def _references(self, blocks: dict[str, list[Any]], declared: Mapping[str, set[str]]) -> Iterator[str]:
        texts = json.dumps({key: each for key, each in blocks.items() if key != "__comments__"})
        names = {"var": {name for each in blocks.get("variable", []) for name in each}}
        names["local"] = {name for each in blocks.get("locals", []) for name in each}
        for kind, name in set(re.findall(r"\b(var|local)\.(\w+)", texts)):
            if name not in names[kind]:
                yield f"{kind}.{name}: is not declared"
        for used in names["var"] - set(re.findall(r"\bvar\.(\w+)", texts)):
            yield f"var.{used}: is declared, and nothing asks for it"
        for type_, name, attribute in set(REFERENCE.findall(texts)):
            if name in declared.get(type_, ()):
                yield from self._attribute(type_, name, attribute)
            elif "google_" in type_:
                yield f"{type_}.{name}: is not declared"

    def _attribute(self, type_: str, name: str, attribute: str) -> Iterator[str]:
        config = self._configs.get(type_)
        if not attribute or config is None:
            return
        own = self._types[config.removesuffix("Config")].get("properties", [])
        known = {each["name"].lower() for each in own} | {"id"}
        if attribute.replace("_", "") not in known:
            yield f"{type_}.{name}.{attribute}: has no such attribute"


def _spelled(argument: Kind) -> str:
    """Return the name of an argument in Terraform."""
    found = SPELLED.search(argument.get("docs", {}).get("remarks", ""))
    return found[1] if found else re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", argument["name"]).lower()


def _struct(type_: Any) -> str:
    """Return the type of the block that an argument takes, if it takes one."""
    names = re.findall(r'"fqn": "(@cdktn/[\w./-]+)"', json.dumps(type_))
    return names[0] if names else ""


def _fits(type_: str, value: Any) -> bool:
    """Tell whether a literal is of the kind that an argument takes; what is computed may be anything."""
    if isinstance(value, str) and ("${" in value or "<<" in value):
        return True
    kinds = {"boolean": bool, "number": int | float, "string": str}
    wanted = [python for name, python in kinds.items() if f'"{name}"' in type_]
    if "collection" in type_:
        return isinstance(value, list | Mapping)
    return not wanted or any(isinstance(value, python) for python in wanted)
