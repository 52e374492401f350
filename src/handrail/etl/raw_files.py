"""Reads raw files as they come, and refuses those that are not what they should be."""

import csv
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handrail.compute.duckdb import (
    WRONG_DATA,
    Connection,
    EngineError,
    column_types,
    identifier,
    literal,
    parquet,
    reason,
    rows,
    write_parquet,
)
from handrail.config.settings import Settings
from handrail.errors import ProjectError


@dataclass(frozen=True)
class RawTable:
    """A raw file, `.parquet` or of values between separators (plain or in a zip file of the same name).

    It says the columns that are used, named as in the file, with their SQL types, and the fewest rows the
    file may have; `sampled` tables are cut down by `--sample`. Encodings are utf-8, utf-16 and latin-1.
    """

    file: str
    columns: Mapping[str, str]
    minimum_rows: int
    separator: str = ","
    encoding: str = "utf-8"


@dataclass(frozen=True)
class RawRows:
    """A raw table that is no file: `ask` returns its rows, of a service or a database, each a mapping.

    It says the columns that are used with their SQL types, and the fewest rows there may be. `ask` is given
    the settings; what it raises as OSError or ValueError is told as the source's failure.
    """

    ask: Callable[[Settings], Iterable[Mapping[str, Any]]]
    columns: Mapping[str, str]
    minimum_rows: int

    @property
    def name(self) -> str:
        """The name of the function."""
        return getattr(self.ask, "__name__", "ask")

    @property
    def file(self) -> str:
        """What it is called in messages."""
        return f"{self.name}()"


RawSource = RawTable | RawRows


def read_raw(
    connection: Connection,
    settings: Settings,
    table: RawSource,
    folder: Path | None,
    target: Path,
    sample: int | None,
) -> int:
    """Read a raw table into `target`, Parquet, and return its rows; files are looked for in `folder`.

    With `sample`, at most that many rows, always the same ones. Raises ProjectError where the file is
    missing, empty, cut off, or has values of another type.
    """
    if isinstance(table, RawRows):
        file, columnar = _asked(settings, table, target.parent), True
        reader = _json_lines(table, file)
    else:
        file = _unpacked(folder, table.file, target.parent)
        columnar = file.suffix == ".parquet"
        reader = _parquet(connection, table, file) if columnar else _csv(table, file)
    names = ", ".join(map(identifier, table.columns))
    query = f"SELECT {names} FROM {reader}"
    if sample:
        query += f" ORDER BY hash({names}) LIMIT {sample}"
    connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    try:
        count = write_parquet(connection, query, target)
    except WRONG_DATA as error:
        raise ProjectError(f"{table.file}: {reason(error)}") from None
    if not columnar:
        _refuse_unreadable(connection, table)
    if count < min(table.minimum_rows, sample or count + 1):
        raise ProjectError(
            f"{table.file}: {count} rows, at least {table.minimum_rows} expected; is the file cut off?"
        )
    return count


def _asked(settings: Settings, table: RawRows, folder: Path) -> Path:
    """Write the rows that a source gives as JSON lines into `folder`; raises ProjectError where it fails."""
    path = folder / f"{table.name}.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("w", encoding="utf-8") as lines:
            for record in table.ask(settings):
                absent = [name for name in table.columns if name not in record]
                if absent:
                    known = ", ".join(map(str, record))
                    raise ProjectError(f"{table.file}: no column {', '.join(absent)} among {known}")
                kept = {name: record[name] for name in table.columns}
                lines.write(json.dumps(kept, default=str, ensure_ascii=False) + "\n")
    except (OSError, ValueError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise ProjectError(f"{table.file}: the source can't be read ({said}); see etl/extract.py") from None
    return path


def _json_lines(table: RawRows, file: Path) -> str:
    """Return the FROM item that reads rows as they were asked for, each column cast to its type."""
    texts = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in table.columns)
    typed = ", ".join(
        f"CAST({identifier(n)} AS {kind}) AS {identifier(n)}" for n, kind in table.columns.items()
    )
    reader = f"read_json({literal(file)}, format = 'newline_delimited', columns = {{{texts}}})"
    return f"(SELECT {typed} FROM {reader})"


def _parquet(connection: Connection, table: RawTable, file: Path) -> str:
    """Return the FROM item that reads the used columns of `file`, each cast to its type."""
    try:
        present = column_types(connection, parquet(file))
    except EngineError as error:
        raise ProjectError(f"{table.file}: not a whole Parquet file ({reason(error)})") from None
    _refuse_absent(table, list(present))
    quoted = {identifier(name): kind for name, kind in table.columns.items()}
    typed = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in quoted.items())
    return f"(SELECT {typed} FROM {parquet(file)})"


def _csv(table: RawTable, file: Path) -> str:
    """Return the FROM item that reads `file`; columns that nobody asked for stay text and unread."""
    encoding = "utf-8-sig" if table.encoding == "utf-8" else table.encoding
    with file.open(encoding=encoding, errors="replace", newline="") as lines:
        header = next(csv.reader(lines, delimiter=table.separator), [])
    if not header:
        raise ProjectError(f"{table.file}: the file is empty")
    _refuse_absent(table, header)
    types = ", ".join(f"{literal(name)}: {literal(table.columns.get(name, 'VARCHAR'))}" for name in header)
    return (
        f"read_csv({literal(file)}, columns = {{{types}}}, auto_detect = false, header = true, "
        f"delim = {literal(table.separator)}, encoding = {literal(table.encoding)}, "
        f"quote = '\"', escape = '\"', nullstr = ['', 'NA'], "
        f"store_rejects = true, rejects_limit = 1000)"
    )


def _refuse_absent(table: RawTable, present: list[str]) -> None:
    absent = [name for name in table.columns if name not in present]
    if absent:
        hint = "" if len(present) > 1 else f" and the separator, now {table.separator!r},"
        if any("\ufffd" in name for name in present):
            hint = f" and the encoding, now {table.encoding!r},"
        raise ProjectError(
            f"{table.file}: no column {', '.join(absent)} among {', '.join(present)}; "
            f"see the columns{hint} in etl/extract.py"
        )


def _refuse_unreadable(connection: Connection, table: RawSource) -> None:
    errors = rows(connection, "SELECT line, column_name, error_message FROM reject_errors ORDER BY line")
    if errors:
        first = errors[0]
        message = first["error_message"].strip().partition("\n")[0]
        raise ProjectError(
            f"{table.file}: {len(errors)} values can't be read; the first: line {first['line']}, "
            f"column {first['column_name']}: {message}"
        )


def _unpacked(source: Path | None, name: str, folder: Path) -> Path:
    """Return the readable file `name` of `source`, unpacking `name`.zip into `folder`."""
    if source is None:
        raise ProjectError(f"{name}: no folder of raw files; set data.source in project.yaml")
    plain, packed = source / name, source / f"{name}.zip"
    if plain.is_file():
        return plain
    if not packed.is_file():
        raise ProjectError(
            f"{plain}: no such file; data.source in project.yaml names the folder of the raw tables"
        )
    try:
        with zipfile.ZipFile(packed) as archive:
            return Path(archive.extract(name, folder))
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error) as error:
        raise ProjectError(f"{packed.name}: not a whole zip file with {name} in it ({error})") from None
