"""What a contract can say of a column, and what the rest of the project reads from it.

A contract is a pydantic model of one record. Its constraints are the rules; `column` adds the role
and the unit. From it follow the API's model, the check of whole tables, the feature types, the drift
bins, the data dictionary and the made-up records of the tests.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo

from handrail.errors import ProjectError

KINDS = (str, int, float, datetime)
RULES = ("ge", "le", "pattern")
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
    KNOWN = "known"  # when the outcome was known, of contracts that say so row by row


class Record(BaseModel):
    """The base of a contract: no unknown columns, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


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
    ge: float | None = None
    le: float | None = None
    pattern: str | None = None
    choices: tuple[str, ...] = ()
    examples: tuple[Any, ...] = ()

    @property
    def categorical(self) -> bool:
        """Whether the values are names, not amounts."""
        return self.kind is str


def column(role: Role, description: str, *, unit: str = "", sliced: bool = False, **rules: Any) -> Any:
    """Declare a column: its role, meaning and unit, and pydantic's rules (ge, le, pattern, examples).

    `sliced` asks for the model's quality to be shown for each of its values.
    """
    extra: dict[str, Any] = {"role": role, "unit": unit, "sliced": sliced}
    return Field(description=description, json_schema_extra=extra, **rules)


@cache
def columns(contract: type[Record]) -> tuple[Column, ...]:
    """Return the contract's columns in their order."""
    return tuple(_column(name, field) for name, field in contract.model_fields.items())


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
def request_model(contract: type[Record]) -> type[Record]:
    """Return the model of what a client sends: key, subject, time and features, not what only time tells."""
    asked = of_role(contract, Role.KEY, Role.SUBJECT, Role.TIME, Role.FEATURE)
    fields = {
        c.name: (contract.model_fields[c.name].annotation, contract.model_fields[c.name]) for c in asked
    }
    return create_model(f"{contract.__name__}Request", __base__=Record, **fields)  # ty: ignore[no-matching-overload]


def _column(name: str, field: FieldInfo) -> Column:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    if "role" not in extra:
        raise ProjectError(f"contract.py: {name} has no role; declare it with column(...)")
    kind, nullable, choices = _kind(name, field.annotation)
    if kind is datetime and extra["role"] == Role.FEATURE:
        raise ProjectError(f"contract.py: {name} is a time, a feature is an amount or a name; {ADVICE}")
    if kind is not datetime and extra["role"] == Role.KNOWN:
        raise ProjectError(
            f"contract.py: {name}: says when the outcome was known, so it is a datetime or None"
        )
    return Column(
        name=name,
        kind=kind,
        role=Role(str(extra["role"])),
        description=field.description or "",
        unit=str(extra["unit"]),
        nullable=nullable,
        sliced=bool(extra["sliced"]),
        choices=choices,
        examples=tuple(field.examples or ()),
        **_rules(name, field),
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
