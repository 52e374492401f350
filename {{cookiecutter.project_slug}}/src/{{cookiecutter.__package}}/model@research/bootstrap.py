"""How far a figure may be off by chance: it is measured again on rows drawn anew from the same rows."""

import numpy as np

from .metrics import Decision, Doubles, Rows, measure


def resampled(rows: Rows, decision: Decision, resamples: int, seed: int = 0) -> dict[str, Doubles]:
    """Return the values of every metric on resampled rows. Efron, Annals of Statistics (1979).

    The same seed draws the same rows, so that two predictions for them can be compared.
    """
    rng, n = np.random.default_rng(seed), len(rows.target)
    draws = (np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64) for _ in range(resamples))
    measured = [measure(rows, decision, draw) for draw in draws]
    return {name: np.array([each[name] for each in measured]) for name in measured[0]}


def figures(value: float, values: Doubles) -> dict[str, float]:
    """Return a metric's value with the ends of its 95% percentile interval; NaN where there is none."""
    if np.isnan(values).all():
        return {"value": value, "low": float("nan"), "high": float("nan")}
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return {"value": value, "low": float(low), "high": float(high)}
