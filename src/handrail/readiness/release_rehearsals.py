"""Rehearses, in a copy of what is live, a canary and a rollback."""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np

from handrail.arrays import Floats
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext
from handrail.readiness.workspaces import copy_of_live, live_records, twin
from handrail.registry.canary import end_canary, start_canary
from handrail.registry.live import load_live, make_live, read_live, roll_back
from handrail.registry.versions import load_version
from handrail.serving.inference import LiveModel, start_model

SERVING = "handrail.serving.inference"
RECORDS = 1000
SHARE = 0.2
FURTHEST = 5  # standard errors that the canary's share may be off by chance


def canaried(context: ReadinessContext) -> str:
    """Let a copy of the live version answer a share of real records, break it, withdraw it."""
    records = live_records(context, RECORDS)
    with copy_of_live(context) as there:
        before = _answers(there, records)
        tried = twin(there, load_live(there)[0])
        start_canary(there, tried.name, SHARE)
        model = LiveModel(there)
        answers = [model.answer([record]) for record in records]
        share = sum(answer.version == tried.name for answer in answers) / len(records)
        if abs(share - SHARE) > FURTHEST * _error_of_share(records, there.project.subject):
            raise ProjectError(f"{SERVING}: the canary answered {share:.1%}, asked for were {SHARE:.0%}")
        if [float(answer.prediction[0]) for answer in answers] != before.tolist():
            raise ProjectError(f"{SERVING}: a canary that is a copy of the live version answers otherwise")
        (tried.path / "model.onnx").write_bytes(b"")
        _refuse_its_answers(there, records, tried.name)
        end_canary(there, "rehearsed")
        if read_live(there) is None or LiveModel(there).canary:
            raise ProjectError("handrail.registry.canary: the canary was not withdrawn")
    return (
        f"a copy answered {share:.1%} of {len(records):,} records, asked for were {SHARE:.0%}; with its file "
        "broken it answered none; it was withdrawn"
    )


def rolled_back(context: ReadinessContext) -> str:
    """Promote another version in a copy and roll back; what answers has to be as before."""
    records, live = live_records(context, RECORDS), read_live(context.settings)
    earlier = live.versions[-2] if live and len(live.versions) > 1 else None
    with copy_of_live(context) as there:
        if earlier and live:
            start_model(load_version(there, earlier, live.checksums[-2]))
        before = _answers(there, records)
        make_live(there, twin(there, load_live(there)[0]).name)
        model = LiveModel(there)
        begun = time.perf_counter()
        name = roll_back(there, start_model)
        after = np.concatenate([model.answer([record]).prediction for record in records])
        seconds = time.perf_counter() - begun
    if name != context.version.name or after.tobytes() != before.tobytes():
        raise ProjectError("handrail.registry.live: after a rollback the answers are not those of before")
    kept = f"; {earlier}, live before, still runs" if earlier else "; nothing was live before it"
    return f"{len(records):,} answers in {seconds:.1f} s as before a promotion, to the last bit{kept}"


def _error_of_share(records: Sequence[Mapping[str, Any]], subject: str | None) -> float:
    """Return the standard error of the share that a canary answers: of a subject all or nothing."""
    if subject is None:
        together: Iterable[int] = [1] * len(records)
    else:
        together = Counter(record[subject] for record in records).values()
    return sqrt(SHARE * (1 - SHARE) * sum(count**2 for count in together)) / len(records)


def _answers(settings: Settings, records: list) -> Floats:
    """Return what is answered to each record by itself."""
    model = LiveModel(settings)
    return np.concatenate([model.answer([record]).prediction for record in records])


def _refuse_its_answers(settings: Settings, records: list, name: str) -> None:
    """Raise ProjectError where a canary whose files were changed answers."""
    logging.disable(logging.ERROR)  # that it is broken is logged, and known here
    try:
        model = LiveModel(settings)
        answered = any(model.answer([record]).version == name for record in records)
    except ProjectError as error:
        raise ProjectError(f"{SERVING}: a broken canary stops all answers: {error}") from None
    finally:
        logging.disable(logging.NOTSET)
    if answered:
        raise ProjectError(f"{SERVING}: a canary whose files were changed answers")
