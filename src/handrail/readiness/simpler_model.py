"""Is a simpler model as good? A linear one learns from the same features, and both meet the same rows."""

import numpy as np

from handrail.arrays import Doubles, Floats
from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext, thinned
from handrail.readiness.paired_bootstrap import better_by
from handrail.training.dataset import Dataset
from handrail.training.encoding import Encoding

STEPS = 8  # of Newton's method; it is there after about six
MORE = 3  # times the rows of a small training: a linear model learns no more from all of them
RIDGE = 1.0


def simpler(context: ReadinessContext) -> str:
    """Compare the live version with a linear model on its test rows."""
    test, metric = context.small.test, context.metric.name
    training = thinned(context.splits.training, MORE * context.limits.training_rows)
    yes_or_no = context.settings.project.task.predicts == "chance"
    linear = context.score(linear_prediction(training, test, context.version.encoding, yes_or_no))
    gain = better_by(context.live, linear)
    figures = f"{metric} {abs(context.live.value):.3f} against {abs(linear.value):.3f}"
    if gain.value <= 0:
        raise ProjectError(
            f"{context.version.name}: a linear model is no worse, {figures} on {len(test):,} rows; take it "
            "instead: it is easier to explain and to keep"
        )
    return f"better than a linear model by {gain.value:.3f} (± {gain.reach():.3f}): {figures}"


def linear_prediction(training: Dataset, later: Dataset, encoding: Encoding, yes_or_no: bool) -> Floats:
    """Return what a linear, or for `yes_or_no` a logistic, regression predicts for `later`; one per row."""
    known, asked = _inputs(training, training, encoding), _inputs(later, training, encoding)
    target = training.target.astype(np.float64)
    value = asked @ (_logistic(known, target) if yes_or_no else _least_squares(known, target))
    return (1 / (1 + np.exp(-value)) if yes_or_no else value).astype(np.float32)


def _inputs(data: Dataset, training: Dataset, encoding: Encoding) -> Doubles:
    """Return a constant, each amount scaled, a sign where it is missing, and a sign for each name."""
    columns = [np.ones(len(data))]
    for place, name in enumerate(encoding.features):
        values, learnt = data.features[:, place].astype(np.float64), training.features[:, place]
        if name in encoding.categories:
            columns += [(values == code).astype(np.float64) for code in range(len(encoding.categories[name]))]
        else:
            mean, spread = np.nanmean(learnt, dtype=np.float64), np.nanstd(learnt, dtype=np.float64) or 1.0
            columns += [np.nan_to_num((values - mean) / spread), np.isnan(values).astype(np.float64)]
    return np.column_stack(columns)


def _least_squares(known: Doubles, target: Doubles) -> Doubles:
    squares = known.T @ known + RIDGE * np.eye(known.shape[1])
    return np.linalg.solve(squares, known.T @ target).astype(np.float64)


def _logistic(known: Doubles, target: Doubles) -> Doubles:
    """Return the weights of a logistic regression, by Newton's method."""
    weights = np.zeros(known.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-known @ weights))
        slope = known.T @ (target - chance) - RIDGE * weights
        curve = (known * (chance * (1 - chance))[:, None]).T @ known + RIDGE * np.eye(len(weights))
        weights += np.linalg.solve(curve, slope)
    return weights
