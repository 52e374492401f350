"""What PostgreSQL and Spark have in common: each does what the modules ask of DuckDB's connection.

A module says `connection.execute(sql)` and takes the result by `fetchall`, `fetchnumpy` or as Arrow; the SQL
is DuckDB's, translated here. Results are relations of a DuckDB that holds nothing else, so that a value has
the same Python type whichever engine has found it. Only aggregates and samples are fetched.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import sqlglot
from sqlglot import exp

from handrail.compute import dialect
from handrail.compute.duckdb import limits, literal
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.config.settings import Settings


class TooFewRowsError(Exception):
    """A query has given fewer rows than there may be: how many."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} rows")
        self.count = count


class Translated(ABC):
    """A connection to an engine that is not DuckDB, with those methods of DuckDB's that the modules use."""

    target: dialect.Target

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._local = duckdb.connect(config={**limits(settings)})
        self._local.execute("SET TimeZone = 'UTC'")
        self._temporary: set[str] = set()
        self._asked = dialect.Asked(columns=self._columns, scanned=self._scanned, view=self._view)

    # What the modules call.

    def execute(
        self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> duckdb.DuckDBPyRelation:
        """Run one statement of DuckDB's SQL and return its rows; errors are DuckDB's own."""
        if parameters:
            raise NotImplementedError("parameters are of DuckDB's own connections")
        try:
            tree = dialect.parse(statement)
        except sqlglot.ParseError as error:
            raise duckdb.ParserException(f"Parser Error: {error}".partition("\n")[0]) from None
        if isinstance(tree, exp.Create):
            self._make(tree)
        elif isinstance(tree, exp.Describe):
            return self._described(tree.this)
        elif isinstance(tree, exp.Query):
            return self._fetch(dialect.translate(tree, self.target, self._asked))
        elif not isinstance(tree, exp.Set):  # what is set is of DuckDB alone: its threads, its memory
            raise duckdb.NotSupportedError(f"{statement[:60]}: no such statement on {self.target}")
        return self._nothing()

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """Return the rows of a query."""
        return self.execute(query)

    def native(self, query: str) -> str:
        """Return a query of DuckDB's SQL in that of this engine."""
        return dialect.translate(dialect.parse(query), self.target, self._asked)

    def register(self, name: str, columns: Any) -> None:
        """Make what is in memory a temporary table: arrays by name, or an Arrow table."""
        self._local.register("_registered", columns)
        try:
            self._take_in(name, self._local.sql("SELECT * FROM _registered"))
        finally:
            self._local.unregister("_registered")

    def histograms(self, source: str, expressions: Sequence[str]) -> tuple[int, list[dict[Any, int]]]:
        """Return the rows of a FROM item, and how often each value of each expression occurs, in one scan."""
        names = [f"h{number}" for number in range(len(expressions))]
        values = ", ".join(f"{each} AS {name}" for name, each in zip(names, expressions, strict=True))
        which = " ".join(f"WHEN grouping({name}) = 0 THEN {number}" for number, name in enumerate(names))
        sets = ", ".join(f"({name})" for name in names)
        found = self.execute(
            f"SELECT CASE {which} END AS which, coalesce({', '.join(names)}) AS place, count(*) AS n "
            f"FROM (SELECT {values} FROM {source}) GROUP BY GROUPING SETS ({sets})"
        ).fetchall()
        counts: list[dict[Any, int]] = [{} for _ in names]
        total = sum(count for number, _, count in found if number == 0)
        for number, place, count in found:
            if place is not None:
                counts[number][place] = count
        return total, counts

    def there_already(self, name: str) -> str:
        """Return the FROM item of a table that is not the project's own, as the engine itself names it."""
        return name

    def has_temporary(self, name: str) -> bool:
        """Return whether a temporary table of that name was made on this connection."""
        return name.lower() in self._temporary

    def close(self) -> None:
        """Give back what is held."""
        self._local.close()

    def write_to(self, query: str, path: Path) -> int:
        """Keep the rows of a query as the table that `path` names, else as a file; return their number."""
        if stored_name(self._settings, path) is None:
            return self.land(query, path)
        return self.store(query, path)

    @abstractmethod
    def store(self, query: str, path: Path, least: int = 0) -> int:
        """Keep the rows of a query as the engine's own table that `path` names; return how many they are.

        Whoever reads that table meanwhile has the former rows, and so has everybody where this fails. Raises
        TooFewRowsError, and keeps the former ones, where there are fewer than `least`.
        """

    @abstractmethod
    def bring_in(self, file: Path, path: Path) -> int:
        """Keep a Parquet file of this machine as the table that `path` names; return its rows."""

    @abstractmethod
    def atomic(self) -> AbstractContextManager[None]:
        """Let all that is stored in the block count at its end, or nothing."""

    @abstractmethod
    def move(self, path: Path, target: Path) -> None:
        """Let the table of `path` be the one that `target` names, in one step; nothing if there is none."""

    @abstractmethod
    def discard(self, path: Path) -> None:
        """Delete the table that `path` names, if there is one."""

    @abstractmethod
    def is_stored(self, path: Path) -> bool:
        """Return whether the engine has a table of its own that `path` names."""

    @abstractmethod
    def land(self, query: str, path: Path) -> int:
        """Write the rows of a query to a Parquet file on this machine, whole or not at all."""

    # What an engine does in its own way; each `query` is in its own SQL.

    @abstractmethod
    def _fetch(self, query: str) -> duckdb.DuckDBPyRelation:
        """Return the rows of a query."""

    @abstractmethod
    def _empty(self, query: str) -> duckdb.DuckDBPyRelation:
        """Return a relation with the columns of a query, and none of its rows."""

    @abstractmethod
    def _keep(self, name: str, query: str, *, view: bool) -> None:
        """Make a temporary table or view, in place of any of that name."""

    @abstractmethod
    def _drop(self, name: str) -> None:
        """Drop a temporary table or view, if there is one of that name."""

    @abstractmethod
    def _take_in(self, name: str, rows: duckdb.DuckDBPyRelation) -> None:
        """Make a temporary table of rows that lie on this machine."""

    def _refuse_part(self, paths: Sequence[Path]) -> None:
        """Raise ProjectError where one names the loaded table: a file here is only what is learnt from."""
        name = self._settings.project.table_name
        if any(stored_name(self._settings, path) == name for path in paths):
            engine = self._settings.compute.engine
            raise ProjectError(f"{name}: {engine} has no such table yet; run `etl`, which loads it there")

    @abstractmethod
    def _scanned(self, call: str) -> str | dialect.Native:
        """Return what holds the rows that DuckDB's `read_parquet(...)` and the like would read."""

    def _view(self, name: str) -> dialect.Native | None:
        """Return the query of a view that only this connection knows of; None of any other name."""
        return None

    # What follows.

    def _make(self, tree: exp.Create) -> None:
        query = tree.expression
        if not isinstance(query, exp.Query):
            raise duckdb.NotSupportedError(
                f"{tree.sql(dialect='duckdb')[:60]}: only tables of a query are made"
            )
        made = dialect.translate(query, self.target, self._asked)
        self._keep(tree.this.name, made, view=tree.kind == "VIEW")
        self._temporary.add(tree.this.name.lower())

    def _described(self, what: Any) -> duckdb.DuckDBPyRelation:
        query = what if isinstance(what, exp.Query) else exp.select("*").from_(what)
        empty = self._empty(dialect.translate(query, self.target, self._asked))
        found = [
            f"SELECT {number} AS place, {literal(name)} AS column_name, {literal(str(kind))} AS column_type"
            for number, (name, kind) in enumerate(zip(empty.columns, empty.types, strict=True))
        ]
        listed = f"SELECT column_name, column_type FROM ({' UNION ALL '.join(found)}) ORDER BY place"
        return self._local.sql(listed)

    def _columns(self, query: str) -> list[str]:
        return list(self._empty(query).columns)

    def _nothing(self) -> duckdb.DuckDBPyRelation:
        return self._local.sql("SELECT 0 AS done WHERE false")


def stored_name(settings: Settings, path: Path) -> str | None:
    """Return what the engine calls the table of a file of the workspace; None of a file that is one.

    `data/departures.parquet` is `departures`, `data/raw/flights.parquet` is `raw/flights`.
    """
    folder = settings.workspace / "data"
    if not path.is_relative_to(folder) or path.suffix != ".parquet":
        return None
    name, table = path.relative_to(folder).with_suffix("").as_posix(), settings.project.table_name
    loaded = (table, f"rejected/{table}", f"not-accepted/{table}", f"not-accepted/{table}-rejected")
    return name if name.startswith("raw/") or name in loaded else None
