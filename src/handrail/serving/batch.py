"""Scores a whole table: read and checked by the engine, predicted in batches side by side, into Parquet.

Everything streams: of the rows, only a few batches are in memory at once. What a long run has predicted is
kept until it ends, see `handrail.serving.checkpoint`.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from handrail.compute.duckdb import Connection, EngineError, connect, parquet, row, rows
from handrail.compute.strict_casts import STOPPED, stopped
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.load import rejected_path
from handrail.etl.separated_values import is_of_the_file
from handrail.files import unfinished_path
from handrail.leftovers import FRESH_SECONDS, remove_leftovers, remove_unfinished
from handrail.project import Project
from handrail.registry.live import load_live
from handrail.serving.batch_prediction import (
    Answering,
    Part,
    Portion,
    ScoredBatch,
    Scoring,
    answering,
    side_by_side,
)
from handrail.serving.batch_query import Question
from handrail.serving.checkpoint import Checkpoint, checkpoint, identity
from handrail.serving.prediction_log import prediction_folder
from handrail.serving.rows_to_score import (
    RowsToScore,
    is_table,
    landed,
    numbered,
    row_group_sizes,
    rows_to_score,
)

__all__ = ["BATCH_ROWS", "Scored", "ScoredBatch", "output_path", "rows_to_score", "score", "score_rows"]

BATCH_ROWS = 100_000
PART_ROWS = 1_000_000  # of the input, whose predictions are kept together
FEW_ROWS, FEW_BYTES = 2_000_000, 200_000_000  # up to which an input is scored anew after a kill
BUFFER = "64MB"  # of rows that the engine has read ahead
RANGE = ("low", "high")  # read back by monitoring
WRITTEN = "serve/batch.py"  # the file of a project that says what is written


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

    See `score_rows`.
    """
    return score_rows(settings, RowsToScore(source, origin, output.stem), output)


def score_rows(
    settings: Settings, given: RowsToScore, output: Path, tell: Callable[[int, int], object] = lambda *_: None
) -> Scored:
    """Predict for every one of the given rows that keeps the contract.

    The file is written whole or not at all. Rows that break the contract go to data/rejected/ with the
    reason. tell: is told how many of how many rows are done. Raises ProjectError without a live model, a row,
    or a column of the contract, where the input is changed meanwhile, and where the project's serve/batch.py
    leaves out a column that monitoring reads.
    """
    remove_leftovers(settings)
    if settings.compute.engine != "duckdb" and is_table(settings, given):
        return _score_table(settings, given, output, tell)
    who = answering(settings)
    if given.file and output.exists() and output.samefile(given.file):
        raise ProjectError(f"--output: {output} is what is read; name another file")
    with connect(settings) as connection, _folder_for(output) as folder:
        connection.execute(f"SET streaming_buffer_size = '{BUFFER}'")
        with _checkpoint(given, who, output) as kept:
            run = _Run(settings, connection, given, who, kept, folder)
            return run.score(output, tell)


def _score_table(
    settings: Settings, given: RowsToScore, output: Path, tell: Callable[[int, int], object]
) -> Scored:
    """Predict for rows of the whole table, where that is elsewhere: there, or on this machine."""
    if settings.compute.engine == "spark":
        from handrail.serving.spark_scoring import score_on_spark

        return score_on_spark(settings, given, output)
    here = settings.workspace / "data" / f".to-score-{os.getpid()}.parquet"
    try:
        return score_rows(settings, landed(settings, given, here), output, tell)
    finally:
        here.unlink(missing_ok=True)


@contextmanager
def _folder_for(output: Path) -> Generator[Path]:
    """Give a folder beside `output` for what is not finished, which goes with all that is in it."""
    output.parent.mkdir(parents=True, exist_ok=True)
    remove_unfinished(output, FRESH_SECONDS)
    folder = unfinished_path(output)
    shutil.rmtree(folder, ignore_errors=True)  # of a process that had this number
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _checkpoint(given: RowsToScore, who: Answering, output: Path) -> Generator[Checkpoint | None]:
    """Give what an earlier run has predicted; None of an input that is scored anew in no time."""
    if given.file is None or who.mode(0) == "fallback" or _is_small(given.file, given.condition):
        yield None
        return
    about = {"the input": [*identity(given.file), given.condition], "what answers": who.depends_on()}
    with checkpoint(output, about) as kept:
        remove_unfinished(output)  # nobody else writes it
        yield kept


def _is_small(file: Path, condition: str) -> bool:
    return sum(row_group_sizes(file)) <= FEW_ROWS if condition else file.stat().st_size <= FEW_BYTES


class _Run:
    """One run: what is read, what is written, and what of it is done."""

    def __init__(
        self,
        settings: Settings,
        connection: Connection,
        given: RowsToScore,
        who: Answering,
        kept: Checkpoint | None,
        folder: Path,
    ) -> None:
        self._settings, self._connection, self._given, self._who = settings, connection, given, who
        self._kept, self._result = kept, folder / "result"
        self._begun = given.file and identity(given.file)
        place = kept.place if kept else folder.joinpath
        with _of_the_file(given.origin):
            asked = settings.project.request
            self._rows = numbered(connection, given, asked, place("rows"), place("unread"))
            self._question = Question(connection, settings, given.origin, self._rows, who)

    def score(self, output: Path, tell: Callable[[int, int], object]) -> Scored:
        """Write predictions to `output`, and what is broken aside."""
        # What breaks the contract does so for every version: it is kept once.
        name = output.stem.removeprefix("scored-").removesuffix(_by(self._settings))
        rejected = rejected_path(self._settings, f"scored-{name}")
        rejected.parent.mkdir(parents=True, exist_ok=True)
        remove_unfinished(rejected, 0 if self._kept else FRESH_SECONDS)
        broken = unfinished_path(rejected)
        try:
            counts, taken_up = self._write(broken, tell)
            self._refuse_changed()
            broken.replace(rejected)
        finally:
            broken.unlink(missing_ok=True)
        found = reasons_of(self._connection, rejected)
        if counts.total() == 0:
            raise ProjectError(none_scored(self._given.origin, found, rejected))
        self._result.replace(output)
        versions = [loaded.version for loaded in self._who.versions]
        names, sources = " and ".join(version.name for version in versions), " and ".join(sorted(counts))
        notes = [*_said(self._kept, taken_up), *(version.note for version in versions if version.note)]
        return Scored(output, counts.total(), names, sources, found, tuple(notes))

    def _write(self, broken: Path, tell: Callable[[int, int], object]) -> tuple[Counter[str], int]:
        """Write both files; return how many rows were predicted by whom, and of how many it was known."""
        counts: Counter[str] = Counter()
        project, keeper, done = self._settings.project, _PartKeeper(self._kept), 0
        total = row(self._connection, f"SELECT count(*) AS n FROM {self._rows.source()}")["n"]
        distinct = ["prediction", *([project.key] if project.has_key else [])]
        portions = side_by_side(Scoring(project, self._who).portion, self._batches())
        with (
            BatchWriter(self._result, distinct) as write,
            BatchWriter(broken) as reject,
            closing(portions),
        ):
            reject.begin(self._question.broken(self._connection))
            for portion in portions:
                for by, batch in portion.scored:
                    counts[by] += write(written(project, batch))
                if portion.rejected:
                    reject(portion.rejected)
                keeper.add(portion)
                done += portion.rows
                tell(done, total)
            keeper.finish()
        return counts, keeper.taken_up

    def _batches(self) -> Iterator[tuple[Part, pa.RecordBatch]]:
        """Yield the rows, part by part."""
        for first, after in self._rows.parts(PART_ROWS):
            self._refuse_changed()
            part = Part(first, after, self._kept.part(first, after) if self._kept else None)
            with _of_the_file(self._given.origin):
                reader = self._connection.sql(self._question.of(first, after)).to_arrow_reader(BATCH_ROWS)
            while True:
                with _of_the_file(self._given.origin):
                    batch = next(reader, None)
                if batch is None:
                    break
                yield part, batch

    def _refuse_changed(self) -> None:
        if self._given.file and identity(self._given.file) != self._begun:
            raise ProjectError(
                f"{self._given.origin}: {self._given.file} was changed while it was read; score it again"
            )


@contextmanager
def _of_the_file(origin: str) -> Generator[None]:
    """Name the input where it is what it holds that stops the engine in the block."""
    try:
        yield
    except EngineError as error:
        if not is_of_the_file(error):
            raise
        raise ProjectError(f"{origin}: {stopped(error)}") from None
    except pa.ArrowException as error:  # what the engine says in the middle of its rows
        raise ProjectError(f"{origin}: {' '.join(str(error).split()).removeprefix(STOPPED)}") from None


class _PartKeeper:
    """Keeps the predictions of each part once all of its rows are predicted, and each by the model."""

    def __init__(self, kept: Checkpoint | None) -> None:
        self._kept, self._part, self._whole, self.taken_up = kept, None, False, 0
        self._predictions = np.empty(0, dtype=np.float32)

    def add(self, portion: Portion) -> None:
        """Add what was predicted; portions of a part follow one another."""
        if self._kept is None:
            return
        if portion.part is not self._part:
            self.finish()
            self._part, self._whole = portion.part, portion.part.known is None
            self._predictions = np.full(portion.part.after - portion.part.first, np.nan, dtype=np.float32)
        for (by, batch), numbers in zip(portion.scored, portion.numbers, strict=True):
            self._whole = self._whole and by == "model"
            self._predictions[numbers - portion.part.first] = batch.prediction
            if portion.part.known is not None:
                self.taken_up += batch.rows

    def finish(self) -> None:
        """Keep the last part."""
        if self._kept and self._part and self._whole:
            self._kept.keep(self._part.first, self._predictions)
        self._part = None


def _said(kept: Checkpoint | None, taken_up: int) -> list[str]:
    """Say what became of an earlier run that was stopped."""
    if kept and kept.changed:
        return [f"begun anew: an earlier run was stopped, and {kept.changed} has changed since"]
    return [f"{taken_up:,} rows had been predicted by a run that was stopped"] if taken_up else []


def reasons_of(connection: Connection, rejected: Path) -> dict[str, int]:
    """Return how many rows were rejected for which reason, the most frequent first; lines are counted."""
    line = r"'^line (\d+): '"
    found = rows(
        connection,
        f"SELECT regexp_replace(reason, {line}, '') AS said, count(*) AS n, "
        f"min(TRY_CAST(regexp_extract(reason, {line}, 1) AS BIGINT)) AS first "
        f"FROM {parquet(rejected)} GROUP BY said ORDER BY n DESC, said",
    )
    return {
        item["said"] + (f", the first in line {item['first']}" if item["first"] else ""): item["n"]
        for item in found
    }


def none_scored(origin: str, found: dict[str, int], rejected: Path) -> str:
    """Say of rows of which none was scored how many there are, what they broke most often, where they are."""
    if not found:
        return f"{origin}: no row to score: it has none"
    count, (most, times) = sum(found.values()), next(iter(found.items()))
    every = f"all {count:,} rows are" if count > 1 else "its only row is"
    often = "for" if times == count else "most often for"
    many = "" if times == count else f" ({times:,} rows)"
    return f"{origin}: no row to score: {every} rejected, {often} {most}{many}; see {rejected}"


def written(project: Project, batch: ScoredBatch) -> pa.RecordBatch:
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


class BatchWriter:
    """Writes record batches of one schema to a Parquet file; it is finished where the block ends."""

    def __init__(self, path: Path, distinct: Sequence[str] = ()) -> None:
        """Write to `path`; `distinct`: columns of which nearly all values are different."""
        self._path, self._distinct = path, distinct
        self._file: pq.ParquetWriter | None = None

    def __enter__(self) -> "BatchWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, rows: pa.Table) -> None:
        """Write the first rows, of which there may be none."""
        self._file = self._opened(rows.schema)
        self._file.write_table(rows)

    def __call__(self, batch: pa.RecordBatch) -> int:
        """Write a batch and return its rows; raises ProjectError where its columns are not those before."""
        self._file = self._file or self._opened(batch.schema)
        others = sorted({field.name for field in set(batch.schema) ^ set(self._file.schema)})
        if others:
            raise ProjectError(f"{WRITTEN}: {', '.join(others)}: not of one type in all rows")
        self._file.write_batch(batch.select(self._file.schema.names))
        return batch.num_rows

    def _opened(self, schema: pa.Schema) -> pq.ParquetWriter:
        """Open the file: columns of few values have a dictionary, and times their ends in each row group."""
        repeating = [name for name in schema.names if name not in self._distinct]
        times = [field.name for field in schema if pa.types.is_timestamp(field.type)]
        return pq.ParquetWriter(self._path, schema, use_dictionary=repeating, write_statistics=times)

    def close(self) -> None:
        """Finish the file."""
        if self._file:
            self._file.close()


def output_path(settings: Settings, name: str) -> Path:
    """Return the file for the predictions of the rows `name` by the versions that answer now."""
    return prediction_folder(settings) / f"scored-{name}{_by(settings)}.parquet"


def _by(settings: Settings) -> str:
    """Return the end of the name of a file that those versions write."""
    version, live = load_live(settings)
    return f"-{version.name}" + (f"-{live.canary.name}" if live.canary else "")
