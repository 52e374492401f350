"""Measures how far the annotators agree."""

from collections.abc import Mapping, Sequence

import numpy as np
from nltk.metrics.agreement import AnnotationTask

from handrail.labelling.aggregation import Agreement, first_answers
from handrail.labelling.answers import Answer

RESAMPLES = 500


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


def _alpha(items: Sequence[Mapping[str, str]]) -> float | None:
    """Return Krippendorff's alpha of items with two answers or more each; None if all answers are equal."""
    if len({answer for given in items for answer in given.values()}) < 2:
        return None
    triples = [(name, n, answer) for n, given in enumerate(items) for name, answer in given.items()]
    return float(AnnotationTask(triples).alpha())
