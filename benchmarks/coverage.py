"""How often intervals hold the truth, where it is known: groups of rows are made up again and again.

    python benchmarks/coverage.py [DRAWS]

Each draw makes up some groups (subjects, days) whose rows are alike, measures a figure with its 95% interval
as the engine does, and looks whether the truth lies in it. The truth is that of very many groups. Prints the
table of coverage.md; in the last but one column, a tenth of the draws for intervals of single rows; in the
last, how often the gate lets a useless model pass: one that is exactly as good as what it has to beat.
"""

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from handrail.arrays import Doubles
from handrail.registry.acceptance import clearly_better
from handrail.tasks import Classification, Regression
from handrail.tasks.metric import Decision, Metrics
from handrail.training.intervals import Groups, figures, groups_of, resampled

COUNTS = (10, 15, 20, 30, 60, 200)
MOST_GROUPS = 60_000
ROWS_PER_GROUP = 8
CASES = Metrics(Classification(), Classification().metrics)
AMOUNTS = Metrics(Regression(), Regression().metrics)
DECISION: Decision = {"threshold": 0.5, "margin": 0.0, "tolerable": 1.0}


@dataclass(frozen=True)
class Rows:
    """Made-up rows: their group, what came, and what a better and a worse model say; all (n)."""

    groups: Groups
    target: Doubles
    better: Doubles
    worse: Doubles


def groups_made_up(rng: np.random.Generator, count: int) -> tuple[Groups, Doubles]:
    """Return `count` groups, one to many rows each, and what the rows of each have in common."""
    sizes = 1 + rng.poisson(ROWS_PER_GROUP - 1, count)
    numbers = np.repeat(np.arange(count), sizes)
    return Groups("subject", numbers, count), rng.normal(0, 0.7, count)[numbers]


def cases(rng: np.random.Generator, count: int) -> Rows:
    """Return rows of yes or no."""
    groups, common = groups_made_up(rng, count)
    signal = rng.normal(0, 1, len(common)) + common / 2
    came = rng.random(len(common)) < 1 / (1 + np.exp(0.7 - signal - common))
    noisy = signal + rng.normal(0, 1, len(common))
    return Rows(groups, came.astype(np.float64), *(1 / (1 + np.exp(-each)) for each in (signal, noisy)))


def alike(rng: np.random.Generator, count: int) -> Rows:
    """Return rows of yes or no, and two models that are as good: each has a noise of its own."""
    groups, common = groups_made_up(rng, count)
    signal = rng.normal(0, 1, len(common)) + common / 2
    came = rng.random(len(common)) < 1 / (1 + np.exp(0.7 - signal - common))
    noisy = [signal + rng.normal(0, 1, len(common)) for _ in range(2)]
    return Rows(groups, came.astype(np.float64), *(1 / (1 + np.exp(-each)) for each in noisy))


def amounts(rng: np.random.Generator, count: int) -> Rows:
    """Return rows of amounts with a long tail."""
    groups, common = groups_made_up(rng, count)
    signal = rng.normal(0, 1, len(common))
    came = signal + common + rng.gamma(1.0, 1.0, len(common))
    return Rows(groups, came, signal + 1, signal / 2 + 1)


FIGURES: dict[str, tuple[Callable[[np.random.Generator, int], Rows], Metrics, str, bool]] = {
    "share": (cases, CASES, "observed_share", False),
    "roc_auc": (cases, CASES, "roc_auc", False),
    "difference in roc_auc": (cases, CASES, "roc_auc", True),
    "difference in mae": (amounts, AMOUNTS, "mae", True),
}


def interval_of(rows: Rows, groups: Groups, metrics: Metrics, name: str, both: bool) -> dict[str, float]:
    """Return a figure with its interval as the engine gives it; of `both` models, their difference."""
    task = Classification() if metrics is CASES else Regression()
    only = Metrics(task, [replace(metrics[name], greater_is_better=True)])
    values, drawn = [], []
    for prediction in (rows.better, rows.worse) if both else (rows.better,):
        outcomes = only.outcomes(rows.target, prediction)
        values.append(only.measure_rows(outcomes, DECISION)[name])
        drawn.append(resampled(only, outcomes, groups, DECISION)[name])
    if both:
        return figures(values[0] - values[1], drawn[0] - drawn[1], groups)
    return figures(values[0], drawn[0], groups)


@cache
def truth(figure: str) -> float:
    """Return the figure of very many groups."""
    make, metrics, name, both = FIGURES[figure]
    rows = make(np.random.default_rng(0), MOST_GROUPS)
    each = [metrics.measure(rows.target, one, DECISION)[name] for one in (rows.better, rows.worse)]
    return each[0] - each[1] if both else each[0]


def share_covered(figure: str, count: int, draws: int, seed: int, by_rows: bool = False) -> float:
    """Return the share of `draws` in which the interval of `figure` of `count` groups holds the truth."""
    make, metrics, name, both = FIGURES[figure]
    rng, held = np.random.default_rng([seed, count]), 0
    for _ in range(draws):
        rows = make(rng, count)
        groups = groups_of(None, None, len(rows.target)) if by_rows else rows.groups
        found = interval_of(rows, groups, metrics, name, both)
        held += found["low"] <= truth(figure) <= found["high"]
    return held / draws


def share_passed(count: int, draws: int, seed: int) -> float:
    """Return the share of `draws` in which the gate takes a model for better that is not."""
    rng, passed = np.random.default_rng([seed, count]), 0
    for _ in range(draws):
        rows = alike(rng, count)
        passed += clearly_better(interval_of(rows, rows.groups, CASES, "roc_auc", both=True))
    return passed / draws


def _useless(asked: tuple[int, int]) -> float:
    return share_passed(*asked, seed=1)


def _cell(asked: tuple[str, int, int, bool]) -> float:
    figure, count, draws, by_rows = asked
    return share_covered(figure, count, draws, seed=1, by_rows=by_rows)


def main(draws: int) -> None:
    """Print the table, a row as soon as it is there."""
    print(f"| groups | {' | '.join(FIGURES)} | roc_auc by single rows | useless passes |")
    print(f"|---|{'---|' * (len(FIGURES) + 2)}")
    with ProcessPoolExecutor() as pool:
        for count in COUNTS:
            asked = [(figure, count, draws, False) for figure in FIGURES]
            useless = pool.submit(_useless, (count, draws))
            found = [*pool.map(_cell, [*asked, ("roc_auc", count, draws // 10, True)]), useless.result()]
            print(f"| {count} | {' | '.join(f'{each:.3f}' for each in found)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
