"""Which rows are scored: a period of the loaded table, or a file."""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..contract import CONTRACT, TABLE
from ..engine import literal, parquet
from ..errors import ProjectError
from ..etl.load import require_table
from ..etl.validate import SQL_TYPES
from ..model.features import period
from ..schema import columns, request_model
from ..settings import Settings


@dataclass(frozen=True)
class RowsToScore:
    """A FROM item, what to call it in messages, and a name for the output."""

    source: str
    origin: str
    name: str


def rows_to_score(settings: Settings, file: Path | None, start: date | None, end: date | None) -> RowsToScore:
    """Return the rows of `file`, or those of the loaded table from `start` (default: live_from) to `end`."""
    if file is None:
        start = start or settings.dates.live_from
        source = f"(SELECT * FROM {require_table(settings, TABLE)} WHERE {period(CONTRACT, start, end)})"
        return RowsToScore(source, f"{TABLE} from {start} to {end or 'the end'}", f"{start}-{end or 'end'}")
    if start or end:
        raise ProjectError("--input: takes the whole file; leave out --from and --to")
    if not file.is_file():
        raise ProjectError(f"{file}: no such file")
    if file.suffix == ".parquet":
        return RowsToScore(parquet(file), file.name, file.stem)
    if file.suffix == ".csv":
        return RowsToScore(_csv(file), file.name, file.stem)
    raise ProjectError(f"{file}: neither .parquet nor .csv")


def _csv(file: Path) -> str:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        header = next(csv.reader(lines), [])
    if not header:
        raise ProjectError(f"{file.name}: the file is empty")
    if len(header) == 1:
        raise ProjectError(f"{file.name}: one column only, {header[0]}; commas have to separate its values")
    # Whole numbers are read as DOUBLE: the contract refuses a fraction, which INTEGER would round.
    kinds = {
        c.name: "DOUBLE" if c.kind is int else SQL_TYPES[c.kind] for c in columns(request_model(CONTRACT))
    }
    types = ", ".join(f"{literal(name)}: {literal(kinds.get(name, 'VARCHAR'))}" for name in header)
    options = "auto_detect = false, header = true, delim = ','"
    return f"read_csv({literal(file)}, columns = {{{types}}}, {options})"
