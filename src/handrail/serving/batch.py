"""Scores a whole table: in the engine as far as possible, in batches through the model, to Parquet."""

import os
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from handrail.arrays import Floats
from handrail.compute.duckdb import (
    Connection,
    EngineError,
    connect,
    identifier,
    literal,
    parquet,
    row,
    write_parquet,
)
from handrail.compute.strict_casts import stopped
from handrail.config.sections import Shares, Split
from handrail.config.settings import Settings
from handrail.contract.row_key import row_key
from handrail.contract.schema import Column, Record, columns
from handrail.contract.table_check import INSTANT, SQL_TYPES, check, refuse_other_columns
from handrail.contract.times import UTC_ZONE
from handrail.errors import ProjectError
from handrail.etl.load import reasons, rejected_path, require_table
from handrail.etl.separated_values import (
    Form,
    header_of,
    is_of_the_file,
    is_packed,
    is_separated,
    separated_values,
)
from handrail.leftovers import remove_leftovers
from handrail.project import Project
from handrail.registry.canary import chosen_condition
from handrail.registry.live import Mode, load_live
from handrail.serving import horizon
from handrail.serving.inference import Loaded, start_canary_model, start_model, try_model
from handrail.serving.prediction_log import prediction_folder
from handrail.tasks.metric import Decision
from handrail.tasks.task import told_beside
from handrail.training.dataset import period
from handrail.training.splits import split_of

BATCH_ROWS = 100_000
ARROW_TYPES = {"f": pa.float32(), "d": pa.float64(), "?": pa.bool_()}
ARROW_OF_SQL = {"DOUBLE": pa.float64(), "BOOLEAN": pa.bool_()}
RANGE = ("low", "high")  # read back by monitoring
EXACT_IN_DOUBLE = 2**53
WRITTEN = "serve/batch.py"  # the file of a project that says what is written


@dataclass(frozen=True)
class ScoredBatch:
    """Rows that were scored together, as `columns` of a project's serve/batch.py is given them; n rows.

    needed: the columns that monitoring reads, as Arrow arrays (n): `predicted_at` (UTC), `version`, `source`
        (model or fallback), `prediction`, `baseline`, and all that was asked, by the contract's names; among
        them what the service tells beside a prediction: `flagged`, or `planned`, `low` and `high`
    prediction (n) float32: that of `needed`, in NumPy · version: which has predicted · rows: n
    decision: how its predictions are acted on, as `{"threshold": ...}`; or as `{"margin": ..., "tolerable":
        ...}` and, where the version knows them, what is known of ranges (`handrail.tasks.amounts.ranges`)
    """

    needed: Mapping[str, pa.Array]
    prediction: Floats
    version: str
    rows: int
    decision: Decision


@dataclass(frozen=True)
class Scored:
    """What was scored into which file by which versions, what was not and why (rows), what is to be said."""

    path: Path
    rows: int
    version: str
    source: str
    rejected: dict[str, int]
    notes: tuple[str, ...] = ()


def score(settings: Settings, source: str, origin: str, output: Path) -> Scored:
    """Predict for every row of the FROM item `source` that keeps the contract; `origin` names it in messages.

    The file is written whole or not at all. Rows that break the contract go to data/rejected/ with the
    reason. Raises ProjectError without a live model, a row, or a column of the contract, and where the
    project's serve/batch.py leaves out a column that monitoring reads.
    """
    remove_leftovers(settings)
    answering = _answering(settings)
    asked = settings.project.request
    # What breaks the contract does so for every version: it is kept once.
    name = output.stem.removeprefix("scored-").removesuffix(_by(settings))
    rejected = rejected_path(settings, f"scored-{name}")
    with connect(settings) as connection:
        try:
            refuse_other_columns(connection, source, asked, origin)
            check(connection, source, asked, also=horizon.rules(settings))
        except EngineError as error:
            if not is_of_the_file(error):
                raise
            raise ProjectError(f"{origin}: {stopped(error)}") from None
        write_parquet(connection, "SELECT * FROM checked WHERE reason IS NOT NULL", rejected)
        with _parquet_writer(output) as write:
            counts: Counter[str] = Counter()
            for loaded, mode, rows in answering:
                for by, batch in _predicted(connection, loaded, mode, rows):
                    counts[by] += write(_written(settings.project, batch))
            if counts.total() == 0:
                raise ProjectError(f"{origin}: no row to score; rejected rows, if any, are in {rejected}")
        sources = " and ".join(sorted(counts))
        names = " and ".join(loaded.version.name for loaded, _, _ in answering)
        notes = tuple(loaded.version.note for loaded, _, _ in answering if loaded.version.note)
        return Scored(output, counts.total(), names, sources, reasons(connection, rejected), notes)


def _answering(settings: Settings) -> list[tuple[Loaded, Mode, str]]:
    """Return who answers which rows: the live version all, but for the canary's share."""
    version, live = load_live(settings)
    loaded = Loaded(version, start_model(version))
    canary = start_canary_model(settings, live)
    if canary is None or live.canary is None:
        return [(loaded, live.mode, "TRUE")]
    project = settings.project
    unit = identifier(project.unit) if project.subject or project.has_key else row_key(project.contract)
    chosen = chosen_condition(unit, live.canary.share)
    return [(loaded, live.mode, f"NOT ({chosen})"), (canary, "model", chosen)]


def _predicted(
    connection: Connection, loaded: Loaded, mode: Mode, rows: str
) -> Iterator[tuple[Mode, ScoredBatch]]:
    """Yield batches of the `rows` that keep the contract, each with who predicted it."""
    version, now = loaded.version, datetime.now(UTC).replace(tzinfo=None)
    kept, width = [*version.project.request.model_fields], len(version.encoding.features)
    encoded = [f"{expression} AS _f{number}" for number, expression in enumerate(version.encoding.select())]
    said = {"predicted_at": f"TIMESTAMP '{now}'", "version": literal(version.name)}
    said |= {"model": "'model'", "fallback": "'fallback'", "baseline": version.baseline.select()}
    selected = [*map(identifier, kept), *encoded, *(f"{value} AS _{name}" for name, value in said.items())]
    reader = connection.sql(f"SELECT {', '.join(selected)} FROM checked WHERE reason IS NULL AND {rows}")
    for batch in reader.to_arrow_reader(BATCH_ROWS):
        matrix = np.column_stack([_numpy(batch.column(f"_f{n}")) for n in range(width)])
        prediction = try_model(version, loaded.predictor, matrix) if mode == "model" else None
        by: Mode = "fallback" if prediction is None else "model"
        predicted = _numpy(batch.column("_baseline")) if prediction is None else prediction
        decision = version.decision_of(by)
        told = told_beside(version.project.task, predicted, decision)
        needed = {
            "predicted_at": batch.column("_predicted_at"),
            "version": batch.column("_version"),
            "source": batch.column(f"_{by}"),
            "prediction": batch.column("_baseline") if prediction is None else _arrow(prediction),
            "baseline": batch.column("_baseline"),
            **_told(version.project, told, batch.num_rows),
            **{name: batch.column(name) for name in kept},
        }
        yield by, ScoredBatch(needed, predicted, version.name, batch.num_rows, decision)


def _told(project: Project, told: Mapping[str, NDArray[Any]], rows: int) -> dict[str, pa.Array]:
    """Return a column for each thing told beside a prediction, empty where it is not known.

    So the file has the same columns whoever predicts, also a version trained before there were ranges.
    """
    return {
        name: _arrow(told[name]) if name in told else pa.nulls(rows, ARROW_OF_SQL[kind])
        for name, kind in project.task.told.items()
    }


# Arrow's own ways from and to NumPy load pandas, where that is installed.
def _numpy(column: pa.Array) -> Floats:
    return np.from_dlpack(column).astype(np.float32, copy=False)


def _arrow(values: NDArray[Any]) -> pa.Array:
    """Return an array as an Arrow array: numbers, and yes and no, as they lie in memory."""
    kind, plain = ARROW_TYPES.get(values.dtype.char), np.ascontiguousarray(values)
    if kind is None:
        return pa.array(values.tolist())
    if plain.dtype == np.bool_:
        plain = np.packbits(plain, bitorder="little")
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(plain)])


def _written(project: Project, batch: ScoredBatch) -> pa.RecordBatch:
    """Return the columns that the project writes; raises ProjectError where they can't be read afterwards."""
    chosen = project.scored_columns(batch)
    absent = [name for name in batch.needed if name not in chosen and name not in project.task.told]
    if absent:
        raise ProjectError(
            f"{WRITTEN}: {', '.join(absent)} left out, which monitoring reads; return all of batch.needed"
        )
    taken = [name for name in RANGE if name in chosen and name in project.task.told]
    taken = [name for name in taken if chosen[name] is not batch.needed[name]]
    if taken:
        raise ProjectError(
            f"{WRITTEN}: {' and '.join(taken)}: an end of the range has that name, and monitoring reads it; "
            "give your own column another"
        )
    others = [name for name, values in chosen.items() if _length(values) != batch.rows]
    if others:
        raise ProjectError(
            f"{WRITTEN}: {', '.join(others)}: not one value for each of the {batch.rows:,} rows (batch.rows)"
        )
    return pa.RecordBatch.from_pydict({name: _array(name, values) for name, values in chosen.items()})


def _length(values: Any) -> int | None:
    """Return how many values there are; a text, or whatever has no length, is one value and no column."""
    try:
        return None if isinstance(values, str | bytes) else len(values)
    except TypeError:
        return None


def _array(name: str, values: Any) -> pa.Array:
    try:
        if isinstance(values, pa.Array):
            return values
        return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else pa.array(values)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise ProjectError(f"{WRITTEN}: {name}: {' '.join(str(error).split())}") from None


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
        """Write a batch and return its rows; raises ProjectError where its columns are not those before."""
        self._file = self._file or pq.ParquetWriter(self._path, batch.schema)
        others = sorted({field.name for field in set(batch.schema) ^ set(self._file.schema)})
        if others:
            raise ProjectError(f"{WRITTEN}: {', '.join(others)}: not of one type in all rows")
        self._file.write_batch(batch.select(self._file.schema.names))
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
    if not file.is_file():
        raise ProjectError(f"{file}: no such file")
    if file.suffix.lower() == ".parquet":
        return RowsToScore(parquet(file), file.name, file.stem)
    if is_separated(file):
        name = Path(file.stem).stem if is_packed(file) else file.stem
        return RowsToScore(_separated(file, settings.project.request), file.name, name)
    raise ProjectError(f"{file}: neither .parquet nor .csv nor .csv.gz")


def output_path(settings: Settings, name: str) -> Path:
    """Return the file for the predictions of the rows `name` by the versions that answer now."""
    return prediction_folder(settings) / f"scored-{name}{_by(settings)}.parquet"


def _by(settings: Settings) -> str:
    """Return the end of the name of a file that those versions write."""
    version, live = load_live(settings)
    return f"-{version.name}" + (f"-{live.canary.name}" if live.canary else "")


def _rows_without_outcome(settings: Settings) -> RowsToScore:
    project = settings.project
    table = require_table(settings, project.table_name)
    source = f"(SELECT * FROM {table} WHERE {identifier(project.target)} IS NULL)"
    with connect(settings) as connection:
        if not row(connection, f"SELECT count(*) AS n FROM {source}")["n"]:
            raise ProjectError(
                f"{project.table_name}: every row has its outcome, so nothing is left to predict; load rows "
                "without one with `etl`, or name a file with --input"
            )
    return RowsToScore(source, f"{project.table_name} without an outcome", "without-outcome")


def _rows_of_table(settings: Settings, start: date | None, end: date | None) -> RowsToScore:
    project = settings.project
    table = require_table(settings, project.table_name)
    source = f"(SELECT * FROM {table} WHERE {period(project.contract, start, end, project.made)})"
    origin = f"{project.table_name} from {start or 'the beginning'} to {end or 'the end'}"
    return RowsToScore(source, origin, f"{start or 'beginning'}-{end or 'end'}")


def _separated(file: Path, asked: type[Record]) -> str:
    """Return the FROM item of the columns that are asked for; a whole number is read with its fraction."""
    form = Form(place="the file")
    header = header_of(file, file.name, form)
    if len(header) == 1:
        raise ProjectError(f"{file.name}: one column only, {header[0]}; commas have to separate its values")
    kinds = {c.name: _kind(c) for c in columns(asked) if c.name in header}
    return separated_values(file, file.name, form, kinds, file.parent).exact(without_offset=True)


def _kind(column: Column) -> str:
    """Return the type in which a column of a file is read, in which the contract can refuse what is wrong."""
    if column.kind is int:
        ends = (column.ge, column.le)
        exact = all(end is not None and abs(end) <= EXACT_IN_DOUBLE for end in ends)
        return "DOUBLE" if exact else "DECIMAL(38,18)"
    return INSTANT if column.zone == UTC_ZONE else SQL_TYPES[column.kind]
