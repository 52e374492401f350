"""What a client sends to POST /predict: its body, read and checked in one pass over the bytes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic_core import (
    CoreSchema,
    ErrorDetails,
    PydanticCustomError,
    SchemaValidator,
    ValidationError,
    core_schema,
    from_json,
)

from handrail.config.sections import Serving
from handrail.config.settings import Settings
from handrail.contract.native_rules import plain_schema
from handrail.contract.schema import Record
from handrail.serving.columns import ByColumn, column_reader
from handrail.serving.horizon import bounded_request
from handrail.serving.loaded_rows import rows_of_keys

Asked = list[dict[str, Any]] | ByColumn  # the records of a request
LARGE = 20_000  # bytes of a body, about 50 records, that is read by columns


@dataclass(frozen=True)
class Keys:
    """What a request holds in place of records."""

    values: list[Any]


class RequestBody:
    """Reads the records of a request: each keeps the contract, and there are neither none nor too many.

    In their place there may be keys of rows that are loaded, where rows have a key.
    model: the same as a pydantic model, by which the request is described
    """

    def __init__(self, settings: Settings) -> None:
        self.record = bounded_request(settings)
        self._settings = settings
        most = settings.section(Serving).maximum_records
        records = core_schema.list_schema(_as_mapping(self.record), min_length=1, max_length=most)
        fields = {"records": core_schema.typed_dict_field(records, required=not settings.project.has_key)}
        if settings.project.has_key:
            key = _schema_of(self.record, settings.project.key)
            keys = core_schema.list_schema(key, min_length=1, max_length=most)
            fields["keys"] = core_schema.typed_dict_field(keys, required=False)
        self._validator = SchemaValidator(core_schema.typed_dict_schema(fields, extra_behavior="forbid"))
        self._plain = plain_schema(self.record) is not None
        self._columns = column_reader(settings, most)

    def read(self, content: bytes) -> Asked | Keys:
        """Return what a body asks for; raises pydantic_core.ValidationError that names all that is wrong."""
        if len(content) > LARGE and self._columns:
            read = self._columns.read(content)
            if read is not None:
                return read
        said = self._validator.validate_json(content)
        found = said.get("records")
        if found is None or len(said) > 1:
            if len(said) != 1:
                raise ValidationError.from_exception_data("PredictRequest", [_one_of_two(said)])
            return Keys(said["keys"])
        return found if self._plain else [dict(record) for record in found]

    def rows_of(self, keys: Keys) -> Asked:
        """Return the loaded row of each key; it takes a while.

        Raises UnknownKeysError where none is loaded, ProjectError where the table can't be read.
        """
        return rows_of_keys(self._settings, keys.values)


def records_in(content: bytes) -> int:
    """Return how many records, or keys, a body that was refused holds; one where that can't be told."""
    try:
        said = from_json(content)
    except ValueError:
        return 1
    lists = [each for each in said.values() if isinstance(each, list)] if isinstance(said, dict) else []
    return max(1, *map(len, lists)) if lists else 1


def has_too_many(errors: Iterable[ErrorDetails]) -> bool:
    """Return whether a body was refused for the number of its records, or keys: none of them was checked."""
    return any(each["type"] == "too_long" and each["loc"] in (("records",), ("keys",)) for each in errors)


def broken_rules(errors: Iterable[ErrorDetails]) -> dict[tuple[str, str], int]:
    """Return how many records of a refused body broke which rule (as pydantic calls it) of which field.

    What is wrong with a body as a whole counts as one, of `records`, `keys` or `body`.
    """
    records: dict[tuple[str, str], set[object]] = {}
    for each in errors:
        where, *inside = each["loc"] or ("body",)
        where = where if where in ("records", "keys") else "body"
        field = inside[1] if len(inside) > 1 else where
        records.setdefault((str(field), each["type"]), set()).add(inside[0] if inside else None)
    return {rule: len(places) for rule, places in records.items()}


def _one_of_two(said: dict[str, Any]) -> Any:
    """Return the error of a body with neither records nor keys, or with both."""
    if not said:
        return {"type": "missing", "loc": ("records",), "input": said}
    rule = PydanticCustomError("one_of_two", "records say all that is asked: send either them or keys")
    return {"type": rule, "loc": ("keys",), "input": said}


def _as_mapping(record: type[Record]) -> CoreSchema:
    """Return the schema of a record that is read into a mapping, which takes half the time of a model.

    A model with rules of its own, beside those of its fields, stays one.
    """
    found = plain_schema(record)
    if found is None:
        return record.__pydantic_core_schema__
    fields = {
        name: core_schema.typed_dict_field(field["schema"], required=field["schema"]["type"] != "default")
        for name, field in found["schema"]["fields"].items()
    }
    return core_schema.typed_dict_schema(fields, extra_behavior="forbid", config=found.get("config"))


def _schema_of(record: type[Record], name: str) -> Any:
    """Return the schema of one field of a record."""
    schema: Any = record.__pydantic_core_schema__
    while "fields" not in schema:  # what a model with rules of its own is wrapped in
        schema = schema["schema"]
    return schema["fields"][name]["schema"]
