"""The live model in memory, and the fallback that answers when it can't."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..contract import CONTRACT
from ..errors import ProjectError
from ..model.features import Floats
from ..model.metrics import Decision
from ..model.predictor import Predictor
from ..model.registry import Mode, live_path, load_live
from ..model.versions import Version
from ..schema import request_model
from ..settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """One prediction per record, the baseline's beside it, and who answered."""

    version: str
    source: Mode
    prediction: Floats
    baseline: Floats
    decision: Decision


class LiveModel:
    """The version that is live now; a promotion or a rollback is noticed without a restart.

    Raises ProjectError where nothing is live, or the files are not those that were promoted.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stamp = -1
        self._load(self._stamp_now())

    @property
    def version(self) -> Version:
        """The version in memory."""
        return self._version

    @property
    def mode(self) -> Mode:
        """Whether the model or the fallback answers."""
        return self._mode

    @property
    def stage(self) -> str:
        """Whether only a trial is served, or everybody."""
        return self._stage

    def answer(self, records: Sequence[Mapping[str, Any]]) -> Answer:
        """Predict for `records`, which keep the contract; the fallback answers where the model fails."""
        version = self.follow().version
        baseline = version.baseline.predict([record[version.baseline.column] for record in records])
        prediction = None
        if self._mode == "model":
            prediction = try_model(version, self._predictor, version.encoding.matrix(records))
        if prediction is None:
            return Answer(version.name, "fallback", baseline, baseline, version.decision)
        return Answer(version.name, "model", prediction, baseline, version.decision)

    def follow(self) -> "LiveModel":
        """Load what is live now, if that has changed; a version that can't be loaded replaces no good one."""
        stamp = self._stamp_now()
        if stamp != self._stamp:
            try:
                self._load(stamp)
            except ProjectError as error:
                self._stamp = stamp
                log.error("%s; %s stays in service", error, self._version.name)
        return self

    def _load(self, stamp: int) -> None:
        version, live = load_live(self._settings)
        predictor = start_model(version)
        self._version, self._predictor, self._mode, self._stamp = version, predictor, live.mode, stamp
        self._stage = live.stage

    def _stamp_now(self) -> int:
        try:
            return live_path(self._settings).stat().st_mtime_ns
        except FileNotFoundError:
            return -1


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
    unknown = set(version.encoding.features) - set(request_model(CONTRACT).model_fields)
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
