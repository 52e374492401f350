"""Reads raw files as they come, and refuses those that are not what they should be."""

import json
import logging
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from handrail.compute.duckdb import (
    WRONG_DATA,
    Connection,
    EngineError,
    column_types,
    file_name,
    identifier,
    literal,
    parquet,
    reason,
    row,
    rows,
    write_parquet,
)
from handrail.compute.strict_casts import known_types, stopped, strict_cast
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.separated_values import Form, SeparatedValues, is_of_the_file, separated_values

log = logging.getLogger(__name__)
PACKED = ("", ".gz", ".zip")  # the ends of a file's name, the first that is there is read
UNFINISHED = "_temporary"  # the folder of a job of Spark or Hadoop, until it is done
UNSAID = "NA"  # no number and no time: missing there, where a table does not say which texts are


@dataclass(frozen=True)
class RawTable:
    """A raw file, `.parquet` or of values between separators (plain, or packed as `.gz` or `.zip`).

    A name that ends in `/` is a folder of Parquet files, also in folders below it; `name=value` in a folder's
    name is a column, as Hive and Spark write it.

    It says the columns that are used, named as in the file, with their SQL types, and the fewest rows the
    file may have; `sampled` tables are cut down by `--sample`. Encodings are utf-8, utf-16 and latin-1.

    separator: one character, or "whitespace" for any number of spaces and tabs
    header: whether the first line names the columns; if not, `columns` names them from left to right
    subject: its column that says whom or what a row is about, where that is not called as in contract.py
    missing: the texts that stand for nothing, as ("", "NA"); the empty one always does. Unsaid, NA does too
        among numbers and times of separated values; among names it is one, and `etl` says so
    marker: of a folder, the empty file that says that all is written; None where nobody writes one
    """

    file: str
    columns: Mapping[str, str]
    minimum_rows: int
    separator: str = ","
    encoding: str = "utf-8"
    header: bool = True
    missing: Sequence[str] | None = None
    subject: str | None = None
    marker: str | None = "_SUCCESS"

    @property
    def is_folder(self) -> bool:
        """Whether it is many files."""
        return self.file.endswith("/")


@dataclass(frozen=True)
class RawRows:
    """A raw table that is no file: `ask` returns its rows, of a service or a database, each a mapping.

    It says the columns that are used with their SQL types, and the fewest rows there may be. `ask` is given
    the settings; what it raises as OSError or ValueError is told as the source's failure.

    missing: the texts that stand for nothing, as ("", "NA"); unsaid, None alone does
    subject: its column that says whom or what a row is about, where that is not called as in contract.py
    """

    ask: Callable[[Settings], Iterable[Mapping[str, Any]]]
    columns: Mapping[str, str]
    minimum_rows: int
    missing: Sequence[str] | None = None
    subject: str | None = None

    @property
    def name(self) -> str:
        """The name of the function."""
        return getattr(self.ask, "__name__", "ask")

    @property
    def file(self) -> str:
        """What it is called in messages."""
        return f"{self.name}()"


@dataclass(frozen=True)
class StoredTable:
    """A raw table that is in the engine already, of PostgreSQL's database or of Spark's catalogue.

    name: as SQL has it, `sales.orders`; of Spark a file or folder, too, as "parquet.`hdfs://host/orders`".
    It says the columns that are used with their SQL types, and the fewest rows there may be.

    missing: the texts that stand for nothing, as ("", "NA"); unsaid, NULL alone does
    subject: its column that says whom or what a row is about, where that is not called as in contract.py
    """

    name: str
    columns: Mapping[str, str]
    minimum_rows: int
    missing: Sequence[str] | None = None
    subject: str | None = None

    @property
    def file(self) -> str:
        """What it is called in messages."""
        return self.name

    def as_file(self) -> RawTable:
        """Return the same as a Parquet file, which its rows can be written to, to be broken in tests."""
        name = re.sub(r"\W+", "_", self.name).strip("_")
        return RawTable(
            f"{name}.parquet", self.columns, self.minimum_rows, missing=self.missing, subject=self.subject
        )


RawSource = RawTable | RawRows | StoredTable


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
    missing, empty, cut off, or has values that do not fit their type.
    """
    _refuse_alike(table)
    kinds = known_types(connection, dict(table.columns), table.file)
    reader = _reader(connection, settings, table, folder, target.parent, kinds)
    names = ", ".join(map(identifier, table.columns))
    source = reader if isinstance(reader, str) else reader.exact(keep_rejects=True)
    query = f"SELECT {names} FROM {source}"
    if sample:
        query += f" ORDER BY hash({names}) LIMIT {sample}"
    try:
        count = write_parquet(connection, query, target)
    except EngineError as error:
        if not is_of_the_file(error):
            raise
        if isinstance(reader, SeparatedValues) and isinstance(error, WRONG_DATA):
            connection.execute(f"SELECT max(hash({names})) FROM {reader.rounded()}").fetchall()
            _refuse_unreadable(connection, table)
        raise ProjectError(f"{table.file}: {stopped(error)}") from None
    if isinstance(reader, SeparatedValues) and isinstance(table, RawTable):
        _refuse_unreadable(connection, table)
        _tell_unsaid(connection, table, kinds, target)
    if count < min(table.minimum_rows, sample or count + 1):
        raise ProjectError(
            f"{table.file}: {count} rows, at least {table.minimum_rows} expected; is the file cut off?"
        )
    return count


def _refuse_alike(table: RawSource) -> None:
    """Raise ProjectError where two columns have one name in SQL, or `missing` is a text and not a list."""
    first: dict[str, str] = {}
    pairs = [(known, n) for n in table.columns if (known := first.setdefault(n.lower(), n)) != n]
    if pairs:
        raise ProjectError(
            f"{table.file}: columns {one} and {other} are one name in SQL, which knows no capitals; leave "
            "one out of etl/extract.py, or rename it in the file"
            for one, other in pairs
        )
    if isinstance(table.missing, str):
        raise ProjectError(f'{table.file}: missing: a list of texts is meant, as ("", {table.missing!r})')


def _reader(
    connection: Connection,
    settings: Settings,
    table: RawSource,
    folder: Path | None,
    unfinished: Path,
    kinds: Mapping[str, str],
) -> str | SeparatedValues:
    """Return the FROM item that reads a raw table, or the file of separated values that it is."""
    if isinstance(table, StoredTable):
        raise ProjectError(
            f"{table.name}: a table that is there already is read by postgres or spark; say so in "
            "project.yaml: compute.engine"
        )
    if isinstance(table, RawRows):
        return _json_lines(table, _asked(settings, table, unfinished), kinds)
    if is_folder_in(table, folder):
        return _folder(connection, table, folder, kinds)
    file = unpacked(folder, table.file, unfinished)
    if file.suffix.lower() == ".parquet":
        return _parquet(connection, table, file, kinds)
    said = table.missing is not None
    form = Form(table.separator, table.encoding, table.header, _missing(table) if said else (UNSAID,), said)
    connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    return separated_values(file, table.file, form, kinds, unfinished)


def _missing(table: RawSource) -> Sequence[str]:
    """Return the texts that stand for nothing in a raw table; none where that is not said."""
    return () if table.missing is None else tuple(dict.fromkeys(("", *table.missing)))


def _tell_unsaid(connection: Connection, table: RawTable, kinds: Mapping[str, str], target: Path) -> None:
    """Warn of names that are NA where nobody has said whether they are missing."""
    if table.missing is not None:
        return
    texts = [identifier(name) for name, kind in kinds.items() if kind == "VARCHAR"]
    if not texts:
        return
    counts = ", ".join(f"count_if({name} = {literal(UNSAID)}) AS {name}" for name in texts)
    counted = row(connection, f"SELECT {counts} FROM {parquet(target)}")
    found = {name: count for name, count in counted.items() if count}
    if found:
        log.warning(
            '%s: NA is taken as a name: %s; say missing=("", "NA") in etl/extract.py if it stands for '
            'nothing, or missing=("",) if it is a name',
            table.file,
            ", ".join(f"{name} in {count:,} rows" for name, count in found.items()),
        )


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


def _json_lines(table: RawRows, file: Path, kinds: Mapping[str, str]) -> str:
    """Return the FROM item that reads rows as they were asked for, each column cast to its type."""
    texts = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in table.columns)
    options = "format = 'newline_delimited', hive_partitioning = false"
    reader = f"read_json({file_name(file)}, {options}, columns = {{{texts}}})"
    return cast_columns(reader, dict.fromkeys(table.columns, "VARCHAR"), kinds, _missing(table), table.file)


def _parquet(connection: Connection, table: RawTable, file: Path, kinds: Mapping[str, str]) -> str:
    """Return the FROM item that reads the used columns of `file`, each cast to its type."""
    try:
        present = column_types(connection, parquet(file))
    except EngineError as error:
        raise ProjectError(f"{table.file}: not a whole Parquet file ({reason(error)})") from None
    absent = [name for name in table.columns if name not in present]
    if absent:
        raise ProjectError(
            f"{table.file}: no column {', '.join(absent)} among {', '.join(present)}; "
            "see the columns in etl/extract.py"
        )
    return cast_columns(parquet(file), present, kinds, _missing(table), table.file)


def _folder(connection: Connection, table: RawTable, source: Path | None, kinds: Mapping[str, str]) -> str:
    """Return the FROM item that reads the used columns of a folder's Parquet files, cast to their types."""
    files = sorted(chain.from_iterable(parts_by_types(connection, table, source)))
    whole = (
        f"read_parquet([{', '.join(map(file_name, files))}], hive_partitioning = true, union_by_name = true)"
    )
    try:
        present = column_types(connection, whole)
    except EngineError as error:
        raise ProjectError(f"{table.file}: its files don't go together ({reason(error)})") from None
    return cast_columns(whole, present, kinds, _missing(table), table.file)


def is_folder_in(table: RawTable, source: Path | None) -> bool:
    """Return whether a raw table is a folder of files, by its name or as it is one in `source`."""
    return table.is_folder or (source is not None and (source / table.file).is_dir())


def parts_by_types(connection: Connection, table: RawTable, source: Path | None) -> list[list[Path]]:
    """Return the Parquet files of a folder, those together whose used columns have the same types.

    Raises ProjectError where the folder is not complete, and naming each file that is not whole or lacks a
    column.
    """
    found: dict[tuple[str, ...], list[Path]] = {}
    problems = []
    for file in _parts(table, source):
        shown = _shown(table, source, file)
        try:
            reader = f"read_parquet({file_name(file)}, hive_partitioning = true)"
            present = column_types(connection, reader)
        except EngineError as error:
            problems.append(f"{shown}: not a whole Parquet file ({reason(error)})")
            continue
        absent = [name for name in table.columns if name not in present]
        if absent:
            known = ", ".join(present)
            problems.append(f"{shown}: no column {', '.join(absent)} among {known}; see etl/extract.py")
            continue
        found.setdefault(tuple(present[name] for name in table.columns), []).append(file)
    if problems:
        raise ProjectError(problems)
    return list(found.values())


def _shown(table: RawTable, source: Path | None, file: Path) -> str:
    """Return how a file of a folder is called in messages: from the folder's own name on."""
    place = (source or Path()) / table.file
    return f"{table.file.removesuffix('/')}/{file.relative_to(place).as_posix()}"


def half_written(table: str, place: str) -> str:
    """Say that a job is writing a table of many files, or has left it so."""
    return (
        f"{table}: half-written: {place} is there, which a job leaves that is under way or was stopped; run "
        "that job to its end, then `etl` again"
    )


def unmarked(table: RawTable, where: str, file: str) -> str:
    """Say that a folder has no file that says that all of it is written."""
    return (
        f"{where}: no {table.marker} beside or above {file}: it is not complete yet; or say in "
        "etl/extract.py that nobody writes one: RawTable(..., marker=None)"
    )


def _parts(table: RawTable, source: Path | None) -> list[Path]:
    """Return the Parquet files of a folder; raises ProjectError where there is none, or not all are yet."""
    if source is None:
        raise ProjectError(f"{table.file}: no folder of raw files; set data.source in project.yaml")
    place = source / table.file
    unfinished = min(place.rglob(UNFINISHED), default=None)
    if unfinished:
        raise ProjectError(half_written(table.file, _shown(table, source, unfinished)))
    files = [
        path
        for path in sorted(place.rglob("*.parquet"))
        if not any(part[0] in "_." for part in path.relative_to(place).parts)
    ]
    if not files:
        raise ProjectError(
            f"{place}: no Parquet file; data.source in project.yaml names the folder of the raw tables"
        )
    for file in files:
        folders = [source / each for each in file.relative_to(source).parents]
        if table.marker and not any((each / table.marker).is_file() for each in folders):
            raise ProjectError(unmarked(table, table.file, file.relative_to(source).as_posix()))
    return files


def cast_columns(
    reader: str, present: Mapping[str, str], kinds: Mapping[str, str], missing: Sequence[str], shown: str
) -> str:
    """Return the FROM item with the columns of `kinds`, without the texts that stand for nothing."""
    texts = [name for name in kinds if missing and present[name] == "VARCHAR"]
    nothing = ", ".join(map(literal, missing))
    emptied = ", ".join(
        f"CASE WHEN {name} NOT IN ({nothing}) THEN {name} END AS {name}" for name in map(identifier, texts)
    )
    source = f"(SELECT * REPLACE ({emptied}) FROM {reader})" if texts else reader
    try:
        typed = ", ".join(
            f"{strict_cast(name, present[name], kind)} AS {identifier(name)}" for name, kind in kinds.items()
        )
    except ProjectError as error:
        raise ProjectError(f"{shown}: {problem}" for problem in error.problems) from None
    return f"(SELECT {typed} FROM {source})"


def _refuse_unreadable(connection: Connection, table: RawSource) -> None:
    asked = "SELECT line, column_name, error_message, error_type FROM reject_errors ORDER BY line"
    errors = rows(connection, asked)
    if errors:
        first = errors[0]
        message = first["error_message"].strip().partition("\n")[0]
        short = {(each["line"], each["error_type"]) for each in errors} == {
            (first["line"], "MISSING COLUMNS")
        }
        cut = "; if that is its last line, the file was cut off: fetch it again" if short else ""
        raise ProjectError(
            f"{table.file}: {len(errors)} values can't be read; the first: line {first['line']}, "
            f"column {first['column_name']}: {message}{cut}"
        )


def unpacked(source: Path | None, name: str, folder: Path) -> Path:
    """Return the readable file `name` of `source`, itself or packed; `name`.zip is unpacked into `folder`."""
    source = Path() if source is None and Path(name).is_absolute() else source
    if source is None:
        raise ProjectError(f"{name}: no folder of raw files; set data.source in project.yaml")
    plain, packed, zipped = (source / f"{name}{end}" for end in PACKED)
    if plain.is_file():
        return plain
    if packed.is_file():
        return packed
    packed = zipped
    if not packed.is_file():
        raise ProjectError(
            f"{plain}: no such file; data.source in project.yaml names the folder of the raw tables"
        )
    try:
        with zipfile.ZipFile(packed) as archive:
            return Path(archive.extract(name, folder))
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error) as error:
        raise ProjectError(f"{packed.name}: not a whole zip file with {name} in it ({error})") from None
