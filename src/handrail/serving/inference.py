"""What a version answers, and the baseline in its place where it can't."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Floats
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.predictor import Predictor
from handrail.registry.canary import is_chosen, load_canary
from handrail.registry.live import Canary, Live, Mode, live_path, load_live
from handrail.registry.versions import Version
from handrail.tasks.metric import Decision
from handrail.tasks.task import told_beside

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Inference:
    """One prediction per record, the baseline's beside it, and who answered.

    decision: how the predictions are acted on, by the model's range or the baseline's · told: what is told
    beside each, by name: `flagged`, or `planned` and, where the version knows a range, `low` and `high`
    """

    version: str
    source: Mode
    prediction: Floats
    baseline: Floats
    decision: Decision
    told: Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Loaded:
    """A version that has answered once."""

    version: Version
    predictor: Predictor


def infer(loaded: Loaded, records: Sequence[Mapping[str, Any]], mode: Mode) -> Inference:
    """Predict for `records`; the baseline answers where `mode` says so, or where the model fails."""
    version = loaded.version
    baseline = version.baseline.predict([record[version.baseline.column] for record in records])
    prediction = None
    if mode == "model":
        prediction = try_model(version, loaded.predictor, version.encoding.matrix(records))
    by: Mode = "fallback" if prediction is None else "model"
    answered = baseline if prediction is None else prediction
    decision = version.decision_of(by)
    told = told_beside(version.project.task, answered, decision)
    return Inference(version.name, by, answered, baseline, decision, told)


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
        if np.isfinite(prediction).all():
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


def _unit_of(settings: Settings, record: Mapping[str, Any]) -> object:
    """Return what a canary is chosen by: the subject, or else the key; of rows without either, the record."""
    unit = settings.project.unit
    return record[unit] if unit in record else sorted(record.items())


class LiveModel:
    """The version that is live now; a promotion or a rollback is noticed without a restart.

    Raises ProjectError where nothing is live, or the files are not those that were promoted.
    """

    def __init__(self, settings: Settings, patience: float = 0.0) -> None:
        self._settings, self._patience = settings, patience
        self._stamp, self._path = -1, live_path(settings)
        self._next_look = monotonic() + patience
        self._load(self._stamp_now())

    @property
    def version(self) -> Version:
        """The version in memory."""
        return self._loaded.version

    @property
    def mode(self) -> Mode:
        """Whether the model or the fallback answers."""
        return self._live.mode

    @property
    def stage(self) -> str:
        """Whether only a trial is served, or everybody."""
        return self._live.stage

    @property
    def canary(self) -> Canary | None:
        """The version that answers a share beside it, if one can."""
        return self._live.canary if self._canary else None

    def answer(self, records: Sequence[Mapping[str, Any]]) -> Inference:
        """Predict for `records`, which keep the contract; the fallback answers where the model fails.

        The first record's subject, or else its key, or all that it says, decides whether the canary answers;
        where it fails, the live version does.
        """
        self.follow()
        canary = self._live.canary
        if self._canary and canary and is_chosen(_unit_of(self._settings, records[0]), canary.share):
            answer = infer(self._canary, records, "model")
            if answer.source == "model":
                return answer
        return infer(self._loaded, records, self.mode)

    def follow(self) -> "LiveModel":
        """Load what is live now, if that has changed; a version that can't be loaded replaces no good one.

        Whether it has is looked at once in `patience` seconds.
        """
        if self._patience:
            now = monotonic()
            if now < self._next_look:
                return self
            self._next_look = now + self._patience
        stamp = self._stamp_now()
        if stamp != self._stamp:
            try:
                self._load(stamp)
            except ProjectError as error:
                self._stamp = stamp
                log.error("%s; %s stays in service", error, self.version.name)
        return self

    def _load(self, stamp: int) -> None:
        version, live = load_live(self._settings)
        self._loaded = Loaded(version, start_model(version))
        self._live, self._stamp = live, stamp
        self._canary = start_canary_model(self._settings, live)

    def _stamp_now(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return -1
