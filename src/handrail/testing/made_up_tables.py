"""Records as a table of the engine, as raw as they are: what breaks a rule does so there, too."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from handrail.compute.duckdb import Connection, identifier, literal
from handrail.contract.schema import Column, Record, columns
from handrail.contract.table_check import SQL_TYPES

PLACE = "place_of_the_record"


def table_of(connection: Connection, contract: type[Record], records: Sequence[Mapping[str, Any]]) -> str:
    """Put `records` into a temporary table, with their PLACE from 0 on; return its name.

    They have the same columns of `contract`, one or more. A whole number with a fraction stays one.
    """
    kept = [column for column in columns(contract) if column.name in records[0]]
    types = ", ".join(f"{identifier(column.name)} {_type(column, records)}" for column in kept)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE made_up ({PLACE} INTEGER, {types})")
    values = [
        ", ".join([str(place), *(_exact(record[c.name]) for c in kept)])
        for place, record in enumerate(records)
    ]
    connection.execute(f"INSERT INTO made_up VALUES ({'), ('.join(values)})")
    return "made_up"


def _type(column: Column, records: Sequence[Mapping[str, Any]]) -> str:
    broken = any(isinstance(record[column.name], float) for record in records)
    return "DOUBLE" if column.kind is int and broken else SQL_TYPES[column.kind]


def _exact(value: Any) -> str:
    """Return a value as a literal of SQL that is read as the very same; a plain 0.1 would be a DECIMAL."""
    if not isinstance(value, float):
        return literal(value)
    return f"{value!r}e0" if isfinite(value) and "e" not in repr(value) else f"CAST('{value!r}' AS DOUBLE)"
