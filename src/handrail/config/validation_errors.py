"""Says what is wrong with a value that was read: the rule, what was given, and the remedy."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from handrail.storage import addresses

Place = tuple[int | str, ...]


def format_error(item: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return a mistake that pydantic found: the rule, what was given, and the remedy."""
    place, value = item["loc"], item["input"]
    if item["type"] == "extra_forbidden":
        known = list(_resolved(schema, _at(schema, place[:-1])).get("properties", ()))
        meant = get_close_matches(str(place[-1]), known, 1, cutoff=0.75)
        return f"no such field; {f'write {meant[0]}' if meant else 'take one of ' + ', '.join(known)}"
    field = _at(schema, place)
    remedy = f"; {field['description']}" if "description" in field else ""
    if item["type"] == "missing":
        return f"is missing{remedy or '; add it'}"
    said = addresses.without_secrets(repr(value))  # before it is cut: half an address hides less
    given = f" (given: {said:.60})" if isinstance(value, str | int | float) and place else ""
    return f"{reason(item)}{given}{remedy}"


def reason(item: Mapping[str, Any]) -> str:
    """Return what pydantic found wrong with a field, without its words for Python."""
    text = item["msg"].removeprefix("Value error, ").replace(" after validation", "")
    if item["type"] in ("model_type", "dict_type"):
        text = "should be names and values"
    return text.replace("Input should be a valid tuple", "should be a list").replace("Tuple", "List")


def _at(schema: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
    """Return what the JSON schema says of a place, empty where it knows nothing."""
    at = schema
    for part in place:
        above = _resolved(schema, at)
        at = above.get("items", {}) if isinstance(part, int) else above.get("properties", {}).get(part, {})
    return at


def _resolved(schema: Mapping[str, Any], at: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow references, and take the first of alternatives."""
    at = next(iter(at.get("anyOf", ())), at)
    name = at.get("$ref", "").rpartition("/")[2]
    return schema.get("$defs", {}).get(name, {}) if name else at
