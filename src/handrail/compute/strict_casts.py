"""Casts that round nothing and drop nothing: a value that does not fit its type stops the query by name.

The engine's own casts make 1401 of 1400.6, and 10:00 of 10:00+01:00.
"""

from handrail.compute.duckdb import Connection, EngineError, identifier, literal, reason
from handrail.errors import ProjectError

SMALL = ("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER")
WHOLE = (*SMALL, "BIGINT", "UBIGINT")
CLOCKS = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
INSTANT = "TIMESTAMP WITH TIME ZONE"
# What holds every whole number of a type, and the fraction that it must not have.
WIDER = dict.fromkeys(SMALL, "DOUBLE") | dict.fromkeys(("BIGINT", "UBIGINT"), "DECIMAL(38,18)")
STOPPED = "Invalid Input Error: "

OFFSET = r"[+-]|[A-Za-z]{2}"  # behind the date: a sign, or the name of a zone; T and Z stand alone
UTC_OFFSET = r"([+-]00(:?00)?|UTC)\s*$"


def known_types(connection: Connection, kinds: dict[str, str], origin: str) -> dict[str, str]:
    """Return the engine's own name of each SQL type, by column.

    Raises ProjectError, with `origin` and the column, where it knows no such type.
    """
    found, problems = {}, []
    for name, kind in kinds.items():
        try:
            ((found[name],),) = connection.execute(f"SELECT typeof(CAST(NULL AS {kind}))").fetchall()
        except EngineError as error:
            problems.append(f"{origin}: column {name}: {kind} is no type of SQL ({reason(error)})")
    if problems:
        raise ProjectError(problems)
    return found


def strict_cast(name: str, present: str, kind: str, *, without_offset: bool = False) -> str:
    """Return the SQL expression that casts the column `name` of type `present` to `kind`, exactly.

    Both types are named as the engine names them. A clock time may be written as UTC, which is the same
    clock, unless it has to be `without_offset`. Raises ProjectError, without the file's name, where none can.
    """
    value = identifier(name)
    if present == kind and not (without_offset and kind in CLOCKS):
        return value
    if _is_number(present) and (kind in CLOCKS or kind == INSTANT):
        raise ProjectError(f"column {name}: {present}, and no number is a time; make it one in transform.sql")
    fits = f"TRY_CAST({value} AS {kind})"
    if kind in WHOLE and not present.startswith("VARCHAR"):
        return _or_stop(name, f"{fits} = {value}", fits, f"is no {kind}")
    if kind in WHOLE:
        return _or_stop(name, f"{fits} = TRY_CAST({value} AS {WIDER[kind]})", fits, f"is no {kind}")
    cast = _or_stop(name, f"{fits} IS NOT NULL", fits, f"is no {kind}")
    if kind in CLOCKS and present == "VARCHAR":
        said = "has an offset; TIMESTAMPTZ is converted to UTC, TIMESTAMP is a clock without any"
        return _stop_if(name, _has_offset(value, without_offset), cast, said)
    return cast


def _is_number(kind: str) -> bool:
    return kind in (*WHOLE, "HUGEINT", "UHUGEINT", "FLOAT", "DOUBLE") or kind.startswith("DECIMAL")


def _has_offset(value: str, strictly: bool) -> str:
    behind = f"substr(trim({value}), 11)"
    if strictly:
        return f"regexp_matches({behind}, {literal(f'{OFFSET}|[Zz]')})"
    other = f"NOT regexp_matches({behind}, {literal(UTC_OFFSET)})"
    return f"regexp_matches({behind}, {literal(OFFSET)}) AND {other}"


def _or_stop(name: str, condition: str, cast: str, said: str) -> str:
    value = identifier(name)
    return f"CASE WHEN {value} IS NULL THEN NULL WHEN {condition} THEN {cast} ELSE {_stop(name, said)} END"


def _stop_if(name: str, condition: str, cast: str, said: str) -> str:
    return f"CASE WHEN {condition} THEN {_stop(name, said)} ELSE {cast} END"


def _stop(name: str, said: str) -> str:
    shown = f"CAST({identifier(name)} AS VARCHAR)"
    return f"error({literal(f'column {name}: ')} || {shown} || {literal(f' {said}')})"


def stopped(error: EngineError) -> str:
    """Return what a query said that was stopped, by a cast or otherwise, on one line."""
    return reason(error).removeprefix(STOPPED)
