"""Whatever learns anywhere calls the project's own `fit`, so that a step added there is part of it."""

import pytest

from handrail.readiness import speed, staleness, tuned
from handrail.readiness.context import ReadinessContext
from handrail.registry import live, versions
from handrail.training import run
from handrail.tuning import tuning_data
from tests.engine.support.workspaces import PROJECT


@pytest.fixture
def fits(monkeypatch):
    """Return the rows of each fit, as they are asked for; each learns as the project's own does."""
    module, seen = PROJECT.module("model.train"), []
    own = module.fit

    def fit(rows, *given):
        seen.append(len(rows))
        return own(rows, *given)

    monkeypatch.setattr(module, "fit", fit)
    return seen


@pytest.fixture
def promoted(project):
    """Return settings in which the newest version is live."""
    live.make_live(project, versions.newest_version(project))
    return project


@pytest.mark.slow
def test_training_and_retraining_learn_by_it(project, fits):
    run.train(project, project.dates, lambda step: None)
    run.train(project, project.dates.ending(project.dates.live_from.replace(month=11)), lambda step: None)
    assert len(fits) == 2
    assert fits[0] < fits[1]


def test_tuning_learns_by_it(project, fits):
    data = tuning_data.read_tuning_data(project, project.dates)
    data.score(PROJECT.estimator.Hyperparameters().model_dump())
    assert fits == [len(earlier) for earlier, _ in data.folds]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "most"), [(staleness.staleness, 4), (tuned.tuned, 16), (speed.as_fast_as_before, 1)]
)
def test_the_score_of_readiness_learns_by_it(promoted, fits, check, most):
    check(ReadinessContext(promoted))
    assert 1 <= len(fits) <= most
