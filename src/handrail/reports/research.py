"""The page for those who built the model: every figure, every picture."""

from typing import Any

import numpy as np
from TWIN_model_metrics import EXPLAINED
from TWIN_report_story import tell

from handrail.config.sections import Words
from handrail.config.settings import Settings
from handrail.contract.schema import Role, of_role
from handrail.reports import gallery
from handrail.reports.importance import importances
from handrail.reports.intervals import limits, part_marks
from handrail.training.run import Training


def research(settings: Settings, training: Training) -> dict[str, Any]:
    """Return what the page shows."""
    return {
        "info": training.info,
        "evaluation": training.info["evaluation"],
        "story": tell(settings, training, settings.section(Words).rows, _period(training)),
        "explained": EXPLAINED,
        "parts": _parts(settings, training),
        **_importance(settings, training),
    }


def _parts(settings: Settings, training: Training) -> list[gallery.Picture]:
    """Return a picture of the months and of each slice, on one scale, where there is something to show."""
    evaluation, metric = training.info["evaluation"], settings.accuracy.metric
    marks = {part: part_marks(training, metric, part) for part in evaluation["parts"]}
    overall = evaluation["model"][metric]["value"]
    ends = limits([mark for found in marks.values() for mark in found], overall)
    return [gallery.part(part, found, overall, ends, metric) for part, found in marks.items() if found]


def _importance(settings: Settings, training: Training) -> dict[str, Any]:
    metric, names = settings.accuracy.metric, training.info["encoding"]["features"]
    decision, predict = training.info["evaluation"]["decision"], training.predictor.predict
    found = importances(names, predict, training.test, metric, decision)
    columns = {column.name: column for column in of_role(settings.project.contract, Role.FEATURE)}
    return {
        "importance": gallery.importance_of(found, metric),
        "features": [(each, columns.get(each.feature)) for each in found],
    }


def _period(training: Training) -> str:
    months = np.unique(training.test.months)
    return str(months[0]) if len(months) == 1 else f"{months[0]} to {months[-1]}"
