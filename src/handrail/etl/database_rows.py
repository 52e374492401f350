"""Rows of a database: what the queries of project.yaml give, kept on this machine and brought up to date.

With a watermark, a column that grows, only rows beyond the last one seen are asked for, less an overlap for
those that come late; what was kept of the overlap is replaced by what is there now. Everything is read in one
transaction, so that the tables go together.
"""

import json
import os
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg
from psycopg import sql
from psycopg.errors import InsufficientPrivilege, InvalidAuthorizationSpecification, InvalidPassword

from handrail.compute.duckdb import (
    WRONG_DATA,
    Connection,
    file_name,
    identifier,
    literal,
    parquet,
    row,
    write_parquet,
)
from handrail.compute.strict_casts import known_types, stopped, strict_cast
from handrail.config.sections import Query
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.raw_files import RawTable
from handrail.files import write_whole
from handrail.locks import locked
from handrail.retries import TRIES, asked_again
from handrail.storage.addresses import shown

SETTING = "data.source"
STATE, LOCK = "{}.json", ".lock"
CONNECT_SECONDS = 10
LOCKED_SECONDS = 600.0
NOTHING = r"\N"
MARK = "_watermark"
TIMES = {"date": "DATE", "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMPTZ"}
NUMBERS = dict.fromkeys(("int2", "int4", "int8"), "BIGINT") | {"numeric": "DECIMAL(38, 10)"}
# How a login is refused: not tried again, as it would be refused again, or lock the account.
REFUSED = (InvalidPassword, InvalidAuthorizationSpecification, InsufficientPrivilege)
SESSION = ("timezone=UTC", "datestyle=ISO", "default_transaction_read_only=on")
OPTIONS: dict[str, Any] = {
    "client_encoding": "utf8",
    "connect_timeout": CONNECT_SECONDS,
    "options": " ".join(f"-c {each}" for each in SESSION),
    "keepalives_idle": "30",
}


@dataclass(frozen=True)
class State:
    """What is kept of a query: what it depends on, and the greatest watermark, as PostgreSQL writes it."""

    depends_on: str
    watermark: str | None
    rows: int


def fetch_rows(
    connection: Connection,
    settings: Settings,
    tables: Mapping[str, RawTable],
    folder: Path,
    *,
    anew: bool = False,
    tell: Callable[[str], object] = lambda text: None,
) -> list[str]:
    """Bring the kept rows of every table up to date, each in `folder`/NAME.parquet; return what is wrong.

    anew: all rows are fetched, whatever is kept · tell: is told why all are fetched where rows were kept.
    Raises ProjectError where the database can't be reached or used; what was kept is then still there.
    """
    absent = [name for name in tables if name not in settings.data.queries]
    strange = [name for name in settings.data.queries if name not in settings.project.raw_tables]
    if absent or strange:
        lacking = [f"no query for the raw table {name}; add it" for name in absent]
        lacking += [f"{name} is no raw table of etl/extract.py; take it out, or add it" for name in strange]
        return [f"project.yaml: data.queries: {each}" for each in lacking]
    said = (
        f"{folder}: another command has been fetching for {LOCKED_SECONDS:.0f} s; try again when it is done"
    )
    problems: list[str] = []
    with locked(folder / LOCK, LOCKED_SECONDS, lambda: said), connected(settings) as database:
        for name, table in tables.items():
            kept = _KeptRows(connection, settings, name, table, folder)
            try:
                with database.transaction():  # of one that fails, the others know nothing
                    kept.update(database, anew, tell)
            except ProjectError as error:
                problems += error.problems
    return [*dict.fromkeys(problems)]  # of a connection that is lost, every table says the same


class _KeptRows:
    """The rows of one query: those that are kept, and those that are new."""

    def __init__(
        self, connection: Connection, settings: Settings, name: str, table: RawTable, folder: Path
    ) -> None:
        self._connection, self._name, self._folder = connection, name, folder
        self._query: Query = settings.data.queries[name]
        self._sql = self._query.sql.strip().rstrip(";")
        self._where = f"project.yaml: data.queries.{name}"
        self._kinds = known_types(connection, dict(table.columns), self._where)
        self._address = shown(settings.source_address or "")
        self.path, self._state_path = folder / f"{name}.parquet", folder / STATE.format(name)

    def update(self, database: "psycopg.Connection[Any]", anew: bool, tell: Callable[[str], object]) -> None:
        """Fetch what is new, and keep it with what was kept before, whole or not at all."""
        present = self._columns(database)
        mark = self._mark(present)
        depends_on = self._depends_on(present)
        state = self._state()
        if state and state.depends_on != depends_on and not anew:
            tell(f"{self._name}: the query or its columns have changed; all rows are fetched anew")
        first = anew or state is None or state.depends_on != depends_on or mark is None
        since = None if first or state is None else state.watermark
        with tempfile.TemporaryDirectory(dir=self._folder.parent, prefix=f".raw-{os.getpid()}-") as place:
            file, fetched = Path(place) / "rows.csv", Path(place) / "rows.parquet"
            self._copy(database, file, mark, since)
            self._typed(file, fetched, mark)
            found = self._merged(fetched, mark, since)
            count = write_parquet(self._connection, found, Path(place) / "all.parquet")
            newest = self._newest(database, Path(place) / "all.parquet", mark)
            self._state_path.unlink(missing_ok=True)  # killed in between, all is fetched anew
            (Path(place) / "all.parquet").replace(self.path)
        state = State(depends_on, newest, count)
        write_whole(self._state_path, json.dumps(asdict(state), indent=1) + "\n")

    def _columns(self, database: "psycopg.Connection[Any]") -> dict[str, str]:
        """Return the types of the query's columns, by PostgreSQL's names; raises ProjectError."""
        with self._told():
            asked = sql.SQL("SELECT * FROM ({}\n) AS asked LIMIT 0").format(_as_written(self._sql))
            found = database.execute(asked).description or ()
            types = {column.name: database.adapters.types.get(column.type_code) for column in found}
        present = {name: kind.name if kind else "?" for name, kind in types.items()}
        needed = [*self._kinds, *self._query.key, *filter(None, [self._query.watermark])]
        absent = [name for name in dict.fromkeys(needed) if name not in present]
        if absent:
            raise ProjectError(
                f"{self._where}: no column {', '.join(absent)} among {', '.join(present)}; has the table "
                "changed? see the query, and the columns in etl/extract.py"
            )
        return present

    def _mark(self, present: Mapping[str, str]) -> str | None:
        """Return the engine's type of the watermark, None without one."""
        name = self._query.watermark
        if name is None:
            return None
        kinds = TIMES | NUMBERS
        if present[name] not in kinds:
            raise ProjectError(
                f"{self._where}.watermark: {name} is {present[name]}; take one of {', '.join(kinds)}"
            )
        return kinds[present[name]]

    def _depends_on(self, present: Mapping[str, str]) -> str:
        """Return a checksum of all that kept rows depend on but the overlap."""
        what = [self._address, self._sql, self._query.watermark, self._query.key, self._kinds]
        types = {name: present[name] for name in (*self._kinds, *filter(None, [self._query.watermark]))}
        return sha256(json.dumps([*what, types]).encode()).hexdigest()

    def _state(self) -> State | None:
        try:
            found = json.loads(self._state_path.read_text(encoding="utf-8"))
            return State(**found) if self.path.is_file() else None
        except (OSError, ValueError, TypeError):
            return None

    def _copy(
        self, database: "psycopg.Connection[Any]", file: Path, mark: str | None, since: str | None
    ) -> None:
        """Write rows as the server writes them: all, or those beyond the watermark less the overlap."""
        names: list[sql.Composable] = [
            sql.Identifier(name) for name in dict.fromkeys((*self._kinds, *self._query.key))
        ]
        column = sql.Identifier(self._query.watermark or "")
        if mark:
            names.append(sql.SQL("{} AS {}").format(column, sql.Identifier(MARK)))
        asked: sql.Composable = sql.SQL("SELECT {} FROM ({}\n) AS asked").format(
            sql.SQL(", ").join(names),
            _as_written(self._sql),
        )
        if since is not None and mark is not None:
            before = _as_written(_less_overlap(mark, since, self._query.overlap))
            newer = sql.SQL("{} > {}").format(column, before)
            asked = sql.SQL("{} WHERE {} OR {} IS NULL").format(asked, newer, column)
        form = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER, NULL {}, ENCODING 'UTF8')")
        copy = form.format(asked, sql.Literal(NOTHING))
        with self._told(), file.open("wb") as target, database.cursor().copy(copy) as rows:
            for chunk in rows:
                target.write(chunk)

    def _typed(self, file: Path, target: Path, mark: str | None) -> None:
        """Write the rows as Parquet, each column cast to its type; raises ProjectError for what is none."""
        texts = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in self._names(mark))
        form = f"delim = ',', quote = '\"', escape = '\"', nullstr = {literal(NOTHING)}"
        reader = (
            f"read_csv({file_name(file)}, columns = {{{texts}}}, header = true, auto_detect = false, {form}, "
            "allow_quoted_nulls = false)"
        )
        chosen = [f"{strict_cast(n, 'VARCHAR', k)} AS {identifier(n)}" for n, k in self._kinds.items()]
        chosen += [identifier(name) for name in self._query.key if name not in self._kinds]
        chosen += [f"CAST({MARK} AS {mark}) AS {MARK}"] if mark else []
        try:
            write_parquet(self._connection, f"SELECT {', '.join(chosen)} FROM {reader}", target)
        except WRONG_DATA as error:
            raise ProjectError(f"{self._where}: {stopped(error)}") from None

    def _names(self, mark: str | None) -> list[str]:
        return [*dict.fromkeys((*self._kinds, *self._query.key)), *([MARK] if mark else [])]

    def _merged(self, fetched: Path, mark: str | None, since: str | None) -> str:
        """Return the query of all rows: those that were kept and are not replaced, and those that are new."""
        if since is None or mark is None:
            return f"FROM {parquet(fetched)}"
        before = _engine_less(mark, since, self._query.overlap)
        kept = f"SELECT * FROM {parquet(self.path)} WHERE {MARK} <= {before}"
        if self._query.key:
            keys = ", ".join(identifier(name) for name in self._query.key)
            known = f"SELECT {keys} FROM {parquet(fetched)}"
            kept = f"SELECT * FROM ({kept}) ANTI JOIN ({known}) USING ({keys})"
        return f"({kept}) UNION ALL BY NAME (SELECT * FROM {parquet(fetched)})"

    def _newest(self, database: "psycopg.Connection[Any]", path: Path, mark: str | None) -> str | None:
        """Return the greatest watermark of all rows; of times, none that the server's clock has not reached.

        A row that is dated into the future by mistake would hide all that come until then.
        """
        if mark is None:
            return None
        where = "TRUE"
        if mark in TIMES.values():
            with self._told():
                now = database.execute("SELECT (now() AT TIME ZONE 'UTC')::text").fetchone()
            where = f"{MARK} <= CAST({literal((now or ('',))[0])} AS TIMESTAMP)"
            if mark == "TIMESTAMPTZ":
                where = f"{MARK} <= CAST({literal((now or ('',))[0] + '+00')} AS TIMESTAMPTZ)"
        found = row(
            self._connection, f"SELECT max({MARK})::VARCHAR AS newest FROM {parquet(path)} WHERE {where}"
        )
        return found["newest"]

    @contextmanager
    def _told(self) -> Generator[None]:
        """Tell what the server refuses in one line; its words hold no address."""
        try:
            yield
        except psycopg.OperationalError as error:
            raise _unreached(self._address, error) from None
        except psycopg.Error as error:
            said = error.diag.message_primary or type(error).__name__
            raise ProjectError(f"{self._where}: the database says: {said}; see the query") from None


def _as_written(text: Any) -> sql.SQL:
    """Return a text as a part of a query: the team's own, or made here."""
    return sql.SQL(text)


def _less_overlap(mark: str, since: str, overlap: float) -> str:
    """Return the SQL of PostgreSQL for the watermark less the overlap."""
    if mark in TIMES.values():
        kind = {"DATE": "timestamp", "TIMESTAMP": "timestamp", "TIMESTAMPTZ": "timestamptz"}[mark]
        return f"{literal(since)}::{kind} - make_interval(secs => {overlap * 86400!r})"
    return f"{literal(since)}::numeric - {overlap!r}::numeric"


def _engine_less(mark: str, since: str, overlap: float) -> str:
    """Return the same for the engine."""
    if mark in TIMES.values():
        kind = "TIMESTAMPTZ" if mark == "TIMESTAMPTZ" else "TIMESTAMP"
        return f"CAST({literal(since)} AS {kind}) - to_microseconds({round(overlap * 86_400_000_000)})"
    return f"CAST({literal(since)} AS DECIMAL(38, 10)) - CAST({overlap!r} AS DECIMAL(38, 10))"


@contextmanager
def connected(settings: Settings) -> "Generator[psycopg.Connection[Any]]":
    """Connect to the database of data.source, for one reading transaction; raises ProjectError."""
    address = settings.source_address or ""
    given = _parameters(address)
    try:
        database = asked_again(
            lambda: psycopg.connect(**(OPTIONS | given)),
            psycopg.OperationalError,
            lambda error: f"{SETTING}: {shown(address)} does not answer",
            is_final=lambda error: isinstance(error, REFUSED) or _is_refusal(error),
        )
    except (psycopg.OperationalError, *REFUSED) as error:
        raise _unreached(shown(address), error) from None
    except psycopg.Error as error:
        kind = type(error).__name__
        raise ProjectError(
            f"{SETTING}: {shown(address)}: it can't be used ({kind}); see what follows ?"
        ) from None
    with database:
        database.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with database.transaction():
            yield database


def _parameters(address: str) -> dict[str, Any]:
    """Return an address in parts: what is wrong with one is never told by a library that repeats it."""
    found = urlsplit(address)
    given: dict[str, Any] = {
        "host": unquote(found.hostname or ""),
        "port": found.port,
        "user": unquote(found.username or ""),
        "password": unquote(found.password or ""),
        "dbname": unquote(found.path.lstrip("/")),
    }
    return {name: value for name, value in given.items() if value} | dict(parse_qsl(found.query))


def _is_refusal(error: Exception) -> bool:
    """Tell whether a server has answered, and would answer the same again."""
    said = str(error)
    return "FATAL" in said and "starting up" not in said and "too many" not in said


def _unreached(address: str, error: psycopg.Error) -> ProjectError:
    """Return what is to be said of a database that does not let itself be asked, without its address."""
    said = " ".join(str(error).split())
    where = f"{SETTING}: {address}"
    if "password authentication failed" in said or "no password supplied" in said:
        return ProjectError(
            f"{where}: user or password is refused or missing; set PGPASSWORD, a ~/.pgpass, or the address "
            "with both in the environment"
        )
    fatal = said.partition("FATAL:")[2].strip()
    if fatal and _is_refusal(error):
        return ProjectError(f"{where}: the database says: {fatal}")
    if error.sqlstate and error.diag.message_primary:
        return ProjectError(f"{where}: the database says: {error.diag.message_primary}; run `etl` again")
    return ProjectError(
        f"{where}: the database does not answer, after {TRIES} attempts; is it up, and reached from here?"
    )
