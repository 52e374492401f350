"""Scores a whole table: in the engine as far as possible, in batches through the model, to Parquet."""

import csv
import os
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from handrail.compute.duckdb import Connection, connect, literal, parquet, write_parquet
from handrail.config.settings import Settings
from handrail.contract.schema import columns, request_model
from handrail.contract.table_check import SQL_TYPES, check, refuse_other_columns
from handrail.errors import ProjectError
from handrail.etl.load import reasons, rejected_path, require_table
from handrail.registry.canary import chosen_condition
from handrail.registry.live import Mode, load_live
from handrail.serving.inference import Loaded, start_canary_model, start_model, try_model
from handrail.training.dataset import period

BATCH_ROWS = 100_000


@dataclass(frozen=True)
class Scored:
    """What was scored into which file by which versions, and what was not and why (rows)."""

    path: Path
    rows: int
    version: str
    source: str
    rejected: dict[str, int]


def score(settings: Settings, source: str, origin: str, output: Path) -> Scored:
    """Predict for every row of the FROM item `source` that keeps the contract; `origin` names it in messages.

    The file is written whole or not at all. Rows that break the contract go to data/rejected/ with the
    reason. Raises ProjectError without a live model, a row, or a column of the contract.
    """
    answering = _answering(settings)
    asked = request_model(settings.project.contract)
    rejected = rejected_path(settings, f"scored-{output.stem.removeprefix('scored-')}")
    with connect(settings) as connection:
        refuse_other_columns(connection, source, asked, origin)
        check(connection, source, asked)
        write_parquet(connection, "SELECT * FROM checked WHERE reason IS NOT NULL", rejected)
        with _parquet_writer(output) as write:
            counts: Counter[str] = Counter()
            for loaded, mode, rows in answering:
                for by, batch in _predicted(connection, loaded, mode, rows):
                    counts[by] += write(batch)
            if counts.total() == 0:
                raise ProjectError(f"{origin}: no row to score; rejected rows, if any, are in {rejected}")
        sources = " and ".join(sorted(counts))
        names = " and ".join(loaded.version.name for loaded, _, _ in answering)
        return Scored(output, counts.total(), names, sources, reasons(connection, rejected))


def _answering(settings: Settings) -> list[tuple[Loaded, Mode, str]]:
    """Return who answers which rows: the live version all, but for the canary's share."""
    version, live = load_live(settings)
    loaded = Loaded(version, start_model(version))
    canary = start_canary_model(settings, live)
    if canary is None or live.canary is None:
        return [(loaded, live.mode, "TRUE")]
    chosen = chosen_condition(settings.project.key, live.canary.share)
    return [(loaded, live.mode, f"NOT ({chosen})"), (canary, "model", chosen)]


def _predicted(
    connection: Connection, loaded: Loaded, mode: Mode, rows: str
) -> Iterator[tuple[Mode, pa.RecordBatch]]:
    """Yield batches of the `rows` that keep the contract, each with who predicted it."""
    version, predictor, now = loaded.version, loaded.predictor, datetime.now(UTC).replace(tzinfo=None)
    kept = [c.name for c in columns(request_model(CONTRACT))]
    encoded = [f"{expression} AS f{number}" for number, expression in enumerate(version.encoding.select())]
    selected = [*kept, *encoded, f"{version.baseline.select()} AS baseline"]
    reader = connection.sql(f"SELECT {', '.join(selected)} FROM checked WHERE reason IS NULL AND {rows}")
    for batch in reader.to_arrow_reader(BATCH_ROWS):
        matrix = np.column_stack([batch.column(f"f{n}").to_numpy() for n in range(len(encoded))])
        prediction = try_model(version, predictor, matrix) if mode == "model" else None
        by: Mode = "fallback" if prediction is None else "model"
        baseline, size = batch.column("baseline"), batch.num_rows
        arrays = {
            "predicted_at": pa.array([now] * size, pa.timestamp("us")),
            "version": pa.array([version.name] * size),
            "source": pa.array([by] * size),
            "prediction": baseline if prediction is None else pa.array(prediction),
            "baseline": baseline,
            **{name: batch.column(name) for name in kept},
        }
        yield by, pa.RecordBatch.from_pydict(arrays)


@contextmanager
def _parquet_writer(path: Path) -> Generator["BatchWriter"]:
    """Give a writer for `path`; the file appears when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    writer = BatchWriter(unfinished)
    try:
        yield writer
        writer.close()
        unfinished.replace(path)
    finally:
        writer.close()
        unfinished.unlink(missing_ok=True)


class BatchWriter:
    """Writes record batches of one schema to a Parquet file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: pq.ParquetWriter | None = None

    def __call__(self, batch: pa.RecordBatch) -> int:
        """Write a batch and return its rows."""
        self._file = self._file or pq.ParquetWriter(self._path, batch.schema)
        self._file.write_batch(batch)
        return batch.num_rows

    def close(self) -> None:
        """Finish the file."""
        if self._file:
            self._file.close()


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
        source = f"(SELECT * FROM {require_table(settings, settings.project.table_name)} WHERE {period(settings.project.contract, start, end)})"
        return RowsToScore(
            source,
            f"{settings.project.table_name} from {start} to {end or 'the end'}",
            f"{start}-{end or 'end'}",
        )
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
