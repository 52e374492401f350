"""What the report consists of: pictures, a table, sentences; and the pictures that every report has."""

from collections.abc import Sequence
from dataclasses import dataclass

from handrail.reports.importance import Importance
from handrail.reports.intervals import Mark, Range, interval_picture, limits
from handrail.reports.wording import number, title

MOST_FEATURES = 24


@dataclass(frozen=True)
class Picture:
    """A picture as SVG text, its title, and what to read from it."""

    title: str
    svg: str
    caption: str = ""


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
    """What a report says in the terms of its problem.

    legend: what its words mean · tiles: figures with what they are · opening: what the model does.
    """

    legend: str
    tiles: tuple[tuple[str, str], ...]
    opening: str
    sentences: tuple[str, ...]
    pictures: tuple[Picture, ...]
    choices: Choices
    methods: str


def importance_of(found: Sequence[Importance], metric: str) -> Picture:
    """Return the most important features."""
    marks = [Mark(each.feature, each.value, each.low, each.high) for each in found[:MOST_FEATURES]]
    said = "; ".join(f"{mark.label} {number(mark.value, '.4f')}" for mark in marks)
    label = f"{title(metric)} gets worse by"
    return Picture(
        "What each feature is worth to the model",
        interval_picture(marks, 0.0, limits(marks, 0.0), label, f"{label}: {said}."),
        "One feature at a time is shuffled among the rows; bars are 95% intervals. Features that say the "
        "same share their worth: one may look useless because the other is there.",
    )


def part(name: str, marks: Sequence[Mark], overall: float, ends: Range, metric: str) -> Picture:
    """Return the months or one column's slices beside the model on all rows."""
    said = "; ".join(
        f"{mark.label} {number(mark.value)}, interval {number(mark.low)} to {number(mark.high)}"
        for mark in marks
    )
    description = f"{title(metric)} by {title(name)}, with numbers of rows: {said}."
    return Picture(f"By {title(name)}", interval_picture(marks, overall, ends, title(metric), description))
