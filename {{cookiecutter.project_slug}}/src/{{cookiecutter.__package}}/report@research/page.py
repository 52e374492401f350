"""The research report: one HTML file that needs nothing else, for the company and for those who choose."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined

from ..contract import CONTRACT, TABLE
from ..files import write_whole
from ..model.metrics import EXPLAINED
from ..model.train import Training
from ..schema import Role, of_role
from ..settings import Settings
from . import gallery, summary
from .importance import importances
from .intervals import limits, part_marks
from .story import tell


def write_report(settings: Settings, training: Training) -> Path:
    """Write reports/research.html, whole or not at all, and return its path."""
    path = settings.workspace / "reports" / "research.html"
    write_whole(path, render(settings, training))
    return path


def render(settings: Settings, training: Training) -> str:
    """Return the page; the same model, rows and settings give the same text."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "title": summary.title,
        "number": summary.number,
        "interval": summary.interval,
    }
    source = files(__package__ or "").joinpath("page.html").read_text(encoding="utf-8")
    facts = {"settings": settings, "info": training.info, "evaluation": training.info["evaluation"]}
    return environment.from_string(source).render(
        **facts,
        version=training.version,
        story=tell(settings, training, noun(), _period(training)),
        explained=EXPLAINED,
        parts=_parts(settings, training),
        **_importance(settings, training),
    )


def noun() -> str:
    """Return what the rows are, in the plural, as the contract calls its table."""
    return TABLE.replace("_", " ")


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
    columns = {column.name: column for column in of_role(CONTRACT, Role.FEATURE)}
    return {
        "importance": gallery.importance_of(found, metric),
        "features": [(each, columns.get(each.feature)) for each in found],
    }


def _period(training: Training) -> str:
    months = np.unique(training.test.months)
    return str(months[0]) if len(months) == 1 else f"{months[0]} to {months[-1]}"
