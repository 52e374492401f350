"""Checks a whole table against the contract, inside the engine, in one pass.

Every rule of the contract becomes one SQL condition; together they give each broken row its reason. No value
stops the check: one that its type can't hold has a reason, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from handrail.compute.duckdb import Connection, column_types, identifier, literal
from handrail.contract.schema import Column, Record, Role, columns, of_role, one_of_role
from handrail.contract.times import LOCAL
from handrail.errors import ProjectError

SQL_TYPES: dict[type, str] = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", datetime: "TIMESTAMP"}

SIZES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")  # each value of theirs is a whole number of 64 bits
FLOATS = ("FLOAT", "DOUBLE")
NUMBERS = (*SIZES, *(f"U{size}" for size in SIZES), "FLOAT", "DOUBLE", "DECIMAL")
# Beginnings of the types that can be read as a kind; a column with nothing in it may have no type.
FITTING: dict[type, tuple[str, ...]] = {
    str: ("VARCHAR", "ENUM", '"NULL"'),
    int: (*NUMBERS, '"NULL"'),
    float: (*NUMBERS, '"NULL"'),
    datetime: ("TIMESTAMP", "DATE", '"NULL"'),
}
INSTANT = "TIMESTAMP WITH TIME ZONE"
TIMES = ("0001-01-01", "9999-12-31 23:59:59.999999")  # what a record can hold


@dataclass(frozen=True)
class Rule:
    """A rule of the contract: its text, and the SQL condition that holds for a row that breaks it."""

    text: str
    broken: str


def rules(contract: type[Record], present: Mapping[str, str] | None = None) -> tuple[Rule, ...]:
    """Return every rule of `contract`, in the order of its columns, that a column of its type can break.

    present: the SQL type of each column; without, every rule
    """
    kinds = present or {}
    found = [rule for c in columns(contract) for rule in _rules_of(c, kinds.get(c.name, "DOUBLE"))]
    return (*found, *_rules_of_origins(contract))


def check(connection: Connection, table: str, contract: type[Record], also: Sequence[Rule] = ()) -> None:
    """Make `checked`: the rows of `table` cast to the contract, and `reason`: the rules each breaks, or NULL.

    `also` are rules beside the contract's. All rows of one key but the first in time are broken too (of
    those without a time, the first by its columns).
    Only rows whose key repeats are put in order: a window over all rows takes twice as long, and spills whole
    rows to the disk.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE judged AS {_judged(connection, table, contract, also)}")
    if not of_role(contract, Role.KEY):  # a request of rows without a key of their own
        connection.execute("CREATE OR REPLACE TEMP VIEW checked AS SELECT * FROM judged")
        return
    key_name = one_of_role(contract, Role.KEY).name
    key, first = (
        identifier(key_name),
        "".join(f"{identifier(c.name)}, " for c in of_role(contract, Role.TIME)),
    )
    names = ", ".join(identifier(c.name) for c in columns(contract))
    again = f"CASE WHEN _repeat_number > 1 THEN {literal(duplicate_reason(key_name))} END"
    in_order = f"row_number() OVER (PARTITION BY {key} ORDER BY {first}{names}) AS _repeat_number"
    repeats = f"{key} IN (SELECT {key} FROM repeated)"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE repeated AS "
        f"SELECT {key} FROM judged GROUP BY {key} HAVING count({key}) > 1"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW checked AS "
        f"SELECT {names}, reason FROM judged WHERE ({repeats}) IS NOT TRUE UNION ALL "
        f"SELECT {names}, nullif(concat_ws('; ', reason, {again}), '') AS reason "
        f"FROM (SELECT *, {in_order} FROM judged WHERE {repeats})"
    )


def duplicate_reason(key: str) -> str:
    """Return the reason of a row whose `key` another row has, which was kept."""
    return f"{key}: repeated"


def reasons_by_place(
    connection: Connection, table: str, contract: type[Record], place: str, count: int
) -> list[str | None]:
    """Return what `check` says of each row, None of a good one, by its number in the column `place`.

    The numbers are 0 to count - 1, each of one row of `table`. A rule beside the contract's names each row by
    its number, as no column of a broken one has to tell it from the others.
    """
    check(connection, table, contract, also=[Rule(f"#{n}", f"{place} = {n}") for n in range(count)])
    said: dict[int, str | None] = {}
    for (found,) in connection.execute("SELECT reason FROM checked").fetchall():
        parts = found.split("; ")
        number = next(part for part in parts if part.startswith("#"))
        said[int(number[1:])] = "; ".join(part for part in parts if part != number) or None
    return [said[n] for n in range(count)]


def _judged(connection: Connection, table: str, contract: type[Record], also: Sequence[Rule]) -> str:
    every = (*rules(contract, column_types(connection, table)), *also)
    return f"SELECT {typed(contract)}, {reason_of(every)} AS reason FROM {table}"


def reason_of(every: Sequence[Rule]) -> str:
    """Return the SQL expression of the rules that a row breaks, NULL where it breaks none.

    The words are only put together for a row that does.
    """
    if not every:
        return "CAST(NULL AS VARCHAR)"
    any_of_them = " OR ".join(f"({rule.broken})" for rule in every)
    reasons = ", ".join(f"CASE WHEN {rule.broken} THEN {literal(rule.text)} END" for rule in every)
    return f"CASE WHEN {any_of_them} THEN concat_ws('; ', {reasons}) END"


def typed(contract: type[Record]) -> str:
    """Return the SELECT list of the contract's columns, each cast to its type, or empty where it can't be."""
    quoted = {identifier(c.name): SQL_TYPES[c.kind] for c in columns(contract)}
    return ", ".join(f"TRY_CAST({name} AS {kind}) AS {name}" for name, kind in quoted.items())


def refuse_other_columns(connection: Connection, table: str, contract: type[Record], origin: str) -> None:
    """Raise ProjectError where `table` lacks a column of the contract, or has it as another kind of type.

    `origin` is named in the message. Instants are no local times: which clock was it?
    """
    present = column_types(connection, table)
    absent = [c.name for c in columns(contract) if c.name not in present]
    if absent:
        raise ProjectError(f"{origin}: no column {', '.join(absent)}, which contract.py asks for")
    other = [c for c in columns(contract) if not present[c.name].startswith(FITTING[c.kind])]
    if other:
        raise ProjectError(
            f"{origin}: {c.name} is {present[c.name]}, contract.py asks for {SQL_TYPES[c.kind]}"
            for c in other
        )
    instants = [c for c in columns(contract) if c.zone == LOCAL and present[c.name] == INSTANT]
    if instants:
        raise ProjectError(
            f"{origin}: {c.name} is {INSTANT}, and local time in contract.py; make it local there, as in "
            f"{c.name} AT TIME ZONE 'Europe/Paris', or say zone=\"utc\" in contract.py"
            for c in instants
        )


def _rules_of_origins(contract: type[Record]) -> Iterator[Rule]:
    """Yield the rule that a forecast is not made after what it is for."""
    for origin in of_role(contract, Role.ORIGIN):
        for time in of_role(contract, Role.TIME):
            made, meant = (f"TRY_CAST({identifier(c.name)} AS TIMESTAMP)" for c in (origin, time))
            yield Rule(f"{origin.name}: later than {time.name}", f"{made} > {meant}")


def _rules_of(column: Column, present: str) -> Iterator[Rule]:
    name, value = column.name, identifier(column.name)
    if not column.nullable:
        yield Rule(f"{name}: missing", f"{value} IS NULL")
    if column.kind in (int, float):
        yield from _rules_of_amounts(column, present)
    if column.kind is datetime:
        first, last = (f"TIMESTAMP '{end}'" for end in TIMES)
        kept = f"TRY_CAST({value} AS TIMESTAMP) BETWEEN {first} AND {last}"
        yield Rule(f"{name}: not of the years 1 to 9999", f"{value} IS NOT NULL AND ({kept}) IS NOT TRUE")
    if column.max_length is not None:
        most = column.max_length
        longer = f"strlen({value}) > {most} AND length({value}) > {most}"  # bytes are counted at no cost
        yield Rule(f"{name}: longer than {most} characters", longer)
    if column.pattern:
        matches = f"regexp_matches({value}, {literal(column.pattern)})"
        yield Rule(f"{name}: not like {column.pattern}", f"NOT {matches}")
    if column.choices:
        allowed = ", ".join(literal(choice) for choice in column.choices)
        yield Rule(f"{name}: not one of {', '.join(column.choices)}", f"{value} NOT IN ({allowed})")


def _rules_of_amounts(column: Column, present: str) -> Iterator[Rule]:
    """Yield the rules of a number; what is none, or is infinite, breaks no other rule than that."""
    name, value = column.name, identifier(column.name)
    none = f"(isnan({value}) OR isinf({value}))" if present in FLOATS else "false"
    if column.ge is not None:
        yield Rule(f"{name}: below {column.ge:.15g}", f"{value} < {column.ge} AND NOT {none}")
    if column.le is not None:
        yield Rule(f"{name}: above {column.le:.15g}", f"{value} > {column.le} AND NOT {none}")
    if column.kind is float:
        yield Rule(f"{name}: not a number", none)
    elif present not in INTEGERS:
        yield Rule(f"{name}: not a whole number", f"{none} OR {value} <> round({value})")
        if not column.holds_64_bits:
            beyond = f"{value} IS NOT NULL AND TRY_CAST({value} AS BIGINT) IS NULL AND NOT {none}"
            yield Rule(f"{name}: beyond 64 bits", beyond)
