"""The page for those who built the model: every figure, every picture."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handrail.config.sections import Words
from handrail.config.settings import Settings
from handrail.contract.schema import Role, of_role
from handrail.reports.importance import Importance, importances
from handrail.reports.pictures import Mark, Picture, interval_picture, limits
from handrail.reports.wording import interval, labelled, loss, not_worth_it, number, spaced
from handrail.tasks.metric import Metric, Metrics, of_baseline
from handrail.training.evaluation import Figures, compare, moments
from handrail.training.run import Training
from handrail.training.splits import told_by

MOST_FEATURES = MOST_VALUES = 24
COVERAGE = "coverage"  # the metric of ranges


@dataclass(frozen=True)
class Choices:
    """What can be chosen, as a table (first column: the choice) and pictures; `picked` is a row's place."""

    title: str
    text: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    picked: int
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Story:
    """What the page says in the terms of its problem.

    legend: what its words mean · tiles: figures with what they are · opening: what the model does ·
    decided: what was decided on the validation rows · methods: where they come from.
    """

    legend: str
    tiles: tuple[tuple[str, str], ...]
    opening: str
    sentences: tuple[str, ...]
    pictures: tuple[Picture, ...]
    choices: Choices
    decided: str
    methods: str


def research(settings: Settings, training: Training) -> dict[str, Any]:
    """Return what the page shows."""
    project, metric = settings.project, settings.project.metrics[settings.accuracy.metric]
    names, evaluation = training.info["encoding"]["features"], training.info["evaluation"]
    decision, predict = evaluation["decision"], training.predictor.predict
    found = importances(names, predict, training.test, project.metrics, metric, decision)
    columns = {column.name: column for column in of_role(project.contract, Role.FEATURE)}
    story = project.task.story(settings, training, settings.section(Words).rows, _which(training))
    dear = not_worth_it(settings, evaluation)
    return {
        "info": training.info,
        "evaluation": evaluation,
        "kinds": " and by ".join([*moments(training.test), *(["slice"] if training.test.slices else [])]),
        "told_ranges": tells_ranges(training),
        "story": replace(story, sentences=(*story.sentences, *filter(None, (dear,)))),
        "metrics": {name: (labelled(settings, each), each.meaning) for name, each in project.metrics.items()},
        "metric": metric,
        "parts": _parts(settings, training),
        "importance": importance_picture(found, metric),
        "features": [(each, columns.get(each.feature)) for each in found],
    }


def usual_figures(settings: Settings, training: Training) -> tuple[Figures, Figures]:
    """Return the task's own metrics of model and baseline, whatever the project measures in their place."""
    evaluation, task, test = training.info["evaluation"], settings.project.task, training.test
    if {metric.name for metric in task.metrics} <= set(evaluation["model"]):
        return evaluation["model"], evaluation["baseline"]
    own = Metrics(task, task.metrics)
    decision, both = evaluation["decision"], (training.prediction, training.baseline)
    return compare(own, test.target, *both, decision, test.groups, of_baseline(decision))[:2]


def importance_picture(found: Sequence[Importance], metric: Metric) -> Picture:
    """Return the most important features."""
    marks = [Mark(each.feature, each.value, each.low, each.high) for each in found[:MOST_FEATURES]]
    said = "; ".join(f"{mark.label} {loss(mark.value)}" for mark in marks)
    label = f"{metric.shown} gets worse by"
    return Picture(
        "What each feature is worth to the model",
        interval_picture(marks, 0.0, limits(marks, 0.0), label, f"{label}: {said}."),
        "One feature at a time is shuffled among the rows; bars are 95% intervals. Features that say the "
        "same share their worth: one may look useless because the other is there.",
    )


def _parts(settings: Settings, training: Training) -> list[Picture]:
    """Return a picture of the months and of each slice, on one scale, where there is something to show."""
    metrics, evaluation = settings.project.metrics, training.info["evaluation"]
    metric = metrics[settings.accuracy.metric]
    parts = evaluation["parts"]
    marks = {part: part_marks(metrics, metric, training, part) for part in parts}
    overall = evaluation["model"][metric.name]["value"]
    ends = limits([mark for found in marks.values() for mark in found], overall)
    label = labelled(settings, metric)
    pictures = [
        Picture(
            f"By {spaced(part)}",
            interval_picture(found, overall, ends, label, _described(metric, part, found)),
            _left_out(len(parts[part]), len(found), in_order=part not in training.test.slices),
        )
        for part, found in marks.items()
        if found
    ]
    return pictures + ([_ranges_by_step(metrics, training)] if tells_ranges(training) else [])


def tells_ranges(training: Training) -> bool:
    """Return whether it is told step by step how many outcomes lie in their ranges."""
    evaluation = training.info["evaluation"]
    known = COVERAGE in evaluation["model"] and "range" in evaluation["decision"]
    return known and bool(evaluation["parts"].get("step"))


def _ranges_by_step(metrics: Metrics, training: Training) -> Picture:
    metric, evaluation = metrics[COVERAGE], training.info["evaluation"]
    marks, meant = part_marks(metrics, metric, training, "step"), evaluation["decision"]["range_level"]
    said = _described(metric, "step", marks)
    return Picture(
        "Outcomes in their ranges, by step",
        interval_picture(marks, meant, limits(marks, meant), "share of outcomes", said),
        f"Dotted is what was meant, {100 * meant:.3g} of 100: ranges reach equally far for every step.",
    )


def _left_out(there: int, shown: int, *, in_order: bool) -> str:
    """Say which parts are shown, where there are too many for all."""
    if there <= MOST_VALUES:
        return ""
    if in_order:
        return f"Of {there}, the last {shown}."
    return f"Of {there}, the {MOST_VALUES // 2} with the most rows, and the weakest of the others."


def part_marks(metrics: Metrics, metric: Metric, training: Training, part: str) -> list[Mark]:
    """Return the latest months or steps in their order, or slices; none that is NaN.

    Of many slices, half of those shown have the most rows, the other half are the weakest of the others.
    Amounts stand in their own order, names in that of their figures, the best first.
    """
    test, evaluation = training.test, training.info["evaluation"]
    measured: Mapping[str, Any] = evaluation["parts"][part]
    in_order = part not in test.slices
    column = moments(test)[part].astype(str) if in_order else test.slices[part]
    names = sorted(measured, key=lambda name: (len(name), name) if in_order else measured[name]["rows"])
    if not in_order and len(names) > MOST_VALUES:
        others, largest = names[: -MOST_VALUES // 2], names[-MOST_VALUES // 2 :]
        told = [name for name in others if math.isfinite(measured[name][metric.name]["value"])]
        told.sort(key=lambda name: metric.sign * measured[name][metric.name]["value"])  # the weakest first
        names = told[: MOST_VALUES // 2] + largest
    marks = {}
    for name in names[-MOST_VALUES:]:
        figures, rows = measured[name][metric.name], column == name
        outcomes = metrics.outcomes(test.target[rows], training.baseline[rows])
        simple = metric.value(outcomes.weighted(), of_baseline(evaluation["decision"]))
        label = f"{name}  ({measured[name]['rows']:,})"
        marks[name] = Mark(label, figures["value"], figures["low"], figures["high"], simple)

    def place(name: str) -> tuple[int, float]:
        return (int(name) if name.isdecimal() else 0), -metric.sign * marks[name].value

    shown = [name for name in marks if math.isfinite(marks[name].value)]
    return [marks[name] for name in (shown if in_order else sorted(shown, key=place))]


def _described(metric: Metric, part: str, marks: Sequence[Mark]) -> str:
    said = "; ".join(
        f"{mark.label} {number(mark.value)}, interval {interval({'low': mark.low, 'high': mark.high})}"
        for mark in marks
    )
    return f"{metric.shown} by {spaced(part)}, with numbers of rows: {said}."


def _which(training: Training) -> str:
    """Return which rows were tested, behind their number: their months, or that chance has drawn them."""
    months, split = training.test.months, training.info["split"]
    if months is None or "by" in split:
        return f"{told_by(split, training.period)}, none of which it has learnt from"
    first, *_, last = np.unique(months)[[0, -1]].tolist()
    when = first if first == last else f"{first} to {last}"
    return f"of {when}, all later than those it has learnt from"
