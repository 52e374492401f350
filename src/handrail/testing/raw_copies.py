"""The raw tables of a run written as files again: as they should be, and broken as files break."""

import csv
import gzip
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, wraps
from pathlib import Path
from typing import Any, TextIO

from handrail.compute.duckdb import Connection, connect, identifier, literal, parquet, row, rows
from handrail.config.settings import Settings
from handrail.console import quietly
from handrail.errors import ProjectError
from handrail.etl.extract import bring_in
from handrail.etl.load import raw_path
from handrail.etl.pipeline import refusal_path, run_etl
from handrail.etl.raw_files import RawRows, RawSource, RawTable, StoredTable
from handrail.etl.separated_values import WHITESPACE, is_packed
from handrail.testing.runs import SmallRun, contents, with_given

RENAMED = "renamed_meanwhile"
SPARE_ROWS = 10  # more than the fewest that a raw table may have
Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Fault:
    """A way in which raw tables break; a table that can't break so stays whole.

    query: from a table and the FROM item of its rows to the SELECT of what is written instead, or None.
    spoil: what happens to the written file; tells whether anything did.
    ask: what happens to the rows of a table that is no file.
    """

    query: Callable[[Connection, RawSource, str], str | None] = lambda connection, table, source: (
        f"FROM {source}"
    )
    spoil: Callable[[RawTable, Path], bool] = lambda table, path: True
    ask: Callable[[Rows], Rows] = iter


@dataclass(frozen=True)
class Refusal:
    """What the ETL said to broken raw tables, which files were broken, and which others it has changed."""

    problems: tuple[str, ...]
    files: tuple[str, ...]
    changed: tuple[str, ...]


def refusal(run: SmallRun, fault: Fault) -> Refusal:
    """Break every raw table that can break so, run the ETL on them in a copy, and return what it says.

    They are read by the project's own `extract` where all are files and it follows `data.source`, and in its
    place otherwise.
    """
    there = run.copy()
    folder = there.workspace.with_name("broken")
    tables, broken = written_again(run, folder, fault)
    before = contents(there.workspace / "data")
    try:
        run_etl(reading_from(run, there, folder, tables), quietly)
        problems: tuple[str, ...] = ()
    except ProjectError as error:
        problems = error.problems
    after = contents(there.workspace / "data")
    names = {*before, *after} - {refusal_path(there).name}  # that is what tells of it afterwards
    changed = tuple(sorted(name for name in names if before.get(name) != after.get(name)))
    return Refusal(problems, broken, changed)


def reading_from(run: SmallRun, there: Settings, folder: Path, tables: Mapping[str, RawSource]) -> Settings:
    """Return the settings `there`, with raw tables that are read from `folder`."""
    files_only = all(isinstance(table, RawTable) for table in tables.values())
    if files_only and _follows_source(run):
        return there.model_copy(update={"data": there.data.model_copy(update={"source": folder})})

    def extract(connection: Connection, settings: Settings) -> dict[str, int]:
        return bring_in(connection, settings, tables, folder)

    return with_given(there, raw_tables=tables, extract=extract)


@cache
def _follows_source(run: SmallRun) -> bool:
    """Tell whether the project's own `extract` reads the files of the folder that `data.source` names."""
    there = run.copy()
    folder = there.workspace.with_name("few_rows")
    tables, _ = written_again(run, folder, Fault())
    settings = there.model_copy(update={"data": there.data.model_copy(update={"source": folder})})
    try:
        with connect(settings) as connection:
            counts = run.project.extract(connection, settings)
    except ProjectError:
        return False
    return counts == {name: _few(run, name, table) for name, table in tables.items()}


def _few(run: SmallRun, name: str, table: RawSource) -> int:
    """Return how many rows of a raw table are enough, and fewer than the run has, to tell them apart."""
    least = min(table.minimum_rows, run.settings.sample or table.minimum_rows)
    return min(least + SPARE_ROWS, run.etl.raw[name] - 1)


def written_again(
    run: SmallRun, folder: Path, fault: Fault, *, whole: bool = False
) -> tuple[dict[str, RawSource], tuple[str, ...]]:
    """Write each raw table of the run into `folder` as it is read, broken by `fault`: few rows, or `whole`.

    Return the tables to read, and the files, as messages call them, of those that are broken.
    """
    folder.mkdir()
    tables: dict[str, RawSource] = {}
    broken = []
    with connect(run.settings) as connection:
        for name, table in run.project.raw_tables.items():
            most = "NULL" if whole else _few(run, name, table)
            source = f"(FROM {parquet(raw_path(run.settings, name))} LIMIT {most})"
            query = fault.query(connection, table, source)
            if isinstance(table, RawRows):
                tables[name] = _giving(table, rows(connection, query or f"FROM {source}"), fault.ask)
                is_broken = query is not None
            else:
                file = table.as_file() if isinstance(table, StoredTable) else table
                tables[name], path = file, folder / file.file
                _write(connection, file, query or f"FROM {source}", path)
                is_broken = query is not None and fault.spoil(file, path)
            broken += [tables[name].file] if is_broken else []
    return tables, tuple(broken)


def _write(connection: Connection, table: RawTable, query: str, path: Path) -> None:
    """Write the rows of `query` to `path` in the form in which `table` is read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".parquet":
        connection.execute(f"COPY ({query}) TO {literal(path)} (FORMAT parquet)").fetchall()
        return
    plain = path.with_name(f"{path.name}.plain")
    written = f"FORMAT csv, HEADER {str(table.header).lower()}, QUOTE '\"', ESCAPE '\"', COMPRESSION none"
    connection.execute(f"COPY ({query}) TO {literal(plain)} ({written})").fetchall()
    quoting = csv.QUOTE_ALL if _between(table) == " " else csv.QUOTE_MINIMAL  # two spaces are no empty field
    with plain.open(encoding="utf-8", newline="") as lines, _opened(path, table.encoding) as file:
        writer = csv.writer(file, delimiter=_between(table), quoting=quoting, lineterminator="\n")
        writer.writerows(csv.reader(lines))
    plain.unlink()


def _between(table: RawTable) -> str:
    """Return what is written between the values of a table."""
    return " " if table.separator == WHITESPACE else table.separator


def _opened(path: Path, encoding: str) -> TextIO:
    if is_packed(path):
        return gzip.open(path, "wt", encoding=encoding, newline="")
    return path.open("w", encoding=encoding, newline="")


def _giving(table: RawRows, rows: Rows, happens: Callable[[Rows], Rows] = iter) -> RawRows:
    """Return a raw table of the same name that gives `rows`, to which something may happen."""

    @wraps(table.ask)
    def ask(settings: Settings) -> Rows:
        return happens(rows)

    return replace(table, ask=ask)


def _unlinked(table: RawTable, path: Path) -> bool:
    path.unlink()
    return True


def _refused(given: Rows) -> Rows:
    raise ConnectionRefusedError("nobody answers")


def _emptied(table: RawTable, path: Path) -> bool:
    path.write_bytes(b"")
    return True


def _no_rows(given: Rows) -> Rows:
    return []


def _renamed(connection: Connection, table: RawSource, source: str) -> str | None:
    """Return the SELECT in which the first column has another name; None where a file holds no names."""
    if isinstance(table, RawTable) and not (table.header or table.file.endswith(".parquet")):
        return None
    first, *others = map(identifier, table.columns)
    return f"SELECT {', '.join([f'{first} AS {RENAMED}', *others])} FROM {source}"


def _with_text(connection: Connection, table: RawSource, source: str) -> str | None:
    """Return the SELECT in which one value of the first column that is no text can't be read."""
    for name, kind in table.columns.items():
        if row(connection, f"SELECT TRY_CAST('?' AS {kind}) IS NULL AS typed")["typed"]:
            column = identifier(name)
            spoilt = f"CASE WHEN row_number() OVER () = 1 THEN '?' ELSE CAST({column} AS VARCHAR) END"
            return f"SELECT * REPLACE ({spoilt} AS {column}) FROM {source}"
    return None


def _cut_off(table: RawTable, path: Path) -> bool:
    """Cut the end off: within the last line where that shows, or else so that too few lines are left."""
    content = path.read_bytes()
    if path.suffix.lower() == ".parquet" or is_packed(path):
        path.write_bytes(content[:-40])
        return True
    text = content.decode(table.encoding)
    if len(table.columns) > 1:
        shorter = text[: text.rindex(_between(table))]
    else:
        shorter = "".join(text.splitlines(keepends=True)[: table.minimum_rows])
    path.write_bytes(shorter.encode(table.encoding))
    return len(table.columns) > 1 or table.minimum_rows > 0


def _broken_off(given: Rows) -> Iterator[Mapping[str, Any]]:
    for number, record in enumerate(given):
        if number > 1:
            break
        yield record
    raise ConnectionResetError("the connection was lost")


MISSING = Fault(spoil=_unlinked, ask=_refused)
EMPTY = Fault(spoil=_emptied, ask=_no_rows)
RENAMED_COLUMN = Fault(query=_renamed)
TEXT_AMONG_AMOUNTS = Fault(query=_with_text)
CUT_OFF = Fault(spoil=_cut_off, ask=_broken_off)
