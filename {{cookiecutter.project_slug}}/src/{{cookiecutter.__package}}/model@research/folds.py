"""Splits the rows that the model learns from once more by time, so that trials need no later ones."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..errors import ProjectError
from .features import Dataset

CUTS = (0.5, 0.75)  # learn from what is before a cut, score on what follows until the next


def expanding_folds(learning: Dataset) -> Iterator[tuple[Dataset, Dataset]]:
    """Yield rows to learn from and the later rows to score on; rows of the same time stay together.

    Raises ProjectError where a part has no two different outcomes.
    """
    count = len(learning)
    places = [int(np.searchsorted(learning.times, learning.times[int(count * cut)])) for cut in CUTS]
    for place, end in zip(places, [*places[1:], count], strict=True):
        parts = _part(learning, slice(0, place)), _part(learning, slice(place, end))
        if any(len(np.unique(part.target)) < 2 for part in parts):
            raise ProjectError(
                f"training period: {place} rows to learn from and {end - place} later ones to score on, with "
                "one outcome only; tuning needs more; see split in project.yaml"
            )
        yield parts


def _part(data: Dataset, rows: slice) -> Dataset:
    """Return some of the rows; nothing is copied."""
    return replace(
        data,
        features=data.features[rows],
        target=data.target[rows],
        times=data.times[rows],
        slices={name: values[rows] for name, values in data.slices.items()},
        baseline_by=data.baseline_by[rows],
    )
