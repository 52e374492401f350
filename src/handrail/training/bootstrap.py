"""How far a figure may be off by chance: it is measured again on rows drawn anew from the same rows."""

import numpy as np

from handrail.arrays import Doubles
from handrail.tasks.metric import Decision, Metrics, Outcomes


def resampled(
    metrics: Metrics, outcomes: Outcomes, rows: int, decision: Decision, resamples: int, seed: int = 0
) -> dict[str, Doubles]:
    """Return the values of every metric on resampled rows. Efron, Annals of Statistics (1979).

    `rows`: how many there are. The same seed draws the same rows, so that two predictions can be compared.
    """
    rng = np.random.default_rng(seed)
    draws = (
        np.bincount(rng.integers(0, rows, rows), minlength=rows).astype(np.float64) for _ in range(resamples)
    )
    measured = [metrics.measure_rows(outcomes, decision, draw) for draw in draws]
    return {name: np.array([each[name] for each in measured]) for name in metrics}


def figures(value: float, values: Doubles) -> dict[str, float]:
    """Return a metric's value with the ends of its 95% percentile interval; NaN where there is none."""
    if np.isnan(values).all():
        return {"value": value, "low": float("nan"), "high": float("nan")}
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return {"value": value, "low": float(low), "high": float(high)}
