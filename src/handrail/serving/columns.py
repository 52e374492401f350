"""A body of many records, read and answered column by column: in half the time that it takes by rows.

A body is parsed into rows of plain values, and each column is checked at once, by the rules of the contract.
What is not as programs usually write it is not read here: then the body is read record by record, so whatever
is refused is refused with the same words.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, overload

import msgspec
from pydantic_core import SchemaValidator, ValidationError, core_schema

from handrail.config.settings import Settings
from handrail.contract.native_rules import native_rule, plain_schema
from handrail.contract.schema import Column, columns
from handrail.serving.horizon import within_bounds

PARSED: dict[type, Any] = {str: str, float: float, int: int | float, datetime: str}  # by the kind of a column
_encoder = msgspec.json.Encoder()


class ByColumn(Sequence[Mapping[str, Any]]):
    """Records, and the same by column.

    columns: the values of all records, by the name of their column
    """

    def __init__(self, rows: Sequence[msgspec.Struct], values: Mapping[str, list[Any]]) -> None:
        self._rows, self.columns = rows, values

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Mapping[str, Any]]: ...
    def __getitem__(self, place: int | slice) -> Any:
        """Return a record, or several."""
        if isinstance(place, slice):
            return [msgspec.structs.asdict(row) for row in self._rows[place]]
        return msgspec.structs.asdict(self._rows[place])

    def tails(self) -> list[bytes]:
        """Return the JSON of each record, without the brace that opens it."""
        return _encoder.encode_lines(self._rows)[1:-1].split(b"\n{")


class ColumnReader:
    """Reads the records of a body whose values are as programs usually write them.

    rules: of each column, one that calls no Python · most: records of a body
    """

    def __init__(self, settings: Settings, rules: Mapping[str, Any], config: Any, most: int) -> None:
        asked = [each for each in columns(settings.project.contract) if each.name in rules]
        row = _struct("Row", [_parsed(each, rules[each.name]) for each in asked])
        self._decoder = msgspec.json.Decoder(_struct("Body", [("records", list[row])]))  # ty: ignore[invalid-type-form]
        self._most = most
        self._rules = {
            name: (attrgetter(name), SchemaValidator(core_schema.list_schema(rule), config=config))
            for name, rule in rules.items()
        }
        self._rewritten = {each.name: each.kind for each in asked if each.kind in (int, datetime)}
        self._are_within = within_bounds(settings)

    def read(self, content: bytes) -> ByColumn | None:
        """Return the records of a body; None where it has to be read record by record."""
        try:
            rows = self._decoder.decode(content).records
            if not 0 < len(rows) <= self._most:
                return None
            found = {name: self._checked(name, rows) for name in self._rules}
        except (msgspec.MsgspecError, UnicodeDecodeError, ValidationError):
            return None
        return ByColumn(rows, found) if self._are_within(found) else None

    def _checked(self, name: str, rows: Sequence[msgspec.Struct]) -> list[Any]:
        """Return the values of a column, and keep in the rows what is not as it was parsed."""
        value_of, rule = self._rules[name]
        written = [*map(value_of, rows)]
        found = rule.validate_python(written)
        kind = self._rewritten.get(name)
        if kind is datetime or (kind is int and float in set(map(type, written))):
            for row, value in zip(rows, found, strict=True):
                setattr(row, name, value)
        return found


def column_reader(settings: Settings, most: int) -> ColumnReader | None:
    """Return what reads at most `most` records by columns.

    None for a contract with rules of its own, or with names that are none of Python, as `a b`.
    """
    schema = plain_schema(settings.project.request)
    if schema is None or not all(name.isidentifier() for name in settings.project.request.model_fields):
        return None
    fields = schema["schema"]["fields"].items()
    rules = {name: native_rule(field["schema"]) for name, field in fields}
    return None if None in rules.values() else ColumnReader(settings, rules, schema.get("config"), most)


def _struct(name: str, fields: Sequence[Any]) -> Any:
    return msgspec.defstruct(name, fields, forbid_unknown_fields=True, kw_only=True, gc=False)


def _parsed(column: Column, rule: Any) -> tuple[Any, ...]:
    """Return name and type of a value, and what it is where it is left out."""
    kind = PARSED[column.kind]
    kind = kind | None if column.nullable else kind
    return (column.name, kind, rule["default"]) if rule["type"] == "default" else (column.name, kind)
