"""What a contract can say of a column, and what the rest of the project reads from it.

A contract is a pydantic model of one record. Its constraints are the rules; `column` adds the role
and the unit. From it follow the API's model, the check of whole tables, the feature types, the drift
bins, the data dictionary and the made-up records of the tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from handrail.contract.native_rules import beside, whole_number
from handrail.contract.times import LOCAL, Zone, reading_times
from handrail.errors import ProjectError

KINDS = (str, int, float, datetime)
RULES = ("ge", "le", "pattern", "max_length")
WHOLE_NUMBERS = (-(2**63), 2**63 - 1)  # of 64 bits, in tables and records alike
ROW_KEY = "row_key"  # the key that the engine makes of rows without one of their own
MADE_KEY = r"^[0-9a-f]{32}(-[0-9]+)?$"  # and how it looks
LOCAL_TIME = "date-time-local"  # a time without an offset, in the registry of OpenAPI's formats
MAXIMUM_LENGTH = 1000  # characters of a name or key, where the contract says nothing else
# What the engine writes into a column beside those of the contract, and where.
WRITTEN = dict.fromkeys(("predicted_at", "version", "source", "prediction", "baseline"), "data/predictions/")
REJECTED = {"reason": "data/rejected/"}
ADVICE = (
    "in transform.sql, make yes or no a 0 or 1, and a date an amount of days; the time of a row is a datetime"
)


class Role(StrEnum):
    """What a column is for. Only features reach the model.

    The key is the row's own; the subject is whom or what it is about (a customer, a machine, a shop), if rows
    of one belong together.
    """

    KEY = "key"
    SUBJECT = "subject"
    TIME = "time"
    FEATURE = "feature"
    TARGET = "target"
    SENSITIVE = "sensitive"
    FORBIDDEN = "forbidden"
    CONTEXT = "context"
    ORIGIN = "origin"  # when the forecast of a row is made; its time is what it is for
    KNOWN = "known"  # when the outcome was known, of contracts that say so row by row


def _said(field: FieldInfo) -> dict[str, Any]:
    """Return what `column` has said of a field."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _add_rules(schema: Any, fields: Mapping[str, FieldInfo]) -> None:
    """Add the rules of each kind to the schema of a record, wherever it is wrapped."""
    while schema["type"] != "model-fields":
        if "schema" not in schema:
            return  # a reference to a record whose schema has them
        schema = schema["schema"]
    for name, field in schema["fields"].items():
        _add_rule(field, _said(fields[name]).get("zone") or LOCAL)


def _add_rule(holder: Any, zone: Zone) -> None:
    """Add the rule of its kind to the schema that `holder` holds, under what makes it optional."""
    inner = holder.get("schema")
    if inner is None:
        return
    if inner["type"] == "datetime":
        holder["schema"] = reading_times(inner, zone)
    elif inner["type"] == "int":
        least, most = WHOLE_NUMBERS
        inner["ge"], inner["le"] = max(inner.get("ge", least), least), min(inner.get("le", most), most)
        holder["schema"] = core_schema.no_info_before_validator_function(
            _number, inner, metadata=beside(whole_number({**inner}))
        )
    elif inner["type"] == "float":
        inner["strict"] = True
    elif inner["type"] == "str":
        inner.setdefault("max_length", MAXIMUM_LENGTH)
    else:
        _add_rule(inner, zone)


def _number(value: Any) -> Any:
    """Let no text and no yes or no be a whole number; 5.0 is one, as programs write it that miss some."""
    if isinstance(value, str | bool):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


class Record(BaseModel):
    """The base of a contract: no unknown columns, no NaN or infinity, no number for a time, no text for one.

    Whole numbers have 64 bits and names at most MAXIMUM_LENGTH characters, as in tables. A time is read by
    its column's zone, see `column`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Give the fields the rules that hold for every column of their kind."""
        schema = handler(source)
        _add_rules(schema, cls.model_fields)
        return schema

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe local times as such: `date-time` is one with an offset."""
        found = handler(schema)
        described = handler.resolve_ref_schema(found)["properties"]
        for name, field in cls.model_fields.items():
            if _said(field).get("zone", LOCAL) == LOCAL:
                for each in (described[name], *described[name].get("anyOf", ())):
                    if each.get("format") == "date-time":
                        each["format"] = LOCAL_TIME
        return found


@dataclass(frozen=True)
class Column:
    """One column of the contract, as the rest of the project reads it."""

    name: str
    kind: type
    role: Role
    description: str
    unit: str = ""
    nullable: bool = False
    sliced: bool = False
    drift: bool = True
    ge: float | None = None
    le: float | None = None
    pattern: str | None = None
    max_length: int | None = None
    zone: Zone | None = None
    choices: tuple[str, ...] = ()
    examples: tuple[Any, ...] = ()

    @property
    def categorical(self) -> bool:
        """Whether the values are names, not amounts."""
        return self.kind is str

    @property
    def holds_64_bits(self) -> bool:
        """Whether the range of a whole number is such that nothing in it is beyond 64 bits."""
        (least, most), (low, high) = WHOLE_NUMBERS, (self.ge, self.le)
        return low is not None and high is not None and low >= least and high <= most


def column(
    role: Role,
    description: str,
    *,
    unit: str = "",
    sliced: bool = False,
    drift: bool = True,
    zone: Zone | None = None,
    **rules: Any,
) -> Any:
    """Declare a column: its role, meaning and unit, and pydantic's rules (ge, le, pattern, examples).

    `sliced` asks for the model's quality to be shown for each of its values. `drift=False` says that a
    feature moves by itself, as the month or a growing counter does: it is not watched for drift; said of the
    target, the prediction is not. `max_length` is 1000 characters for a name or key where nothing is said.

    `zone` says what the times of a column are, in files and requests alike: "local" (the default), as a
    clock on the wall shows them, and a value with an offset is refused; or "utc", and a value with an offset
    is converted, one without is UTC.
    """
    extra: dict[str, Any] = {"role": role, "unit": unit, "sliced": sliced}
    extra |= {"zone": zone} if zone else {}
    extra |= {} if drift else {"drift": False}
    return Field(description=description, json_schema_extra=extra, **rules)


@cache
def columns(contract: type[Record]) -> tuple[Column, ...]:
    """Return the contract's columns in their order."""
    found = tuple(_column(name, field) for name, field in contract.model_fields.items())
    problems = [*_shadowing(found), *_alike(found)]
    if problems:
        raise ProjectError(problems)
    return found


def _shadowing(found: tuple[Column, ...]) -> list[str]:
    """Return a sentence for each column that has the name of one that the engine writes beside it."""
    beside = {c.name: REJECTED | (WRITTEN if _is_predicted_by(c) else {}) for c in found}
    return [
        f"contract.py: {c.name}: the engine itself writes a column of this name beside it, into "
        f"{beside[c.name][c.name.lower()]}; give it another, as {c.name.lower()}_of_the_row, here and in "
        "etl/transform.sql"
        for c in found
        if c.name.lower() in beside[c.name]
    ]


def _is_predicted_by(column: Column) -> bool:
    """Tell whether a column stands beside predictions: asked for, compared with them, or sliced by."""
    return column.sliced or column.role in (Role.KEY, Role.TIME, Role.ORIGIN, Role.FEATURE, Role.TARGET)


def _alike(found: tuple[Column, ...]) -> list[str]:
    """Return a sentence for each column whose name is that of another but for capitals."""
    known: dict[str, str] = {}
    return [
        f"contract.py: {c.name} and {first} are one name in SQL, which knows no capitals; rename one of them"
        for c in found
        if (first := known.setdefault(c.name.lower(), c.name)) != c.name
    ]


def of_role(contract: type[Record], *roles: Role) -> tuple[Column, ...]:
    """Return the columns that have one of `roles`."""
    return tuple(column for column in columns(contract) if column.role in roles)


def subject_of(contract: type[Record]) -> Column | None:
    """Return the column of the subject, None without one; raises ProjectError where there are two."""
    return one_of_role(contract, Role.SUBJECT) if of_role(contract, Role.SUBJECT) else None


def one_of_role(contract: type[Record], role: Role) -> Column:
    """Return the only column of `role`; raises ProjectError where there is none or more than one."""
    found = of_role(contract, role)
    if len(found) != 1:
        names = ", ".join(column.name for column in found) or "none"
        raise ProjectError(f"contract.py: one column has to be the {role.value}, found {names}")
    return found[0]


@cache
def with_key(contract: type[Record]) -> type[Record]:
    """Return the contract itself, or, where no column is the key, with the one that the engine makes.

    See `handrail.contract.row_key`. Raises ProjectError where a column has that name for something else.
    """
    if of_role(contract, Role.KEY):
        return contract
    if ROW_KEY in contract.model_fields:
        raise ProjectError(
            f"contract.py: {ROW_KEY}: the engine makes a column of this name, as none has the role KEY; give "
            "it that role, or another name"
        )
    made = column(
        Role.KEY,
        "Made of all that is asked of the row",
        pattern=MADE_KEY,
        examples=["0cc175b9c0f1b6a831c399e269772661"],
    )
    fields = {ROW_KEY: (str, made)}
    return create_model(contract.__name__, __base__=contract, __doc__=contract.__doc__, **fields)  # ty: ignore[no-matching-overload]


def _asked(field: FieldInfo, *, nullable: bool) -> tuple[Any, FieldInfo | None]:
    """Return type and rules of a column in a request; what may be missing may be left out, too."""
    if not nullable:
        return field.annotation, field
    annotation: Any = field.annotation
    return Annotated[annotation, field], None


@cache
def request_model(contract: type[Record]) -> type[Record]:
    """Return the model of what a client sends: key, subject, times and features, not what only time tells."""
    asked = of_role(contract, Role.KEY, Role.SUBJECT, Role.TIME, Role.ORIGIN, Role.FEATURE)
    fields = {c.name: _asked(contract.model_fields[c.name], nullable=c.nullable) for c in asked}
    return create_model(f"{contract.__name__}Request", __base__=Record, **fields)  # ty: ignore[no-matching-overload]


def _column(name: str, field: FieldInfo) -> Column:
    extra = _said(field)
    if "role" not in extra:
        raise ProjectError(f"contract.py: {name} has no role; declare it with column(...)")
    kind, nullable, choices = _kind(name, field.annotation)
    if kind is datetime and extra["role"] == Role.FEATURE:
        raise ProjectError(f"contract.py: {name} is a time, a feature is an amount or a name; {ADVICE}")
    if kind is not datetime and extra["role"] == Role.ORIGIN:
        raise ProjectError(f"contract.py: {name}: says when a forecast is made, so it is a datetime")
    if kind is not datetime and extra["role"] == Role.KNOWN:
        raise ProjectError(
            f"contract.py: {name}: says when the outcome was known, so it is a datetime or None"
        )
    zone = extra.get("zone")
    if zone not in (None, *get_args(Zone)) or (zone and kind is not datetime):
        raise ProjectError(f'contract.py: {name}: zone={zone!r}: times only have one, "local" or "utc"')
    rules = _rules(name, field)
    if kind is str and not choices:
        rules.setdefault("max_length", MAXIMUM_LENGTH)
    return Column(
        name=name,
        kind=kind,
        role=Role(str(extra["role"])),
        description=field.description or "",
        unit=str(extra["unit"]),
        nullable=nullable,
        sliced=bool(extra["sliced"]),
        drift=bool(extra.get("drift", True)),
        choices=choices,
        examples=tuple(field.examples or ()),
        zone=(zone or LOCAL) if kind is datetime else None,
        **rules,
    )


def _rules(name: str, field: FieldInfo) -> dict[str, Any]:
    """Return the rules that records and tables are checked by; any other would hold for records alone."""
    found: dict[str, Any] = {}
    for rule in field.metadata:
        said = {key: getattr(rule, key) for key in RULES if getattr(rule, key, None) is not None}
        if not said:
            raise ProjectError(f"contract.py: {name}: {rule} is no rule for tables; use {', '.join(RULES)}")
        found |= said
    return found


def _kind(name: str, annotation: Any) -> tuple[type, bool, tuple[str, ...]]:
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    nullable, kinds = NoneType in parts, [part for part in parts if part is not NoneType]
    choices = get_args(kinds[0]) if get_origin(kinds[0]) is Literal else ()
    kind = str if choices and all(isinstance(choice, str) for choice in choices) else kinds[0]
    if len(kinds) > 1 or kind not in KINDS:
        known = ", ".join(known.__name__ for known in KINDS)
        raise ProjectError(
            f"contract.py: {name}: {annotation} is none of {known}, a Literal of names, or one of these "
            f"or None; {ADVICE}"
        )
    return kind, nullable, choices
