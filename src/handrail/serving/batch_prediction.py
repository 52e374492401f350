"""Predicts for batches of rows as the engine gives them, several side by side."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from handrail.arrays import Floats
from handrail.compute.duckdb import identifier
from handrail.config.settings import Settings
from handrail.contract.row_key import row_key
from handrail.contract.schema import columns
from handrail.project import Project
from handrail.registry.canary import chosen_condition
from handrail.registry.live import Live, Mode, load_live
from handrail.registry.versions import Version
from handrail.serving.inference import Loaded, start_canary_model, start_model, try_model
from handrail.tasks.metric import Decision
from handrail.tasks.task import told_beside
from handrail.training.encoding import NAN

MOST_WORKERS = 8  # batches that are predicted side by side, one a core
ARROW_TYPES = {"f": pa.float32(), "d": pa.float64(), "?": pa.bool_()}
ARROW_OF_SQL = {"DOUBLE": pa.float64(), "BOOLEAN": pa.bool_()}


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
class Answering:
    """Who answers which rows: the live version all, but for the canary's share.

    chosen: the SQL condition of the rows that are the canary's, if there is one
    """

    live: Live
    versions: tuple[Loaded, ...]
    chosen: str = "FALSE"

    def mode(self, number: int) -> Mode:
        """Return whether the model of a version is asked, or its baseline."""
        return "model" if number else self.live.mode

    def depends_on(self) -> list[object]:
        """Return all that predictions depend on beside the rows."""
        canary = self.live.canary
        shares = canary and [canary.checksum, canary.share]
        kinds = {column.name: column.kind for column in columns(self.versions[0].version.project.request)}
        coded = [each.version.encoding.select() for each in self.versions]
        return [metadata.version("handrail"), self.live.checksums[-1], shares, self.chosen, kinds, coded]


def answering(settings: Settings) -> Answering:
    """Return who answers now; raises ProjectError without a live model."""
    version, live = load_live(settings)
    loaded = Loaded(version, start_model(version))
    canary = start_canary_model(settings, live)
    if canary is None or live.canary is None:
        return Answering(live, (loaded,))
    project = settings.project
    unit = identifier(project.unit) if project.subject or project.has_key else row_key(project.contract)
    return Answering(live, (loaded, canary), chosen_condition(unit, live.canary.share))


@dataclass(frozen=True)
class Portion:
    """Some rows of a part of the input: those that are broken, and those that were predicted, by whom.

    rows: how many, with the broken ones · numbers: those of the rows, for each of `scored`
    """

    part: "Part"
    rows: int
    rejected: pa.RecordBatch | None
    scored: list[tuple[Mode, ScoredBatch]]
    numbers: list[NDArray[np.int64]]


@dataclass(frozen=True)
class Part:
    """Rows from number `first` on and before `after`, and what an earlier run has predicted of them."""

    first: int
    after: int
    known: Floats | None


class Scoring:
    """Predicts for batches, side by side."""

    def __init__(self, project: Project, who: Answering, now: datetime | None = None) -> None:
        """Predict by those who answer; `now`: when that was, in UTC, by default this moment."""
        self._project, self._who = project, who
        self._names = [*project.request.model_fields]
        self._now = pa.scalar(now or datetime.now(UTC).replace(tzinfo=None), pa.timestamp("us"))

    def portion(self, part: Part, batch: pa.RecordBatch) -> Portion:
        """Return what becomes of a batch of `Question`."""
        count, reason, rejected = batch.num_rows, batch.column("reason"), None
        if reason.null_count < count:
            rejected = batch.filter(reason.is_valid()).select([*self._names, "reason"])
            batch = batch.filter(reason.is_null())
        scored, numbers = [], []
        for version, rows in self._shared(batch):
            if rows.num_rows:
                numbers.append(np.from_dlpack(rows.column("_row")))
                scored.append(self._scored(version, rows, _known(part, numbers[-1])))
        return Portion(part, count, rejected, scored, numbers)

    def _shared(self, batch: pa.RecordBatch) -> list[tuple[int, pa.RecordBatch]]:
        """Return which version answers which rows, by its number."""
        if len(self._who.versions) == 1:
            return [(0, batch)]
        return [(number, batch.filter(batch.column(f"_{number}_chosen"))) for number in range(2)]

    def _scored(self, number: int, rows: pa.RecordBatch, known: Floats | None) -> tuple[Mode, ScoredBatch]:
        """Predict for rows by a version; `known`: what was predicted already."""
        loaded, prediction, count = self._who.versions[number], known, rows.num_rows
        version, baseline = loaded.version, self._baseline(number, rows)
        if prediction is None and self._who.mode(number) == "model":
            prediction = try_model(version, loaded.predictor, self._matrix(number, rows))
        by: Mode = "fallback" if prediction is None else "model"
        predicted = baseline if prediction is None else prediction
        decision = version.decision_of(by)
        told = told_beside(version.project.task, predicted, decision)
        needed = {
            "predicted_at": pa.repeat(self._now, count),
            "version": pa.repeat(version.name, count),
            "source": pa.repeat(by, count),
            "prediction": _arrow(predicted),
            "baseline": _arrow(baseline),
            **_told(version.project, told, count),
            **{name: rows.column(name) for name in self._names},
        }
        return by, ScoredBatch(needed, predicted, version.name, count, decision)

    def _matrix(self, number: int, rows: pa.RecordBatch) -> Floats:
        encoding = self._who.versions[number].version.encoding
        matrix = np.empty((rows.num_rows, len(encoding.features)), dtype=np.float32)
        for place, name in enumerate(encoding.features):
            if name in encoding.categories:
                found = _by_value(rows.column(name), partial(encoding.numbers, name))
            elif name in encoding.logarithms:
                found = _numpy(rows.column(f"_{number}_{place}"))
            else:
                found = _numpy(rows.column(name).cast(pa.float32(), safe=False).fill_null(NAN))
            matrix[:, place] = found
        return matrix

    def _baseline(self, number: int, rows: pa.RecordBatch) -> Floats:
        version = self._who.versions[number].version
        if "baseline" in computed(version):
            return _numpy(rows.column(f"_{number}_baseline"))
        return _by_value(rows.column(version.baseline.column), version.baseline.predict)


def computed(version: Version) -> dict[str, str]:
    """Return what the engine computes of each row: SQL expressions by name, of features by their place.

    Amounts stand in the row as they are; what names become is found once for all rows of a name.
    """
    encoding, baseline = version.encoding, version.baseline
    found = {
        str(place): expression
        for place, (name, expression) in enumerate(zip(encoding.features, encoding.select(), strict=True))
        if name in encoding.logarithms
    }
    texts = [column.name for column in columns(version.project.request) if column.kind is str]
    return found if baseline.column in texts else {**found, "baseline": baseline.select()}


def _by_value(column: pa.Array, numbers: Callable[[list[Any]], Floats]) -> Floats:
    """Return the number of each value of a column; each value is asked for once."""
    coded = column.dictionary_encode()
    values = [*coded.dictionary.to_pylist(), None]
    places = np.from_dlpack(coded.indices.fill_null(len(values) - 1)).astype(np.int64)
    return numbers(values)[places]


def _known(part: Part, numbers: NDArray[np.int64]) -> Floats | None:
    """Return what was predicted of these rows already; None unless it was of all."""
    if part.known is None:
        return None
    found = part.known[numbers - part.first]
    return None if np.isnan(found).any() else found


def workers() -> int:
    """Return how many batches are predicted at the same time, each on one thread."""
    return min(os.cpu_count() or 1, MOST_WORKERS)


def side_by_side(
    work: Callable[[Part, pa.RecordBatch], Portion], batches: Iterable[tuple[Part, pa.RecordBatch]]
) -> Generator[Portion]:
    """Yield what `work` makes of each batch, in their order; as many as there are `workers` are worked on."""
    waiting: deque[Future[Portion]] = deque()
    with ThreadPoolExecutor(workers(), thread_name_prefix="score") as pool:
        try:
            for part, batch in batches:
                waiting.append(pool.submit(work, part, batch))
                if len(waiting) > workers():
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


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
