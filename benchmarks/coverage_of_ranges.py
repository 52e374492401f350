"""Do ranges cover what they promise? Worlds in which the truth is known, by the engine's own functions.

Each world draws rows to learn a line of, rows to learn the range of, and later ones; in one of them a line is
the wrong model. Shares are means over all worlds and the later rows of each.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rows import Row

from handrail.tasks.amounts.metrics import METRICS
from handrail.tasks.amounts.ranges import ranges
from handrail.tasks.metric import of_baseline

WORLDS = 2000
LEARNT, LATER = 200, 500
DAYS = 20  # rows of one day, where rows go together
LEVELS = (0.8, 0.9, 0.95)
WITHIN = 0.02
EVERYTHING, SMALLEST, LARGEST = slice(None), slice(0, LATER // 5), slice(-LATER // 5, None)
Array = NDArray[np.float64]
Noise = Callable[[np.random.Generator, Array], Array]

(COVERAGE,) = (metric for metric in METRICS if metric.name == "coverage")


class Free:
    """A target without rules."""

    ge = le = None


def of_days(rng: np.random.Generator, x: Array) -> Array:
    """Return errors of which a part is the same for all rows of a day."""
    day = np.repeat(rng.normal(0, 3, -(-len(x) // DAYS)), DAYS)[: len(x)]
    return day + rng.normal(0, 3, len(x))


NOISES: dict[str, Noise] = {
    "errors of a bell curve": lambda rng, x: rng.normal(0, 5, len(x)),
    "skewed errors": lambda rng, x: rng.gamma(0.5, 10, len(x)),
    "heavy tails (Student's t, 1.5)": lambda rng, x: rng.standard_t(1.5, len(x)),
    "errors that grow with the amount": lambda rng, x: rng.normal(0, 1, len(x)) * x / 10,
    "a curve where the model has a line": lambda rng, x: (x - 25) ** 2 / 20 + rng.normal(0, 2, len(x)),
}


def world(
    rng: np.random.Generator, noise: Noise, decided: int, level: float, *, of: slice = EVERYTHING
) -> tuple[float, float]:
    """Return the share of later outcomes in the model's ranges, and in the baseline's.

    `of`: of which of the later rows, in the order of what the model predicts.
    """
    x = rng.uniform(0, 50, LEARNT + decided + LATER)
    target = (0.7 * x + noise(rng, x)).astype(np.float32)
    known, validation, later = np.split(np.arange(len(x)), [LEARNT, LEARNT + decided])
    line = np.polyfit(x[known], target[known], 1)
    prediction = np.polyval(line, x).astype(np.float32)
    simple = np.full(len(x), target[known].mean(), dtype=np.float32)
    decision = ranges(
        target[validation],
        prediction[validation],
        simple[validation],
        level,
        Free(),  # type: ignore[arg-type]
    )
    later = later[np.argsort(prediction[later])][of]
    weight = np.full(len(later), 1 / len(later))
    of_model, of_simple = (
        COVERAGE.value((target[later].astype(float), guessed[later].astype(float), weight), each)
        for guessed, each in ((prediction, decision), (simple, of_baseline(decision)))
    )
    return of_model, of_simple


def covered(noise: Noise, decided: int, level: float, *, of: slice = EVERYTHING, seed: int = 0) -> Array:
    """Return the mean share over all worlds, of the model's ranges and of the baseline's."""
    rng = np.random.default_rng(seed)
    return np.mean([world(rng, noise, decided, level, of=of) for _ in range(WORLDS)], axis=0)


def measure(folder: Path) -> list[Row]:
    """Return a row for each kind of errors, and two for what the method does not promise."""
    rows = [promised(name, noise, decided) for name, noise in NOISES.items() for decided in (50, 1000)]
    return [*rows, *of_each_size(), together(), changed()]


def promised(name: str, noise: Noise, decided: int) -> Row:
    """Hold the method to its promise: within two points, for rows that are like one another."""
    found = {level: covered(noise, decided, level) for level in LEVELS}
    furthest = max(abs(share - level) for level, shares in found.items() for share in shares)
    return Row(
        f"{name}, {decided:,} rows to learn the range of",
        told(found),
        "within 2 points",
        bool(furthest <= WITHIN),
    )


def of_each_size() -> list[Row]:
    """Hold it to the same for the smallest and the largest fifth of the predictions, as errors grow."""
    noise, rows = NOISES["errors that grow with the amount"], []
    for name, of in (("smallest", SMALLEST), ("largest", LARGEST)):
        found = {level: covered(noise, 2000, level, of=of)[0] for level in LEVELS}
        rows.append(
            Row(
                f"errors that grow with the amount, 2,000 rows: the {name} fifth of what is predicted",
                "; ".join(f"{level:.0%}: {share:.1%}" for level, share in found.items()),
                "within 2 points",
                bool(max(abs(share - level) for level, share in found.items()) <= WITHIN),
            )
        )
    return rows


def together() -> Row:
    """Tell how it is where rows of one day go together and few days are known: nothing is promised."""
    found = {level: covered(of_days, 30 * DAYS, level) for level in LEVELS}
    return Row(f"rows of a day go together, 30 days of {DAYS} rows", told(found))


def changed() -> Row:
    """Tell how it is where later errors are half as large again: monitoring has to notice."""

    def noise(rng: np.random.Generator, x: Array) -> Array:
        size = np.where(np.arange(len(x)) < len(x) - LATER, 5, 7.5)
        return rng.normal(0, 1, len(x)) * size

    return Row(
        "later errors are half as large again", told({level: covered(noise, 1000, level) for level in LEVELS})
    )


def told(found: dict[float, Array]) -> str:
    """Return the shares of model and baseline beside each level."""
    return "; ".join(
        f"{level:.0%}: {shares[0]:.1%}, baseline {shares[1]:.1%}" for level, shares in found.items()
    )
