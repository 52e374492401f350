"""What a version answers, and the baseline in its place where it can't."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..contract import CONTRACT
from ..errors import ProjectError
from ..model.canary import load_canary
from ..model.features import Floats
from ..model.metrics import Decision
from ..model.predictor import Predictor
from ..model.registry import Live, Mode
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


@dataclass(frozen=True)
class Loaded:
    """A version that has answered once."""

    version: Version
    predictor: Predictor


def answer_by(loaded: Loaded, records: Sequence[Mapping[str, Any]], mode: Mode) -> Answer:
    """Predict for `records`; the baseline answers where `mode` says so, or where the model fails."""
    version = loaded.version
    baseline = version.baseline.predict([record[version.baseline.column] for record in records])
    prediction = None
    if mode == "model":
        prediction = try_model(version, loaded.predictor, version.encoding.matrix(records))
    if prediction is None:
        return Answer(version.name, "fallback", baseline, baseline, version.decision)
    return Answer(version.name, "model", prediction, baseline, version.decision)


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
