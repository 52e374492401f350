"""Learning up to one day after another, and meeting each time what followed: more than one period can tell.

Tashman, Out-of-sample tests of forecasting accuracy, International Journal of Forecasting (2000). Tuning
scores each trial so, and the training of a forecast tells what came out from each origin.
"""

import logging
from collections.abc import Iterator

import numpy as np

from handrail.errors import ProjectError
from handrail.training.dataset import Dataset

CUTS = (0.5, 0.75)  # learn from what is before a cut, score on what follows until the next
NEEDS = (
    "each part needs two different outcomes and a value of each feature; let the training period have more; "
    "see split in project.yaml"
)
SMALLEST = 0.05  # of all rows, to learn from
log = logging.getLogger(__name__)


def expanding_folds(training: Dataset, *, by_chance: bool = False) -> Iterator[tuple[Dataset, Dataset]]:
    """Yield rows to learn from and the later rows to score on; rows of the same time stay together.

    What is learnt from was known when the later rows begin, and later forecasts are made from then on. With
    `by_chance` rows are in the order in which they were drawn, and those of one subject stay together.
    Where outcomes come late, little may have been known by then: a part of fewer than SMALLEST of the rows,
    or in which a feature has no value, is left out. Raises ProjectError where no part is left, or one has no
    two different outcomes.
    """
    count, small = len(training), []
    together = training.subjects if by_chance else training.times
    places = [_first_of(together, int(count * cut)) for cut in CUTS]
    for place, end in zip(places, [*places[1:], count], strict=True):
        earlier, later = training.rows(slice(0, place)), training.rows(slice(place, end))
        known = earlier
        if not by_chance and training.times is not None:
            begins = training.times[place]
            known = earlier.known_on(begins)
            later = later if later.origins is None else later.rows(later.origins >= begins)
        parts = known, later
        if len(known) < len(earlier) and not _enough(known, training):
            small.append((known, earlier, later))
            continue
        if any(len(np.unique(part.target)) < 2 for part in parts):
            raise ProjectError(f"training period: {_told(known, earlier, later)}: {NEEDS}")
        yield parts
    if len(small) == len(places):
        raise ProjectError(f"training period: {_told(*small[-1])}: {NEEDS}")
    for each in small:
        log.warning("training period: a part of it is too small to be scored by: %s", _told(*each))


def _enough(known: Dataset, training: Dataset) -> bool:
    """Return whether a model can learn from what is known: rows enough, and a value of each feature."""
    values = ~np.isnan(known.features)
    return len(known) >= SMALLEST * len(training) and bool(values.any(axis=0).all())


def _told(known: Dataset, earlier: Dataset, later: Dataset) -> str:
    """Say how many rows a part has to learn from and to be scored on, and what late outcomes leave out."""
    unknown = len(earlier) - len(known)
    late = f" ({unknown:,} more had no known outcome when those began)" if unknown else ""
    return f"{len(known):,} rows to learn from{late} and {len(later):,} later ones to score on"


def _first_of(values: np.ndarray | None, place: int) -> int:
    """Return the place of the first of the rows around `place` that have one value, or `place` itself."""
    while values is not None and place and values[place] == values[place - 1]:
        place -= 1
    return place
