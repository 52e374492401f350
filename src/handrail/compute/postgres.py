"""PostgreSQL as the engine: the tables of the project lie in a schema of its own, in a database of yours."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
from sqlglot import exp

from handrail.compute import dialect, postgres_functions
from handrail.compute.dialect import Native
from handrail.compute.duckdb import identifier, literal, write_parquet
from handrail.compute.scan_calls import one_file, read_call
from handrail.compute.translated import TooFewRowsError, Translated, stored_name
from handrail.errors import ProjectError
from handrail.retries import TRIES, asked_again

if TYPE_CHECKING:
    from handrail.config.settings import Settings

URL = "compute_url"
CONNECT_SECONDS = 10
LOCK_SECONDS = 60  # that a finished table waits for those who read the former one
FILES = "handrail_files"  # which file of this machine lies in which table
NULL = r"\N"
TYPES = {
    "BOOLEAN": "boolean",
    "TINYINT": "smallint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "HUGEINT": "numeric(38, 0)",
    "UTINYINT": "smallint",
    "USMALLINT": "integer",
    "UINTEGER": "bigint",
    "UBIGINT": "numeric(20, 0)",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}
TEXT = 'text COLLATE "C"'  # put in order by its bytes, as elsewhere
OF_NAME = {
    "bool": "BOOLEAN",
    "int2": "SMALLINT",
    "int4": "INTEGER",
    "int8": "BIGINT",
    "float4": "FLOAT",
    "float8": "DOUBLE",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
}


@contextmanager
def connect_postgres(settings: Settings) -> Generator[Postgres]:
    """Connect to the database that the environment names; raises ProjectError where that can't be."""
    engine = Postgres(settings, reached(settings))
    try:
        engine.prepare()
        yield engine
    finally:
        engine.close()


def reached(settings: Settings) -> psycopg.Connection:
    """Return a connection; a server that is not there is tried again, credentials that are wrong are not."""
    variable, url = f"{settings.project.env_prefix}{URL.upper()}", settings.secret(URL)
    if not url:
        raise ProjectError(
            f"compute.engine is postgres, and {variable} is not set; give it the address, as "
            "postgresql://user:password@host:5432/database"
        )
    try:
        return asked_again(
            lambda: psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS),
            psycopg.OperationalError,
            lambda error: f"the database can't be reached ({_line(error)})",
            is_final=_is_refused,
        )
    except psycopg.ProgrammingError:  # its own words would show the address, and with it a password
        raise ProjectError(
            f"{variable}: no address of PostgreSQL; it is like postgresql://user:password@host:5432/database"
        ) from None
    except psycopg.OperationalError as error:
        said = _line(error)
        if _is_refused(error):
            raise ProjectError(
                f"{variable}: the database lets nobody in: {said}; renew what is set there"
            ) from None
        raise ProjectError(
            f"{variable}: the database can't be reached, tried {TRIES} times: {said}; start it, or "
            "mend the address; the last good tables stay"
        ) from None


def _is_refused(error: Exception) -> bool:
    told = (
        "authentication failed",
        "no password supplied",
        "does not exist",
        "permission denied",
        "no pg_hba.conf",
    )
    return any(words in _line(error) for words in told)


def _line(error: Exception) -> str:
    """Return what the server says, on one line and without the address that is tried."""
    said = " ".join(str(error).split()).removeprefix("connection failed: ")
    return re.sub(r"^.*?(FATAL|ERROR): +", "", said)


class Postgres(Translated):
    """A connection to PostgreSQL that does what the modules ask of DuckDB's."""

    target: dialect.Target = "postgres"

    def __init__(self, settings: Settings, server: psycopg.Connection) -> None:
        super().__init__(settings)
        self._server = server
        self.schema = schema_of(settings)
        self._views: dict[str, Native] = {}

    def prepare(self) -> None:
        """Make the schema and the functions, where they are not there; drop what has no file any more."""
        schema = identifier(self.schema)
        with _own_errors():
            self._run("SET TIME ZONE 'UTC'; SET client_min_messages = warning")
            if not self._one("SELECT 1 FROM pg_namespace WHERE nspname = %s", self.schema):
                self._run(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            self._run(f"SET search_path = {schema}, public")
            made = f"SELECT obj_description(to_regprocedure('{schema}.handrail_error(text)'))"
            if self._one(made) != f"version {postgres_functions.VERSION}":
                with self._server.transaction():
                    self._run("SELECT pg_advisory_xact_lock(hashtext('handrail functions'))")
                    for statement in postgres_functions.statements():
                        self._run(statement)
            self._run(
                f"CREATE TABLE IF NOT EXISTS {FILES} "
                "(name text PRIMARY KEY, path text NOT NULL, what text NOT NULL, identity text NOT NULL)"
            )
            self._forget_files()

    def close(self) -> None:
        """Close the connection, and with it all temporary tables."""
        self._server.close()
        super().close()

    @contextmanager
    def atomic(self) -> Generator[None]:
        """Let all that is stored in the block count at its end, or nothing."""
        with _own_errors(), self._server.transaction():
            yield

    def store(self, query: str, path: Path, least: int = 0) -> int:
        """Keep the rows of a query as a table of the schema: made beside it, and renamed at the end."""
        native = self.native(query)

        def make(name: str) -> int:
            count = self._run(f"CREATE TABLE {identifier(name)} AS {native}").rowcount
            if count < least:
                raise TooFewRowsError(count)
            return count

        return self._put(path, make)

    def bring_in(self, file: Path, path: Path) -> int:
        """Keep a Parquet file of this machine as the table that `path` names; return its rows."""
        rows = self._local.read_parquet(str(file))
        return self._put(path, lambda name: self._copy_in(name, rows))

    def _put(self, path: Path, make: Callable[[str], int]) -> int:
        """Let `make` make a table under another name, and rename it when it is whole."""
        name = self._table(path)
        made = f"{name[:50]}_unfinished"
        with _own_errors(), self._server.transaction():
            self._run(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
            self._run("SELECT pg_advisory_xact_lock(hashtext(%s))", f"{self.schema}.{name}")
            self._run(f"DROP TABLE IF EXISTS {identifier(made)}")
            count = make(made)
            self._run(f"DROP TABLE IF EXISTS {identifier(name)}")
            self._run(f"ALTER TABLE {identifier(made)} RENAME TO {identifier(name)}")
            self._run(f"ANALYZE {identifier(name)}")
        return count

    def move(self, path: Path, target: Path) -> None:
        """Rename a table, in place of the one that has that name."""
        if not self.is_stored(path):
            return
        with _own_errors(), self._server.transaction():
            self._run(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
            self._run(f"DROP TABLE IF EXISTS {identifier(self._table(target))}")
            self._run(
                f"ALTER TABLE {identifier(self._table(path))} RENAME TO {identifier(self._table(target))}"
            )

    def discard(self, path: Path) -> None:
        """Drop a table, if it is there."""
        with _own_errors():
            self._run(f"DROP TABLE IF EXISTS {identifier(self._table(path))}")

    def is_stored(self, path: Path) -> bool:
        """Return whether the schema has a table that `path` names."""
        name = stored_name(self._settings, path)
        return name is not None and self._is_table(self._table(path))

    def land(self, query: str, path: Path) -> int:
        """Write the rows of a query to a Parquet file, through a file of separated values beside it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._fetched(self.native(query), path.parent) as source:
            return write_parquet(self._local, f"SELECT * FROM {source}", path)

    def _fetch(self, query: str) -> duckdb.DuckDBPyRelation:
        with self._fetched(query, None) as source:
            table = self._local.sql(f"SELECT * FROM {source}").to_arrow_table()
        return self._local.from_arrow(table)

    @contextmanager
    def _fetched(self, query: str, folder: Path | None) -> Generator[str]:
        """Give the FROM item of DuckDB that reads the rows of a query; it is there for the block."""
        kinds = self._kinds(query)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetched-") as place:
            file = Path(place) / "rows.csv"
            copy = f"COPY ({query}) TO STDOUT (FORMAT csv, NULL '{NULL}')"
            with (
                _own_errors(),
                file.open("wb") as lines,
                self._server.cursor() as cursor,
                cursor.copy(copy.encode()) as rows,
            ):
                for block in rows:
                    lines.write(block)
            yield _read_back(file, kinds)

    def _kinds(self, query: str) -> dict[str, str]:
        """Return the columns of a query, with DuckDB's types."""
        with _own_errors(), self._server.cursor() as cursor:
            cursor.execute(f"SELECT * FROM ({query}) AS _asked LIMIT 0".encode())
            described = cursor.description or []
            return {column.name: self._kind(column) for column in described}

    def _kind(self, column: psycopg.Column) -> str:
        found = self._server.adapters.types.get(column.type_code)
        name = found.name if found else "text"
        if found and column.type_code == found.array_oid:
            return f"{OF_NAME.get(name, 'DOUBLE' if name == 'numeric' else 'VARCHAR')}[]"
        if name == "numeric":
            return f"DECIMAL({column.precision},{column.scale})" if column.precision else "DOUBLE"
        return OF_NAME.get(name, "VARCHAR")

    def _empty(self, query: str) -> duckdb.DuckDBPyRelation:
        kinds = self._kinds(query)
        none = ", ".join(f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in kinds.items())
        return self._local.sql(f"SELECT {none} WHERE false")

    # Temporary tables; a view is only a query that is put where its name stands, as one of the database would
    # hold on to the tables that it reads.

    def _keep(self, name: str, query: str, *, view: bool) -> None:
        if view:
            self._empty(query)
            self._drop(name)
            self._views[name.lower()] = Native(this=query)
            return
        with _own_errors(), self._server.transaction():
            fresh = identifier(f"{name}_made")
            self._run(f"CREATE TEMP TABLE {fresh} AS {query}")  # it may read what had the name before
            self._drop(name)
            self._run(f"ALTER TABLE pg_temp.{fresh} RENAME TO {identifier(name.lower())}")
            self._run(f"ANALYZE pg_temp.{identifier(name.lower())}")

    def _drop(self, name: str) -> None:
        self._views.pop(name.lower(), None)
        self._run(f"DROP TABLE IF EXISTS pg_temp.{identifier(name.lower())}")

    def _view(self, name: str) -> Native | None:
        return self._views.get(name.lower())

    def _take_in(self, name: str, rows: duckdb.DuckDBPyRelation) -> None:
        with _own_errors(), self._server.transaction():
            self._drop(name)
            self._copy_in(name.lower(), rows, temporary=True)

    # Files of this machine.

    def _scanned(self, call: str) -> str | Native:
        files, options, tree = read_call(call)
        if len(files) == 1 and self.is_stored(files[0]):
            return self._table(files[0])
        self._refuse_part(files)
        names = [self._of_file(file, options, tree) for file in files]
        if len(names) == 1:
            return names[0]
        kinds = {name: self._kinds(f"SELECT * FROM {identifier(name)}") for name in names}
        every = {column: kind for found in kinds.values() for column, kind in found.items()}
        parts = [
            "SELECT "
            + ", ".join(
                identifier(column)
                if column in kinds[name]
                else f"CAST(NULL AS {_type(kind).partition(' COLLATE')[0]}) AS {identifier(column)}"
                for column, kind in every.items()
            )
            + f" FROM {identifier(name)}"
            for name in names
        ]
        return Native(this=" UNION ALL ".join(parts))

    def _of_file(self, file: Path, options: str, tree: exp.Expression) -> str:
        """Return the table of a file, which is brought in where it is new, or has changed since."""
        if not file.is_file():
            raise duckdb.IOException(f"{file}: no such file")
        stamp = file.stat()
        identity = f"{stamp.st_size} {stamp.st_mtime_ns}"
        name = f"file_{_digest(f'{file} {options}')}"
        known = self._one(f"SELECT identity FROM {FILES} WHERE name = %s", name)
        if known == identity:
            return name
        rows = self._local.sql(one_file(tree, file))
        with _own_errors(), self._server.transaction():
            self._run("SELECT pg_advisory_xact_lock(hashtext(%s))", f"{self.schema}.{name}")
            self._run(f"DROP TABLE IF EXISTS {identifier(name)}")
            self._copy_in(name, rows)
            self._run(
                f"INSERT INTO {FILES} VALUES (%s, %s, %s, %s) ON CONFLICT (name) DO UPDATE SET identity = "
                "EXCLUDED.identity",
                name,
                str(file),
                options,
                identity,
            )
        self._run(f"ANALYZE {identifier(name)}")
        return name

    def _forget_files(self) -> None:
        """Drop the table of each file that is not there any more: what was deleted is deleted here, too."""
        with self._server.cursor() as cursor:
            known = cursor.execute(f"SELECT name, path FROM {FILES}".encode()).fetchall()
        for name, path in known:
            if not Path(path).is_file():
                with self._server.transaction():
                    self._run(f"DROP TABLE IF EXISTS {identifier(name)}")
                    self._run(f"DELETE FROM {FILES} WHERE name = %s", name)

    def _copy_in(self, name: str, rows: duckdb.DuckDBPyRelation, *, temporary: bool = False) -> int:
        """Make a table of rows of DuckDB, through a file of separated values; return how many they are."""
        kinds = zip(rows.columns, map(str, rows.types), strict=True)
        columns = ", ".join(f"{identifier(column)} {_type(kind)}" for column, kind in kinds)
        self._run(f"CREATE {'TEMP ' if temporary else ''}TABLE {identifier(name)} ({columns})")
        with tempfile.TemporaryDirectory(prefix="handrail-copy-") as folder:
            file = Path(folder) / "rows.csv"
            rows.write_csv(str(file), header=False, na_rep=NULL, quotechar='"', escapechar='"')
            copy = f"COPY {identifier(name)} FROM STDIN (FORMAT csv, NULL '{NULL}')"
            with file.open("rb") as lines, self._server.cursor() as cursor:
                with cursor.copy(copy) as target:  # ty: ignore[invalid-argument-type]
                    while block := lines.read(1 << 20):
                        target.write(block)
                return cursor.rowcount

    def _table(self, path: Path) -> str:
        name = stored_name(self._settings, path)
        if name is None:
            raise ValueError(f"{path} names no table")
        return name.replace("/", "_").lower()

    def _is_table(self, name: str) -> bool:
        return bool(
            self._one("SELECT 1 FROM pg_tables WHERE schemaname = %s AND tablename = %s", self.schema, name)
        )

    def _run(self, statement: str, *parameters: Any) -> psycopg.Cursor:
        return self._server.execute(statement, parameters or None)  # ty: ignore[invalid-argument-type]

    def _one(self, query: str, *parameters: Any) -> Any:
        found = self._run(query, *parameters).fetchone()
        return found[0] if found else None


def schema_of(settings: Settings) -> str:
    """Return the schema of the tables: as project.yaml says, or the package's name; a small run's own."""
    schema = settings.compute.schema_name or settings.project.package
    return f"{schema}_sample_{settings.sample}" if settings.sample else schema


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _type(kind: str) -> str:
    if kind.startswith("DECIMAL"):
        return kind.replace("DECIMAL", "numeric")
    return TYPES.get(kind, TEXT)


def _read_back(file: Path, kinds: dict[str, str]) -> str:
    """Return the FROM item that reads what PostgreSQL has written."""
    read = {name: "VARCHAR" if kind.endswith("[]") else kind for name, kind in kinds.items()}
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in read.items())
    source = (
        f"read_csv({literal(file)}, columns = {{{columns}}}, auto_detect = false, header = false, "
        f"delim = ',', quote = '\"', escape = '\"', nullstr = '{NULL}', allow_quoted_nulls = false)"
    )
    lists = {name: kind for name, kind in kinds.items() if kind.endswith("[]")}
    if not lists:
        return source
    made = ", ".join(
        f"CAST('[' || substr({identifier(n)}, 2, length({identifier(n)}) - 2) || ']' AS {kind}) AS "
        f"{identifier(n)}"
        for n, kind in lists.items()
    )
    return f"(SELECT * REPLACE ({made}) FROM {source})"


@contextmanager
def _own_errors() -> Generator[None]:
    """Raise what PostgreSQL says as DuckDB's errors, by which the modules tell bad data from a bad engine."""
    try:
        yield
    except psycopg.DataError as error:
        raise duckdb.InvalidInputException(f"Invalid Input Error: {_line(error)}") from None
    except psycopg.ProgrammingError as error:
        raise duckdb.BinderException(_line(error)) from None
    except psycopg.Error as error:
        raise duckdb.OperationalError(_line(error)) from None
