"""Which rows are scored: a period of the loaded table, or a file; each has a number in a Parquet file."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from handrail.compute.data_engine import connect_data
from handrail.compute.duckdb import (
    Connection,
    EngineError,
    column_types,
    identifier,
    literal,
    parquet,
    row,
    rows,
    write_parquet,
)
from handrail.config.sections import Shares, Split
from handrail.config.settings import Settings
from handrail.contract.schema import Record, columns
from handrail.errors import ProjectError
from handrail.etl.load import require_table, table_path
from handrail.etl.separated_values import (
    Form,
    SeparatedValues,
    header_of,
    is_packed,
    is_separated,
    separated_values,
)
from handrail.registry.live import load_live
from handrail.training.dataset import period
from handrail.training.splits import split_of

NUMBER = "file_row_number"  # of a row in a Parquet file, as the engine calls it
MOST_UNREAD = 100_000  # values of lines that can't be read: of a file with more, none is scored
LOST = "invalid state"  # what the engine says of a file whose lines it can't tell apart
UNREAD = {
    "MISSING COLUMNS": "fewer values than the header",
    "TOO MANY COLUMNS": "more values than the header",
    "INVALID ENCODING": "not UTF-8",
    "UNQUOTED VALUE": "a quotation mark inside a value, which has to be doubled",
    "LINE SIZE OVER MAXIMUM": "longer than 2 MB",
}


@dataclass(frozen=True)
class RowsToScore:
    """A FROM item, what to call it in messages, and a name for the output.

    file: that the rows are read from, if they are of one · condition: which rows of a Parquet file, in SQL
    values: how a file of separated values is read
    """

    source: str
    origin: str
    name: str
    file: Path | None = None
    condition: str = ""
    values: SeparatedValues | None = None


@dataclass(frozen=True)
class NumberedRows:
    """Rows of a Parquet file, those for which the SQL `condition` holds, each with its number in it.

    unread: a Parquet file of lines that could not be read, each with the `reason`
    """

    path: Path
    condition: str
    unread: Path | None = None

    def source(self, first: int = 0, after: int | None = None) -> str:
        """Return the FROM item of the rows from number `first` on and before `after`, each with `_row`."""
        end = "" if after is None else f" AND {NUMBER} < {after}"
        chosen = f"{NUMBER} >= {first}{end} AND ({self.condition})"
        return f"(SELECT *, {NUMBER} AS _row FROM {parquet(self.path)} WHERE {chosen})"

    def parts(self, least: int) -> list[tuple[int, int]]:
        """Return ranges of numbers that end where row groups do, of `least` rows or more but for the last."""
        found, begin, end = [], 0, 0
        for size in row_group_sizes(self.path):
            end += size
            if end - begin >= least:
                found.append((begin, end))
                begin = end
        return [*found, (begin, end)] if end > begin else found


def row_group_sizes(path: Path) -> list[int]:
    """Return the rows of each row group of a Parquet file."""
    with pq.ParquetFile(path) as file:
        return [file.metadata.row_group(n).num_rows for n in range(file.metadata.num_row_groups)]


def rows_to_score(settings: Settings, file: Path | None, start: date | None, end: date | None) -> RowsToScore:
    """Return the rows of `file`, or those of the loaded table from `start` on and before `end`.

    Without `start`, what the live version has not learnt from: from where its test period ended, or, where
    chance has parted the rows, those without an outcome.
    """
    if file is None:
        split = split_of(load_live(settings)[0].info["split"])
        if isinstance(split, Shares) and not start and not end:
            return _rows_without_outcome(settings)
        return _rows_of_table(settings, start or (split.live_from if isinstance(split, Split) else None), end)
    if start or end:
        raise ProjectError("--input: takes the whole file; leave out --from and --to")
    if file.is_dir():
        raise ProjectError(f"{file}: a folder; --input names one file")
    if not file.is_file():
        raise ProjectError(f"{file}: no such file")
    return _rows_of_file(file.absolute(), settings.project.request, file)


def is_table(settings: Settings, given: RowsToScore) -> bool:
    """Return whether rows are those of the loaded table."""
    return given.file == table_path(settings, settings.project.table_name)


def landed(settings: Settings, given: RowsToScore, path: Path) -> RowsToScore:
    """Return rows of the whole table, which is elsewhere, in a file of this machine."""
    table = parquet(table_path(settings, settings.project.table_name))
    with connect_data(settings) as connection:
        write_parquet(connection, f"SELECT * FROM {table} WHERE {given.condition}", path)
    return replace(given, source=parquet(path), file=path, condition="TRUE")


def _rows_of_file(file: Path, asked: type[Record], given: Path) -> RowsToScore:
    """Return the rows of a file; its path is absolute, so that no sign at its beginning means anything."""
    if file.suffix.lower() == ".parquet":
        _refuse_twice(file, asked)
        return RowsToScore(parquet(file), file.name, file.stem, file, "TRUE")
    if is_separated(file):
        name = Path(file.stem).stem if is_packed(file) else file.stem
        values = _separated(file, asked)
        return RowsToScore(values.texts(MOST_UNREAD), file.name, name, file, values=values)
    raise ProjectError(f"{given}: neither .parquet nor .csv nor .csv.gz")


def _refuse_twice(file: Path, asked: type[Record]) -> None:
    """Raise ProjectError where a Parquet file has a column twice that is asked for; or is none at all."""
    try:
        names = pq.read_schema(file).names
    except (pa.ArrowException, OSError) as error:
        raise ProjectError(
            f"{file.name}: not a whole Parquet file ({' '.join(str(error).split())})"
        ) from None
    twice = [name for name in asked.model_fields if names.count(name) > 1]
    if twice:
        raise ProjectError(
            f"{file.name}: column {', '.join(twice)} is there more than once; rename one of them"
        )


def _rows_without_outcome(settings: Settings) -> RowsToScore:
    project = settings.project
    table = require_table(settings, project.table_name)
    condition = f"{identifier(project.target)} IS NULL"
    source = f"(SELECT * FROM {table} WHERE {condition})"
    with connect_data(settings) as connection:
        if not row(connection, f"SELECT count(*) AS n FROM {source}")["n"]:
            raise ProjectError(
                f"{project.table_name}: every row has its outcome, so nothing is left to predict; load rows "
                "without one with `etl`, or name a file with --input"
            )
    path = table_path(settings, project.table_name)
    origin = f"{project.table_name} without an outcome"
    return RowsToScore(source, origin, "without-outcome", path, condition)


def _rows_of_table(settings: Settings, start: date | None, end: date | None) -> RowsToScore:
    project = settings.project
    table = require_table(settings, project.table_name)
    condition = period(project.contract, start, end, project.made)
    source = f"(SELECT * FROM {table} WHERE {condition})"
    origin = f"{project.table_name} from {start or 'the beginning'} to {end or 'the end'}"
    path = table_path(settings, project.table_name)
    return RowsToScore(source, origin, f"{start or 'beginning'}-{end or 'end'}", path, condition)


def _separated(file: Path, asked: type[Record]) -> SeparatedValues:
    """Return how the columns of a file are read that are asked for, each as text."""
    form = Form(place="the file")
    header = header_of(file, file.name, form)
    if len(header) == 1:
        raise ProjectError(f"{file.name}: one column only, {header[0]}; commas have to separate its values")
    kinds = {c.name: "VARCHAR" for c in columns(asked) if c.name in header}
    return separated_values(file, file.name, form, kinds, file.parent)


def numbered(
    connection: Connection, given: RowsToScore, asked: type[Record], path: Path, unread: Path
) -> NumberedRows:
    """Return rows as those of a Parquet file: their own, or else one that is written to `path` first.

    What of `asked` is there is written, as it is; and to `unread` the lines that can't be read. Raises
    ProjectError where these hide others.
    """
    if given.file and given.condition:
        names = {name.lower() for name in column_types(connection, parquet(given.file))}
        if NUMBER not in names:
            return NumberedRows(given.file, given.condition)
    if not path.is_file():
        present = column_types(connection, given.source)
        chosen = ", ".join(identifier(name) for name in asked.model_fields if name in present)
        connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
        query = f"SELECT {chosen or 'NULL AS nothing'} FROM {given.source}"
        if given.values:
            _write_texts(connection, query, path, unread, given.origin)
        else:
            write_parquet(connection, query, path)
    return NumberedRows(path, "TRUE", unread if given.values else None)


def _write_texts(connection: Connection, query: str, path: Path, unread: Path, origin: str) -> None:
    """Write what can be read to `path`, and before it what can't to `unread`: with both, the file is read."""
    unfinished = path.with_name(f"{path.name}-unfinished")
    try:
        write_parquet(connection, query, unfinished)
    except EngineError as error:
        if LOST not in str(error):
            raise
        raise ProjectError(
            f"{origin}: its lines end in different ways, or a quotation mark stands where none can; write "
            "the file anew with one end of line, \\n or \\r\\n"
        ) from None
    _refuse_hidden(connection, origin)
    said = " ".join(f"WHEN {literal(kind)} THEN {literal(words)}" for kind, words in UNREAD.items())
    lines = "SELECT line, min(CAST(error_type AS VARCHAR)) AS kind FROM reject_errors GROUP BY line"
    reason = f"'line ' || line || ': ' || CASE kind {said} ELSE lower(kind) END AS reason"
    write_parquet(connection, f"SELECT {reason} FROM ({lines}) ORDER BY line", unread)
    unfinished.replace(path)


def _refuse_hidden(connection: Connection, origin: str) -> None:
    """Raise ProjectError where a quotation mark that isn't closed has taken other lines for a value."""
    open_mark = "error_type IN ('UNQUOTED VALUE', 'LINE SIZE OVER MAXIMUM')"
    other_lines = r"regexp_matches(csv_line, '[\n\r]+[^\n\r]')"
    found = rows(
        connection, f"SELECT min(line) AS line FROM reject_errors WHERE {open_mark} AND {other_lines}"
    )
    if found[0]["line"]:
        raise ProjectError(
            f"{origin}: line {found[0]['line']}: a quotation mark is opened and not closed, so the lines "
            "after it can't be told apart; mend that line"
        )
    counted = row(connection, "SELECT count(*) AS n, min(line) AS line FROM reject_errors")
    if counted["n"] >= MOST_UNREAD:
        raise ProjectError(
            f"{origin}: {MOST_UNREAD:,} values or more can't be read, the first in line {counted['line']}; "
            "is it a file of UTF-8 with commas between its values?"
        )
