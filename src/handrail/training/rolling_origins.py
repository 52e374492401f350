"""Learning up to one day after another, and meeting each time what followed: more than one period can tell.

Tashman, Out-of-sample tests of forecasting accuracy, International Journal of Forecasting (2000). Tuning
scores each trial so, and the training of a forecast tells what came out from each origin.
"""

from collections.abc import Iterator

import numpy as np

from handrail.errors import ProjectError
from handrail.training.dataset import Dataset

CUTS = (0.5, 0.75)  # learn from what is before a cut, score on what follows until the next


def expanding_folds(training: Dataset, *, by_chance: bool = False) -> Iterator[tuple[Dataset, Dataset]]:
    """Yield rows to learn from and the later rows to score on; rows of the same time stay together.

    What is learnt from was known when the later rows begin, and later forecasts are made from then on. With
    `by_chance` rows are in the order in which they were drawn, and those of one subject stay together.
    Raises ProjectError where a part has no two different outcomes.
    """
    count = len(training)
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
        if any(len(np.unique(part.target)) < 2 for part in parts):
            unknown = len(earlier) - len(known)
            late = f" ({unknown:,} more had no known outcome when those began)" if unknown else ""
            raise ProjectError(
                f"training period: {len(known):,} rows to learn from{late} and {len(later):,} later ones to "
                "score on: each part needs two different outcomes; let the training period have more; see "
                "split in project.yaml"
            )
        yield parts


def _first_of(values: np.ndarray | None, place: int) -> int:
    """Return the place of the first of the rows around `place` that have one value, or `place` itself."""
    while values is not None and place and values[place] == values[place - 1]:
        place -= 1
    return place
