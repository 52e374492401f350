"""What does age cost? Models that stopped learning earlier and earlier meet the same latest rows."""

import numpy as np

from handrail.config.sections import Live, Shares
from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext, thinned
from handrail.readiness.paired_bootstrap import Scored, better_by
from handrail.training.dataset import Dataset

STEPS = 3  # from no further age to the greatest that is allowed
FEWEST_ROWS = 200


def staleness(context: ReadinessContext) -> str:
    """Compare the loss at the greatest age that is allowed with what the live version has to spare."""
    oldest, metric = context.settings.section(Live).maximum_age_days, context.metric.name
    later, windows = _windows(context, [round(oldest * step / STEPS) for step in range(STEPS + 1)])
    found = {age: _score(context, window, later) for age, window in windows.items()}
    losses = {age: better_by(found[0], score) for age, score in found.items() if age}
    spare = context.live.value - context.turned(context.minimum)
    by_age = ", ".join(f"{loss.value:+.3f} at {age} days" for age, loss in losses.items())
    measured = f"on the latest {len(later):,} rows, {metric} loses {by_age}"
    if losses[oldest].value > spare:
        raise ProjectError(
            f"project.yaml: live.maximum_age_days: {measured}; the live version has {spare:.3f} to spare; "
            "allow fewer days, and train more often"
        )
    return f"{measured}; the live version has {spare:.3f} to spare"


def _windows(context: ReadinessContext, ages: list[int]) -> tuple[Dataset, dict[int, Dataset]]:
    """Return the latest rows, as many days as the test period has, and what models of each age learn from.

    Those of age 0 stop as long before the latest rows as the live version did before its test period.
    """
    known, split, day = context.known, context.split, np.timedelta64(1, "D")
    if known.times is None or isinstance(split, Shares):
        raise ProjectError(
            "project.yaml: split.by: chance has parted the rows, so what age costs cannot be told; give rows "
            "a time in contract.py, and part them by it"
        )
    days = known.times.astype("datetime64[D]")
    latest = days.max() - np.timedelta64((split.live_from - split.test_from).days, "D")
    stopped = latest - np.timedelta64((split.test_from - split.validation_from).days, "D")
    windows = {
        age: known.rows(days <= stopped - age * day).known_on(stopped + (1 - age) * day) for age in ages
    }
    if len(windows[ages[-1]]) < FEWEST_ROWS:
        raise ProjectError(
            f"project.yaml: live.maximum_age_days: only {len(windows[ages[-1]])} rows are {ages[-1]} days "
            f"older than {stopped} and were known then, too few to learn from; allow fewer days, or load "
            "earlier rows"
        )
    return thinned(known.rows(days > latest), context.limits.test_rows), windows


def _score(context: ReadinessContext, window: Dataset, later: Dataset) -> Scored:
    few = thinned(window, context.limits.training_rows)
    return context.score(context.learnt(few, later), later)
