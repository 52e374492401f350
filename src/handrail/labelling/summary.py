"""What is said of the answers and the labels, line by line."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handrail.labelling.adjudication import FILE
from handrail.labelling.aggregation import annotators, disputed
from handrail.labelling.answers import Answer
from handrail.labelling.outcome import Outcome
from handrail.labelling.task import Task
from handrail.number_format import figure

ANNOTATORS = ("annotator", "answers", "like others", "like themselves")
DISPUTED = ("disputed", "answers")


def annotator_rows(answers: Sequence[Answer]) -> list[tuple[str, ...]]:
    """Return a row for each annotator: answers, and the shares like others' and like their own."""
    return [
        (each.name, f"{each.answers:,}", figure(each.like_others), figure(each.like_themselves))
        for each in annotators(answers)
    ]


def disputed_rows(answers: Sequence[Answer]) -> list[tuple[str, str]]:
    """Return a row for each item on which not all agree, as `2 narrow-body, 1 wide-body`."""
    return [(item, _votes(given)) for item, given in disputed(answers).items()]


def agreement_lines(task: Task, found: Outcome) -> Iterator[str]:
    """Yield what was left open, how far people agree and what that means."""
    for name, count in found.received.unanswered.items():
        yield f"{name}: {count} without an answer"
    if found.agreement:
        yield f"agreement (Krippendorff's alpha) {found.agreement}, minimum {task.minimum_agreement:g}"
        yield found.agreement.meaning


def label_lines(task: Task, found: Outcome) -> Iterator[str]:
    """Yield how many labels there are, by what they came, and why some are missing."""
    by = Counter(label.by for label in found.labelled)
    yield ": ".join(
        filter(
            None,
            (
                f"labels: {len(found.labelled):,} of {len(found.asked):,} items",
                ", ".join(f"{count:,} by {who}" for who, count in by.most_common()),
            ),
        )
    )
    if found.undecided:
        who = task.adjudicator or "an adjudicator, named in labelling.yaml,"
        yield f"undecided: {', '.join(sorted(found.undecided))}; {who} writes the decision into {FILE}"
    waiting = len(found.asked) - len(found.labelled) - len(found.asked & found.undecided.keys())
    if waiting:
        yield f"{waiting:,} items wait for the answers of {task.annotators_per_item} people"


def cells(row: Mapping[str, Any]) -> list[str]:
    """Return the values of a row as they stand in tables."""
    return [_cell(value) for value in row.values()]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return figure(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _votes(given: Mapping[str, str]) -> str:
    votes = Counter(sorted(given.values())).most_common()
    return ", ".join(f"{count} {answer}" for answer, count in votes)
