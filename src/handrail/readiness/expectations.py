"""Are the expectations of every column in the contract, and is a value that breaks one caught?

Each rule is tried: a good row of the live table gets a value that breaks it, and both the check of tables
and that of single records have to refuse that row.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan
from typing import Any

from pydantic import ValidationError

from handrail.compute.duckdb import Connection, connect, identifier, literal, row, rows
from handrail.contract.schema import Column, Record, Role, columns, of_role
from handrail.contract.table_check import SQL_TYPES, check, reasons_by_place, refuse_other_columns
from handrail.errors import ProjectError
from handrail.project import Project
from handrail.readiness.context import ReadinessContext

TABLE_CHECK = "handrail.contract.table_check"
CANDIDATES = ("?", "", "x", "0", "A0?")  # texts that a pattern or a list of names may refuse


@dataclass(frozen=True)
class Bad:
    """A value that breaks a rule of a column; None is a missing one."""

    column: str
    rule: str
    value: Any


def expectations(context: ReadinessContext) -> str:
    """Check the live table, then break every rule of the contract once."""
    project = context.settings.project
    loose = [column.name for column in of_role(project.contract, Role.FEATURE) if not _bounded(column)]
    if loose:
        raise ProjectError(
            f"contract.py: {name}: any value passes; give it ge and le, a pattern, or a Literal of names"
            for name in loose
        )
    bad = [each for column in columns(project.contract) for each in _bad_values(column)]
    with connect(context.settings) as connection:
        count = _sound_rows(connection, context.table, project)
        missed = list(_missed(connection, context.table, project.contract, bad))
    if missed:
        raise ProjectError(missed)
    return f"{count:,} rows keep the contract; {len(bad)} rules were broken on purpose, and each was caught"


def _bounded(column: Column) -> bool:
    if column.categorical:
        return bool(column.pattern or column.choices)
    return column.ge is not None or column.le is not None


def _bad_values(column: Column) -> Iterator[Bad]:
    """Yield a value that breaks each rule that the contract has for a column."""
    if not column.nullable:
        yield Bad(column.name, "missing", None)
    if column.ge is not None:
        yield Bad(column.name, f"below {column.ge:g}", column.ge - 1)
    if column.le is not None:
        yield Bad(column.name, f"above {column.le:g}", column.le + 1)
    if column.kind is int:
        yield Bad(column.name, "not whole", (column.ge or 0) + 0.5)
    if column.kind is float:
        yield Bad(column.name, "not a number", float("nan"))
    if column.max_length is not None:
        yield Bad(column.name, "too long", "x" * (column.max_length + 1))
    if column.pattern or column.choices:
        yield Bad(column.name, "not as agreed", _strange(column))


def _strange(column: Column) -> str:
    """Return a text that the column must refuse; raises ProjectError where it refuses none."""
    for text in CANDIDATES:
        if text not in column.choices and not (column.pattern and re.search(column.pattern, text)):
            return text
    raise ProjectError(f"contract.py: {column.name}: the pattern {column.pattern} lets any text pass")


def _sound_rows(connection: Connection, table: str, project: Project) -> int:
    """Return how many rows the live table has; raises ProjectError where any breaks the contract now."""
    refuse_other_columns(connection, table, project.contract, project.table_name)
    check(connection, table, project.contract)
    query = "SELECT reason, count(*) AS n FROM checked WHERE reason IS NOT NULL GROUP BY 1 ORDER BY 2 DESC"
    broken = rows(connection, query)
    if broken:
        raise ProjectError(
            f"data/{project.table_name}.parquet: {item['n']:,} rows: {item['reason']}; run `etl` again"
            for item in broken
        )
    return row(connection, "SELECT count(*) AS n FROM checked")["n"]


def _missed(connection: Connection, table: str, contract: type[Record], bad: list[Bad]) -> Iterator[str]:
    """Put each bad value into a good row of its own, and yield a sentence for each that is not caught."""
    names = ", ".join(identifier(column.name) for column in columns(contract))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE sound AS "
        f"SELECT {names}, row_number() OVER () - 1 AS _place FROM (SELECT * FROM {table} LIMIT {len(bad)})"
    ).fetchall()
    sound = rows(connection, f"SELECT {names} FROM sound ORDER BY _place")
    for first in range(0, len(bad), len(sound)):
        part = bad[first : first + len(sound)]
        reasons = _reasons(connection, contract, part)
        for each, record, said in zip(part, sound, reasons, strict=False):
            spoilt = record | {each.column: each.value}
            if f"{each.column}: " not in (said or ""):
                yield f"{TABLE_CHECK}: {each.column}: a value that is {each.rule} is not caught in a table"
            if not _refused(contract, spoilt, each.column):
                yield f"contract.py: {each.column}: a value that is {each.rule} is not caught in a record"


def _reasons(connection: Connection, contract: type[Record], bad: list[Bad]) -> list[str | None]:
    """Return what the check of tables says of the sound rows, each with one of the bad values."""
    values = ", ".join(_spoilt(column, bad) for column in columns(contract))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE spoilt AS SELECT {values}, _place FROM sound WHERE _place < {len(bad)}"
    ).fetchall()
    return reasons_by_place(connection, "spoilt", contract, "_place", len(bad))


def _spoilt(column: Column, bad: list[Bad]) -> str:
    """Return the SQL expression of a column with the bad values in their places."""
    kind = "DOUBLE" if column.kind in (int, float) else SQL_TYPES[column.kind]
    cases = "".join(
        f"WHEN {place} THEN {_literal(each.value)} "
        for place, each in enumerate(bad)
        if each.column == column.name
    )
    name = identifier(column.name)
    plain = f"CAST({name} AS {kind})"
    return f"{f'CASE _place {cases}ELSE {plain} END' if cases else plain} AS {name}"


def _literal(value: Any) -> str:
    return "CAST('NaN' AS DOUBLE)" if isinstance(value, float) and isnan(value) else literal(value)


def _refused(contract: type[Record], record: dict[str, Any], column: str) -> bool:
    try:
        contract.model_validate(record)
    except ValidationError as error:
        return any(item["loc"][:1] == (column,) for item in error.errors())
    return False
