"""Scores the loaded table on Spark: each worker predicts for its own rows, by the same ONNX file.

The rows are asked for, judged and told by the same code as on one machine. What a worker needs comes with
the job: the files of the versions that answer; the project's package it imports itself, from the same
environment.
"""

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from handrail.compute.data_engine import connect_data
from handrail.compute.duckdb import connect, parquet, rows
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.load import rejected_path, table_path
from handrail.files import unfinished_path
from handrail.registry.versions import Version
from handrail.serving import batch as one_machine
from handrail.serving.batch_prediction import Answering, Part, Scoring, answering
from handrail.serving.batch_query import Question
from handrail.serving.inference import Loaded
from handrail.serving.rows_to_score import RowsToScore

ALL = Part(0, 0, None)


@dataclass(frozen=True)
class Job:
    """What a worker is given: plain data, and the bytes of the models.

    folder: where the package is imported from, if it is not installed · versions: name, record as JSON and
    ONNX file of each that answers · live: which of them, and whether the model or the baseline · now: when
    it began
    """

    package: str
    folder: str
    versions: tuple[tuple[str, str, bytes], ...]
    live: Any
    now: datetime

    @property
    def digest(self) -> str:
        """A name for what it answers with."""
        found = hashlib.sha256(f"{self.package} {self.live} {self.now}".encode())
        for name, _, model in self.versions:
            found.update(name.encode() + model)
        return found.hexdigest()


@dataclass(frozen=True)
class TableRows:
    """Rows of the loaded table for which the SQL `condition` holds; the engine numbers none of them."""

    path: Path
    condition: str
    unread: Path | None = None

    def source(self, first: int = 0, after: int | None = None) -> str:
        """Return the FROM item of the rows."""
        return f"(SELECT *, CAST(0 AS BIGINT) AS _row FROM {parquet(self.path)} WHERE {self.condition})"


def score_on_spark(settings: Settings, given: RowsToScore, output: Path) -> one_machine.Scored:
    """Predict for every row of the loaded table that is asked for; see `handrail.serving.batch.score_rows`.

    `output` is a folder of Parquet files then, one folder a day in it, which is there when all of it is.
    """
    who = answering(settings)
    path = table_path(settings, settings.project.table_name)
    with connect_data(settings) as connection:
        spark = cast("Any", connection)
        asked = TableRows(path, given.condition)
        question = Question(connection, settings, given.origin, asked, who, unique=True)
        frame = spark.frame(question.of(0, 1)).persist()
        frame.createOrReplaceTempView("asked")
        names = ", ".join(f'"{name}"' for name in settings.project.request.model_fields)
        rejected = rejected_path(settings, f"scored-{given.name}")
        try:
            spark.land(f"SELECT {names}, reason FROM asked WHERE reason IS NOT NULL", rejected)
            with connect(settings) as local:
                found = one_machine.reasons_of(local, rejected)
            good = frame.where("reason IS NULL")
            job = _job(settings, who)
            schema = _schema(job, spark.head(good))
            if schema is None:
                raise ProjectError(one_machine.none_scored(given.origin, found, rejected))
            _write(settings, spark, spark.map_batches(good, partial(predict, job), schema), output)
        finally:
            frame.unpersist()
    counts = _counts(settings, output)
    versions = [loaded.version for loaded in who.versions]
    notes = tuple(version.note for version in versions if version.note)
    by = " and ".join(version.name for version in versions)
    return one_machine.Scored(output, sum(counts.values()), by, " and ".join(sorted(counts)), found, notes)


def _job(settings: Settings, who: Answering) -> Job:
    project = settings.project
    folder = project.folder
    versions = tuple(
        (each.version.name, json.dumps(each.version.info), each.version.model.read_bytes())
        for each in who.versions
    )
    now = datetime.now(UTC).replace(tzinfo=None)
    return Job(project.package, str(folder.parent) if folder else "", versions, who.live, now)


def _schema(job: Job, first: pa.Table) -> Any:
    """Return the columns that are written, of a first row; None where there is none."""
    from pyspark.sql.pandas.types import from_arrow_schema

    written = list(predict(job, iter(first.to_batches()))) if first.num_rows else []
    return from_arrow_schema(written[0].schema, prefer_timestamp_ntz=True) if written else None


def predict(job: Job, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield what is written of rows that keep the contract; it runs on a worker, in its own process."""
    scoring, project = _started(_Hashed(job))
    for batch in batches:
        if not batch.num_rows:
            continue
        for _, scored in scoring.portion(ALL, batch).scored:
            yield one_machine.written(project, scored)


class _Hashed:
    """A job by what it answers with, so that a worker starts each model once."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def __hash__(self) -> int:
        return hash(self.job.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and self.job.digest == other.job.digest


@lru_cache(maxsize=2)
def _started(hashed: _Hashed) -> tuple[Scoring, Any]:
    from handrail.predictor import Predictor  # telemetry is off by then: `import handrail` sees to that

    job = hashed.job
    if job.folder and job.folder not in sys.path:
        sys.path.append(job.folder)
    project = import_module(job.package).project
    nowhere = Path(tempfile.gettempdir()) / "no-such-version"
    loaded = tuple(
        Loaded(Version(name, nowhere, json.loads(info), project), Predictor(model))
        for name, info, model in job.versions
    )
    return Scoring(project, Answering(job.live, loaded), job.now), project


def _write(settings: Settings, spark: Any, scored: Any, output: Path) -> None:
    """Write predictions into a folder beside `output`, and put that in its place."""
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished, former = unfinished_path(output), output.with_name(f".former-{output.name}")
    for folder in (unfinished, former):
        shutil.rmtree(folder, ignore_errors=True)
    time = settings.project.time
    try:
        spark.write_here(scored, unfinished, day_of=time if time in scored.columns else None)
        if output.exists():
            output.replace(former)
        unfinished.replace(output)
    finally:
        for folder in (unfinished, former):
            shutil.rmtree(folder, ignore_errors=True) if folder.is_dir() else folder.unlink(missing_ok=True)


def _counts(settings: Settings, output: Path) -> dict[str, int]:
    """Return how many rows were predicted by whom."""
    parts = sorted(output.rglob("*.parquet"))
    with connect(settings) as local:
        found = rows(local, f"SELECT source, count(*) AS n FROM {parquet(*parts)} GROUP BY 1")
    return {item["source"]: item["n"] for item in found}
