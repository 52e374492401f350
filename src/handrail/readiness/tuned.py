"""Are the hyperparameters tuned? Others are drawn at random, and none may be clearly better."""

from collections.abc import Mapping

import numpy as np

from handrail.config.sections import Section
from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext
from handrail.readiness.paired_bootstrap import Difference, Scored, better_by
from handrail.training.dataset import Dataset
from handrail.training.hyperparameters import Between

DRAWS = 5
EPOCHS = "epochs"  # the small trainings have few; no other number is drawn


def tuned(context: ReadinessContext) -> str:
    """Compare the live version's with others on the validation period, which it did not learn from."""
    metric, present = context.metric.name, context.hyperparameters
    space = {n: each for n, each in context.settings.project.estimator.SPACE.items() if n != EPOCHS}
    if not space:
        return _nothing_drawn(present)
    others = [_drawn(np.random.default_rng(seed), present, space) for seed in range(DRAWS)]
    small = context.small.training
    base = _score(context, small, present)
    gains = [better_by(_score(context, small, other), base) for other in others]
    for other, gain in zip(others, gains, strict=True):
        if gain.clearly_above(0, DRAWS) and (more := _on_more_rows(context, other)).clearly_above(0, DRAWS):
            raise ProjectError(
                f"{context.version.name}: {metric} is clearly better, by {more.value:.4f}, with "
                f"{_format_changes(present, other)}; run `tune`, then train again"
            )
    best = max(gain.value for gain in gains)
    how = context.version.info.get("tuned")
    told = f"tuned in {how['trials']} trials on {how['on']}" if how else "as somebody chose them"
    found = f"of {DRAWS} others drawn at random, none is clearly better (the best by {best:+.4f} {metric})"
    return f"{told}; {found}"


def _nothing_drawn(present: Section) -> str:
    """Return why there is nothing to tune; raises ProjectError where nobody has said between which values."""
    names = ", ".join(type(present).model_fields)
    if names:
        raise ProjectError(
            f"model/estimator.py: SPACE says of none of {names} where to look; say it with Between(low, high)"
        )
    return "model/estimator.py has no hyperparameters; there is nothing to tune"


def _drawn(rng: np.random.Generator, present: Section, space: Mapping[str, Between]) -> Section:
    values = {name: _value(rng, between) for name, between in space.items()}
    return present.model_copy(update=values)


def _value(rng: np.random.Generator, between: Between) -> float:
    ends = (between.low, between.high)
    value = float(np.exp(rng.uniform(*np.log(ends)))) if between.log else float(rng.uniform(*ends))
    return round(value) if between.whole else value


def _score(context: ReadinessContext, training: Dataset, hyperparameters: Section) -> Scored:
    later = context.small.validation
    return context.score(context.learnt(training, later, hyperparameters=hyperparameters), later)


def _on_more_rows(context: ReadinessContext, other: Section) -> Difference:
    """Return how much better others are where there is more to learn from."""
    training = context.more_training
    return better_by(_score(context, training, other), _score(context, training, context.hyperparameters))


def _format_changes(present: Section, other: Section) -> str:
    before: Mapping[str, float] = present.model_dump()
    return ", ".join(
        f"{name} {value:g}" for name, value in other.model_dump().items() if value != before[name]
    )
