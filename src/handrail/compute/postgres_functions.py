"""Functions that PostgreSQL lacks and DuckDB has; each is made once in the project's schema.

TRY_CAST is one for each pair of types, so that a cast from number to number is plain SQL, which PostgreSQL
puts into the query; only texts cost the exception that they may raise.
"""

from collections.abc import Iterator

VERSION = 1  # raise it with every change: the functions have it in a comment, and are made anew
PREFIX = "handrail"

WHOLE = {"smallint": "smallint", "integer": "integer", "bigint": "bigint", "tinyint": "smallint"}
FLOATS = {"double": "double precision", "real": "real"}
NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
LIMITS = {"tinyint": 7, "smallint": 15, "integer": 31, "bigint": 63}
TIMES = {"timestamp": "timestamp", "timestamptz": "timestamptz", "date": "date"}
WRITTEN_TIME = r"^\s*\d{1,6}-\d{1,2}-\d{1,2}"  # not: now, infinity


def statements() -> Iterator[str]:
    """Yield the statements that make every function."""
    for name, kind in WHOLE.items():
        bound = 2 ** LIMITS[name]
        for given in NUMBERS:
            inside = f"x >= -{bound}::numeric AND x < {bound}::numeric"
            if given in ("real", "double precision"):
                inside = f"x >= -{float(bound)!r}::float8 AND x < {float(bound)!r}::float8"
            yield _plain(f"try_{name}", given, kind, f"CASE WHEN {inside} THEN x::{kind} END")
        yield _plain(f"try_{name}", "boolean", kind, f"x::integer::{kind}")
        yield _caught(f"try_{name}", kind, f"{PREFIX}_try_{name}(x::numeric)")
    for name, kind in FLOATS.items():
        for given in NUMBERS:
            yield _plain(f"try_{name}", given, kind, f"x::{kind}")
        yield _plain(f"try_{name}", "boolean", kind, f"x::integer::{kind}")
        yield _caught(f"try_{name}", kind, f"x::{kind}")
    for name, kind in TIMES.items():
        for given in TIMES.values():
            yield _plain(f"try_{name}", given, kind, f"x::{kind}")
        yield _caught(f"try_{name}", kind, f"CASE WHEN x ~ '{WRITTEN_TIME}' THEN x::{kind} END")
    yield _plain("try_boolean", "boolean", "boolean", "x")
    yield _caught("try_boolean", "boolean", "x::boolean")
    yield _plain("sha256", "text", "text", "encode(sha256(convert_to(x, 'UTF8')), 'hex')")
    yield _plain("sha256", "bytea", "text", "encode(sha256(x), 'hex')")
    digits = " || ".join(
        f"substr(md5(x), {place}, 2)" for place in range(31, 16, -2)
    )  # the first byte is the least
    low = f"('x' || {digits})::bit(64)::bigint"
    unsigned = f"CASE WHEN {low} < 0 THEN {low}::numeric + 18446744073709551616 ELSE {low}::numeric END"
    yield _plain("md5_number_lower", "text", "numeric", unsigned)
    yield (
        f"CREATE OR REPLACE FUNCTION {PREFIX}_error(x text) RETURNS text LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION USING MESSAGE = x, ERRCODE = 'data_exception'; END $$"
    )
    yield f"COMMENT ON FUNCTION {PREFIX}_error(text) IS 'version {VERSION}'"


def _plain(name: str, given: str, kind: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {PREFIX}_{name}(x {given}) RETURNS {kind} LANGUAGE sql IMMUTABLE "
        f"PARALLEL SAFE AS $$ SELECT {body} $$"
    )


def _caught(name: str, kind: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {PREFIX}_{name}(x text) RETURNS {kind} LANGUAGE plpgsql IMMUTABLE "
        f"PARALLEL SAFE AS $$ BEGIN RETURN {body}; EXCEPTION WHEN data_exception THEN RETURN NULL; END $$"
    )
