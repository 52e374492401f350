"""The live model in memory, and the fallback that answers when it can't."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..contract import CONTRACT
from ..errors import ProjectError
from ..model.features import Floats
from ..model.predictor import Predictor
from ..model.registry import Mode, live_path, load_live
from ..model.versions import Version
from ..settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """One prediction per record, the baseline's beside it, and who answered."""

    version: str
    source: Mode
    prediction: Floats
    baseline: Floats
    threshold: float


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

    def answer(self, records: Sequence[Mapping[str, Any]]) -> Answer:
        """Predict for `records`, which keep the contract; the fallback answers where the model fails."""
        version = self.follow().version
        baseline = version.baseline.predict([record[version.baseline.column] for record in records])
        prediction = self._try_model(records) if self._mode == "model" else None
        if prediction is None:
            return Answer(version.name, "fallback", baseline, baseline, version.threshold)
        return Answer(version.name, "model", prediction, baseline, version.threshold)

    def _try_model(self, records: Sequence[Mapping[str, Any]]) -> Floats | None:
        try:
            prediction = self._predictor.predict(self._version.encoding.matrix(records))
        except Exception:  # whatever went wrong in the model, an answer is owed
            log.exception("%s failed; the fallback answers", self._version.name)
            return None
        return prediction if np.isfinite(prediction).all() else None

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
        predictor = Predictor(version.model)
        _warm_up(version, predictor)
        self._version, self._predictor, self._mode, self._stamp = version, predictor, live.mode, stamp

    def _stamp_now(self) -> int:
        try:
            return live_path(self._settings).stat().st_mtime_ns
        except FileNotFoundError:
            return -1


def _warm_up(version: Version, predictor: Predictor) -> None:
    """Answer once before anybody asks; raises ProjectError where the model doesn't fit the contract."""
    unknown = set(version.encoding.features) - set(CONTRACT.model_fields)
    if unknown:
        raise ProjectError(
            f"{version.name}: learnt from {', '.join(sorted(unknown))}, no longer in contract.py"
        )
    predictor.predict(np.zeros((1, len(version.encoding.features)), dtype=np.float32))
