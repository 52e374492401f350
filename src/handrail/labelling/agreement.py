"""Measures how far the annotators agree, and whether that is enough for their labels to be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from handrail.labelling.adjudication import FILE as ADJUDICATION
from handrail.labelling.aggregation import first_answers
from handrail.labelling.answers import Answer
from handrail.labelling.task import Task

RESAMPLES = 500
RELIABLE, TENTATIVE = 0.8, 0.667  # Krippendorff, Content Analysis (2004), p. 241


@dataclass(frozen=True)
class Agreement:
    """Krippendorff's alpha (1 = all agree, 0 = as by chance), with its 95% interval over the items."""

    alpha: float
    low: float
    high: float

    @property
    def meaning(self) -> str:
        """The figure in plain words; the cautious end of the interval decides."""
        if self.low >= RELIABLE:
            return "the annotators see the same thing: the labels can be relied on"
        if self.low >= TENTATIVE:
            return "they mostly see the same thing: good enough for a first look, not to decide by"
        return "they see different things: make the choices and the instructions clearer, and ask again"

    def __str__(self) -> str:
        return f"{self.alpha:.3f} ({self.low:.3f} to {self.high:.3f})"


def agreement(answers: Sequence[Answer]) -> Agreement | None:
    """Return how far the first answers on each item agree; None where that can't be told.

    Missing answers are no disagreement: an item counts with the answers that it has, if there are two.
    It can't be told where all answers are the same, or none share an item: nothing tells it from chance.
    """
    shared = [given for _, given in sorted(first_answers(answers).items()) if len(given) > 1]
    alpha = _alpha(shared)
    if alpha is None:
        return None
    rng = np.random.default_rng(0)
    draws = (rng.integers(0, len(shared), len(shared)) for _ in range(RESAMPLES))
    drawn = [found for draw in draws if (found := _alpha([shared[n] for n in draw])) is not None]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Agreement(alpha, float(low), float(high))


def is_agreed(task: Task, found: Agreement | None) -> bool:
    """Return whether the agreement is enough: the cautious end of its interval decides."""
    return found is not None and found.low >= task.minimum_agreement


def refusal(task: Task, found: Agreement | None, undecided: Mapping[str, object]) -> str | None:
    """Return why labels are not joined: people agree too little, and not all that is disputed is decided."""
    if found is None:
        return (
            "agreement: it can't be told: no two answers on one item, or all the same; labels are not "
            "joined; ask more people, and about items of more than one kind"
        )
    if is_agreed(task, found) or not undecided:
        return None
    who = task.adjudicator or "an adjudicator, named in labelling.yaml,"
    return (
        f"agreement: {found} is not clearly {task.minimum_agreement:g} or more: labels are not joined; make "
        f"the instructions clearer and ask again, or let {who} decide on the {len(undecided)} disputed items "
        f"in {ADJUDICATION}"
    )


def _alpha(items: Sequence[Mapping[str, str]]) -> float | None:
    """Return Krippendorff's alpha of items with two answers or more each; None if all answers are equal."""
    from nltk.metrics.agreement import AnnotationTask  # takes seconds, and not every project has it

    if len({answer for given in items for answer in given.values()}) < 2:
        return None
    triples = [(name, n, answer) for n, given in enumerate(items) for name, answer in given.items()]
    return float(AnnotationTask(triples).alpha())
