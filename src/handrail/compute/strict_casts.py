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
CLOSER = dict.fromkeys(SMALL, "DOUBLE") | dict.fromkeys(("BIGINT", "UBIGINT"), "DECIMAL(38,18)")
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
    cast = f"TRY_CAST({value} AS {kind})"
    if kind not in WHOLE:
        found = _or_stop(name, f"coalesce({cast}, {_stop(name, f'is no {kind}', kind)})")
        return _without_offset(name, found, without_offset) if _is_written_time(present, kind) else found
    exact = _exactly(name, f"{value} = {cast}", cast, kind)
    if present != "VARCHAR":
        return _or_stop(name, exact)
    # A text of a whole number has neither point nor exponent: only one that has is worth a closer look.
    plain = " OR ".join(f"contains({value}, '{sign}')" for sign in ".eE")
    closer = _exactly(name, f"TRY_CAST({value} AS {CLOSER[kind]}) = {cast}", cast, kind)
    whole = f"coalesce({cast}, {_stop(name, f'is no {kind}', kind)})"
    return _or_stop(name, f"CASE WHEN {plain} THEN {closer} ELSE {whole} END")


def _is_number(kind: str) -> bool:
    return kind in (*WHOLE, "HUGEINT", "UHUGEINT", "FLOAT", "DOUBLE") or kind.startswith("DECIMAL")


def _is_written_time(present: str, kind: str) -> bool:
    return kind in CLOCKS and present == "VARCHAR"


def _exactly(name: str, condition: str, cast: str, kind: str) -> str:
    return f"CASE WHEN {condition} THEN {cast} ELSE {_stop(name, f'is no {kind}', kind)} END"


def _without_offset(name: str, cast: str, strictly: bool) -> str:
    """Return `cast`, but for texts with an offset; those of the two usual lengths are told at a glance."""
    value = identifier(name)
    behind = f"substr(trim({value}), 11)"
    offset = f"regexp_matches({behind}, {literal(OFFSET if not strictly else f'{OFFSET}|[Zz]')})"
    if not strictly:
        offset += f" AND NOT regexp_matches({behind}, {literal(UTC_OFFSET)})"
    usual = f"length({value}) = 10 OR (length({value}) = 19 AND substr({value}, 17, 1) = ':')"
    said = "has an offset; TIMESTAMPTZ is converted to UTC, TIMESTAMP is a clock without any"
    stop = _stop(name, "has an offset, and local time has none" if strictly else said, "TIMESTAMP")
    return f"CASE WHEN {usual} THEN {cast} WHEN {offset} THEN {stop} ELSE {cast} END"


def _or_stop(name: str, cast: str) -> str:
    return f"CASE WHEN {identifier(name)} IS NOT NULL THEN {cast} END"


def _stop(name: str, said: str, kind: str) -> str:
    """Return what stops the query; it has the type of what it stands for, which some engines ask for."""
    shown = f"CAST({identifier(name)} AS VARCHAR)"
    told = f"error({literal(f'column {name}: ')} || {shown} || {literal(f' {said}')})"
    return f"CAST({told} AS {kind})"


def stopped(error: EngineError) -> str:
    """Return what a query said that was stopped, by a cast or otherwise, on one line."""
    return reason(error).removeprefix(STOPPED)
