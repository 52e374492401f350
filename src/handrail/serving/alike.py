"""JSON of many objects that are alike, put together from what all of them have and from whole columns."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

if TYPE_CHECKING:
    from handrail.serving.columns import ByColumn

PLAIN = {bool, int, float, type(None)}  # no comma is in their JSON


def join_alike(
    same: Mapping[str, Any],
    columns: Mapping[str, Sequence[Any]],
    asked: "ByColumn | None" = None,
    *,
    after: bytes,
) -> bytes:
    """Return objects as JSON, each followed by `after`: what all of them have, its columns, its record.

    same: the members that are one for all · columns (n): by name, at least one · asked (n): whose members are
    not repeated
    """
    said = asked.columns if asked else {}
    same = {name: value for name, value in same.items() if name not in said}
    opened, comma = to_json(same)[:-1], b"," if same else b""
    strands: list[Iterable[bytes]] = []
    for name, values in columns.items():
        if name not in said:
            strands += [repeat(opened + comma + to_json(name) + b":"), _texts(values)]
            opened, comma = b"", b","
    strands += [repeat(b","), asked.tails(), repeat(after)] if asked else [repeat(b"}" + after)]
    return b"".join(chain.from_iterable(zip(*strands, strict=False)))


def _texts(values: Sequence[Any]) -> list[bytes]:
    """Return the JSON of each value."""
    if set(map(type, values)) <= PLAIN:
        return to_json(values)[1:-1].split(b",")
    return [*map(to_json, values)]
