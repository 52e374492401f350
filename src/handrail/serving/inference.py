"""What a version answers, and the baseline in its place where it can't."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import isfinite
from threading import Thread
from time import monotonic, perf_counter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Floats
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.predictor import Predictor
from handrail.registry.canary import is_chosen, load_canary
from handrail.registry.live import Canary, Live, Mode, checked, live_path, read_live
from handrail.registry.versions import Version, load_version, stamps
from handrail.tasks.metric import Decision
from handrail.tasks.task import told_beside
from handrail.training.encoding import values_of

log = logging.getLogger(__name__)
Reason = Literal["switched", "failed", "late"]
Stamp = tuple[int, int]  # of a file: when it was written, and which one it is
LONGEST_WAIT = 30.0  # seconds until it is tried again to load what could not be loaded


@dataclass(frozen=True)
class Inference:
    """One prediction per record, the baseline's beside it, and who answered.

    reason: why the baseline did, where it did: it was `switched` to, the model `failed`, or was `late`
    decision: how the predictions are acted on, by the model's range or the baseline's · told: what is told
    beside each, by name: `flagged`, or `planned` and, where the version knows a range, `low` and `high`
    """

    version: str
    source: Mode
    prediction: Floats
    baseline: Floats
    decision: Decision
    told: Mapping[str, NDArray[Any]]
    reason: Reason | None = None

    def part(self, rows: slice) -> "Inference":
        """Return the answer for some of the records."""
        told = {name: values[rows] for name, values in self.told.items()}
        both = self.prediction[rows], self.baseline[rows]
        return Inference(self.version, self.source, *both, self.decision, told, self.reason)


@dataclass(frozen=True)
class Loaded:
    """A version that has answered once."""

    version: Version
    predictor: Predictor


@dataclass(frozen=True)
class _Answering:
    """All that answers, so that a switch changes it at once.

    files: what its files on the disk looked like before they were checked, by the name of the version
    """

    loaded: Loaded
    live: Live
    canary: Loaded | None
    files: Mapping[str, Mapping[str, tuple[int, ...]]]


def infer(
    loaded: Loaded, records: Sequence[Mapping[str, Any]], mode: Mode, reason: Reason = "switched"
) -> Inference:
    """Predict for `records`; the baseline answers where `mode` says so, for `reason`, or the model fails."""
    version = loaded.version
    baseline = version.baseline.predict(values_of(records, version.baseline.column))
    prediction = None
    if mode == "model":
        prediction = try_model(version, loaded.predictor, version.encoding.matrix(records))
    by: Mode = "fallback" if prediction is None else "model"
    answered = baseline if prediction is None else prediction
    decision = version.decision_of(by)
    told = told_beside(version.project.task, answered, decision)
    why: Reason | None = None if by == "model" else reason if mode == "fallback" else "failed"
    return Inference(version.name, by, answered, baseline, decision, told, why)


def start_canary_model(settings: Settings, live: Live) -> Loaded | None:
    """Return the canary after a first answer; None without one, or where it doesn't run (it is logged)."""
    if live.canary is None:
        return None
    try:
        version = load_canary(settings, live.canary)
        return Loaded(version, start_model(version))
    except ProjectError as error:
        log.error("%s; the live version answers for the canary", error)
        return None


def try_model(version: Version, predictor: Predictor, features: Floats) -> Floats | None:
    """Return the model's prediction for each row of `features`, or None where it fails or gives no number."""
    try:
        prediction = predictor.predict(features)
        if isfinite(prediction[0]) if len(prediction) == 1 else np.isfinite(prediction).all():
            return prediction
        log.error("%s gave what is no number; the fallback answers", version.name)
    except Exception as error:  # whatever went wrong in the model, an answer is owed
        log.error("%s failed; the fallback answers: %s", version.name, error)
    return None


def start_model(version: Version) -> Predictor:
    """Return the model after a first answer; raises ProjectError if it doesn't fit the contract or run."""
    unknown = set(version.encoding.features) - set(version.project.request.model_fields)
    if unknown:
        raise ProjectError(
            f"{version.name}: learnt from {', '.join(sorted(unknown))}, no longer in contract.py"
        )
    try:
        predictor = Predictor(version.model)
        predictor.predict(np.zeros((1, len(version.encoding.features)), dtype=np.float32))
    except Exception as error:  # the runtime's errors have no base of their own
        raise ProjectError(f"{version.model}: does not run: {' '.join(str(error).split())}") from error
    return predictor


def _pinned(now: _Answering) -> list[tuple[str, str]]:
    """Return name and checksum of each version that answers."""
    canary = now.live.canary if now.canary else None
    live = now.live.versions[-1], now.live.checksums[-1]
    return [live, *([(canary.name, canary.checksum)] if canary else [])]


def _unit_of(settings: Settings, record: Mapping[str, Any]) -> object:
    """Return what a canary is chosen by: the subject, or else the key; of rows without either, the record."""
    unit = settings.project.unit
    return record[unit] if unit in record else sorted(record.items())


class LiveModel:
    """The version that is live now; a promotion or a rollback is noticed without a restart.

    Whatever goes wrong with what is on the disk, also with the files of what is in memory, that goes on
    answering: `stale` says why, and it is tried again. Raises ProjectError where nothing is live at first, or
    files are not those promoted.
    """

    def __init__(
        self,
        settings: Settings,
        patience: float = 0.0,
        changed: Callable[["LiveModel"], object] = lambda model: None,
    ) -> None:
        """Load what is live; look for a switch once in `patience` seconds, and load it beside the answers.

        changed: is told when something else answers, or when what is live can't be loaded (again)
        """
        self._changed = changed
        self._settings, self._patience, self._path = settings, patience, live_path(settings)
        self._stamp = self._stamp_now()
        self._now = self._load()
        self.stale = ""
        self.seconds = self._time()
        self._wait, self._next_look, self._loading = patience, monotonic() + patience, False
        changed(self)

    @property
    def version(self) -> Version:
        """The version in memory."""
        return self._now.loaded.version

    @property
    def mode(self) -> Mode:
        """Whether the model or the fallback answers."""
        return self._now.live.mode

    @property
    def stage(self) -> str:
        """Whether only a trial is served, or everybody."""
        return self._now.live.stage

    @property
    def canary(self) -> Canary | None:
        """The version that answers a share beside it, if one can."""
        return self._now.live.canary if self._now.canary else None

    def answer(self, records: Sequence[Mapping[str, Any]]) -> Inference:
        """Predict for `records`, which keep the contract; the fallback answers where the model fails.

        The first record's subject, or else its key, or all that it says, decides whether the canary answers;
        where it fails, the live version does.
        """
        now = self.follow()._now
        canary = now.live.canary
        if now.canary and canary and is_chosen(_unit_of(self._settings, records[0]), canary.share):
            answer = infer(now.canary, records, "model")
            if answer.source == "model":
                return answer
        return infer(now.loaded, records, now.live.mode)

    def answer_together(self, requests: Sequence[Sequence[Mapping[str, Any]]]) -> list[Inference]:
        """Predict for several requests in one pass, each as `answer` does; a failure of one is its own."""
        if len(requests) == 1:
            return [self.answer(requests[0])]
        now = self.follow()._now
        canary = now.live.canary if now.canary else None
        if canary and any(is_chosen(_unit_of(self._settings, each[0]), canary.share) for each in requests):
            return [self.answer(each) for each in requests]
        found = infer(now.loaded, [record for each in requests for record in each], now.live.mode)
        if found.reason == "failed":
            return [self.answer(each) for each in requests]
        ends = [*accumulate(map(len, requests))]
        return [found.part(slice(end - len(each), end)) for end, each in zip(ends, requests, strict=True)]

    def by_baseline(self, records: Sequence[Mapping[str, Any]]) -> Inference:
        """Let the baseline answer for a model that takes too long."""
        return infer(self._now.loaded, records, "fallback", "late")

    def follow(self) -> "LiveModel":
        """Take what is live now, if that has changed; a version that can't be loaded replaces no good one."""
        if self._patience:
            now = monotonic()
            if now < self._next_look or self._loading:
                return self
            self._next_look = now + self._wait
        try:
            stamp = self._stamp_now()
            files = self._files_of(self._now.files)
        except OSError as error:
            self._keep(f"{error.filename or self._path}: {error.strerror or error}")
            return self
        if stamp != self._stamp:
            self._work(self._take, stamp)
        elif files != self._now.files:
            self._work(self._check, files)
        elif self.stale:
            self._is_right()
        return self

    def _work(self, work: Callable[[Any], None], given: object) -> None:
        """Do what takes long, beside the answers where these may not wait."""
        if self._patience:
            self._loading = True
            Thread(target=work, args=(given,), name="switch", daemon=True).start()
        else:
            work(given)

    def _is_right(self) -> None:
        stale, self.stale, self._wait = self.stale, "", self._patience
        if stale:
            log.warning("%s: what is live on the disk is what is in memory again", self.version.name)
            self._changed(self)

    def _check(self, files: Mapping[str, Mapping[str, tuple[int, ...]]]) -> None:
        """Tell whether files that look otherwise than when they were loaded are still the same."""
        now = self._now
        try:
            for name, checksum in _pinned(now):
                load_version(self._settings, name, checksum)
            self._now = replace(now, files=files)
            self._is_right()
        except ProjectError as error:
            self._keep(f"what is loaded is not whole on the disk any more: {'; '.join(error.problems)}")
        except Exception as error:  # as in _take
            self._keep(f"{now.loaded.version.path}: {type(error).__name__}: {error}")
        finally:
            self._loading = False

    def _take(self, stamp: Stamp) -> None:
        """Load what is live and let it answer, or keep what does."""
        try:
            self._now = self._load()
            self._stamp, self.stale, self._wait = stamp, "", self._patience
            self.seconds = self._time()
            self._changed(self)
        except ProjectError as error:
            self._keep("; ".join(error.problems))
        except Exception as error:  # what is loaded stays, whatever happens on the disk
            self._keep(f"{self._path}: {type(error).__name__}: {error}")
        finally:
            self._loading = False

    def _keep(self, why: str) -> None:
        new, self.stale = why != self.stale, why
        if new:
            log.error("%s; %s stays in service", why, self.version.name)
            self._changed(self)
        self._wait = min(2 * self._wait or self._patience, LONGEST_WAIT)
        self._next_look = monotonic() + self._wait

    def _load(self) -> _Answering:
        found = read_live(self._settings)
        names = [found.versions[-1], *([found.canary.name] if found.canary else [])] if found else []
        files = self._files_of(names)
        version, live = checked(self._settings, found)
        loaded, canary = Loaded(version, start_model(version)), start_canary_model(self._settings, live)
        if canary is None and live.canary:
            files.pop(live.canary.name, None)
        return _Answering(loaded, live, canary, files)

    def _files_of(self, names: Iterable[str]) -> dict[str, dict[str, tuple[int, ...]]]:
        return {name: stamps(self._settings, name) for name in names}

    def _time(self) -> float:
        """Return the seconds that the slowest of those who answer takes for one record."""
        found = []
        for loaded in filter(None, (self._now.loaded, self._now.canary)):
            zeros = np.zeros((1, len(loaded.version.encoding.features)), dtype=np.float32)
            taken = []
            for _ in range(3):  # the quickest of them: the others had to wait for the processor
                begun = perf_counter()
                loaded.predictor.predict(zeros)
                taken.append(perf_counter() - begun)
            found.append(min(taken))
        return max(found)

    def _stamp_now(self) -> Stamp:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return -1, -1
        return found.st_mtime_ns, found.st_ino
