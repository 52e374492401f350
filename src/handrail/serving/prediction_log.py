"""Every prediction is on disk before it is answered: what was said, and the input of monitoring."""

import errno
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from handrail.config.settings import Settings
from handrail.serving.alike import join_alike
from handrail.serving.inference import Inference, LiveModel

if TYPE_CHECKING:
    from handrail.serving.columns import ByColumn

PROBE_BYTES = 65_536
Records = Sequence[Mapping[str, Any]]


def prediction_folder(settings: Settings) -> Path:
    """Return the folder in which all predictions are kept, served and scored."""
    return settings.workspace / "data" / "predictions"


def shared_prediction_folder(settings: Settings) -> Path:
    """Return the folder of this machine's copies of what others have predicted, where they share a log."""
    return settings.workspace / "data" / "shared" / "predictions"


def parts_of(folder: Path) -> list[Path]:
    """Return the files of predictions that Spark has written into a folder; none of one that is not whole."""
    return sorted(folder.rglob("*.parquet")) if (folder / "_SUCCESS").is_file() else []


def log_rows(
    asked: Records,
    answer: Inference,
    told: Sequence[Mapping[str, Any]] | None = None,
    request_id: str | None = None,
) -> list[dict[str, Any]]:
    """Return what is logged of an answer: who predicted and told what, and the whole record asked.

    told: what `told_by_row` says of it, where that is known already · request_id: that of the request, if any
    """
    by = {"request_id": request_id} if request_id else {}
    both = zip(answer.prediction.tolist(), answer.baseline.tolist(), strict=True)
    return [
        {
            **by,
            "version": answer.version,
            "source": answer.source,
            "prediction": prediction,
            "baseline": simple,
            **each,
            **record,
        }
        for record, (prediction, simple), each in zip(
            asked, both, told_by_row(answer) if told is None else told, strict=True
        )
    ]


def told_by_row(answer: Inference) -> list[dict[str, Any]]:
    """Return what is told beside each prediction of an answer."""
    columns = {name: values.tolist() for name, values in answer.told.items()}
    return [
        {name: values[place] for name, values in columns.items()} for place in range(len(answer.prediction))
    ]


class PredictionLog:
    """Appends JSON lines to a file of the day and of this log alone: many may write into one folder.

    A line is handed to the operating system before `append` returns, so it outlives a killed process.
    Raises OSError where it can't be written, or only in part, which is taken back: a full disk (`is_full`).
    Then nothing may be answered.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._name = secrets.token_hex(4)  # containers that share a volume have the same process ids
        self._lock = Lock()
        self._day = ""
        self._file = -1

    def append(self, rows: Records) -> None:
        """Write `rows` in one piece."""
        stamp = _stamp()
        lines = b"".join(to_json({"predicted_at": stamp, **row}) + b"\n" for row in rows)
        self._write(lines, stamp[:10])

    def append_columns(self, asked: "ByColumn", answer: Inference, request_id: str) -> None:
        """Write what `log_rows` returns of an answer in one piece."""
        stamp = _stamp()
        by = {"request_id": request_id, "version": answer.version, "source": answer.source}
        given = {"prediction": answer.prediction, "baseline": answer.baseline, **answer.told}
        columns = {name: values.tolist() for name, values in given.items()}
        self._write(join_alike({"predicted_at": stamp, **by}, columns, asked, after=b"\n"), stamp[:10])

    def _write(self, lines: bytes, day: str) -> None:
        with self._lock:
            file = self._open(day)
            try:
                written = os.write(file, lines)
            except OSError as error:
                error.filename = error.filename or str(self._folder)
                raise
            if written != len(lines):
                # What is left of it would spoil the next line.
                os.ftruncate(file, os.fstat(file).st_size - written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._folder))

    def try_out(self) -> None:
        """Raise OSError where a line could not be written now, as the disk is full or may not be written."""
        probe = self._folder / f".probe-{self._name}.jsonl.{os.getpid()}"  # as what kills leave is called
        try:
            probe.write_bytes(b"\n" * PROBE_BYTES)
        finally:
            probe.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file of the day."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _open(self, day: str) -> int:
        if day != self._day or self._file < 0:
            self.close()
            path = self._folder / f"served-{day}-{self._name}.jsonl"
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
            self._day = day
        return self._file


def is_full(error: OSError) -> bool:
    """Return whether it is the disk that is full, or the share of it that one may use."""
    return error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def _stamp() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def answer_and_log(settings: Settings, model: LiveModel, requests: Iterable[Records]) -> None:
    """Answer each of `requests` (its records) and log what was answered, as the service does."""
    log = PredictionLog(prediction_folder(settings))
    try:
        for asked in requests:
            log.append(log_rows(asked, model.answer(asked)))
    finally:
        log.close()
