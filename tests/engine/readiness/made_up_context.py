"""A made-up world to be scored: a live version, and rows whose target follows one of the features."""

import numpy as np
import pytest

from handrail.config.sections import Live, Readiness
from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext
from handrail.registry.versions import Version
from handrail.training.dataset import Dataset
from handrail.training.encoding import Encoding
from handrail.training.splits import Splits
from tests.engine.support.lived import predict, promoted, rows_asked
from tests.engine.support.made_up_training import DECISIONS, Knowing, made_up_settings
from tests.engine.support.workspaces import PROJECT, in_workspace, with_given

TRAINING_ROWS, TEST_ROWS = 800, 800
LIVE = Live()
SPLIT = {"validation_from": "2030-03-01", "test_from": "2030-04-01", "live_from": "2030-06-01"}


def refusal(check, context):
    """Return why a test of the score fails."""
    with pytest.raises(ProjectError) as refused:
        check(context)
    return refused.value.problems


def answered(settings):
    """Make the newest version live, ask it a few times, and return the settings."""
    promoted(settings)
    predict(settings, rows_asked(settings, 20))
    return settings


def noise(rng, target):
    """Return values that have nothing to do with the target."""
    return rng.normal(size=len(target))


def a_period(rng, rows, first_day, first, more):
    """Return rows, twenty a day: the target follows the second column; the others are made of rng and it."""
    signal = rng.normal(size=(rows, 2)).astype(np.float32)
    target = (rng.random(rows) < Knowing().predict(signal)).astype(np.float32)
    made = [make(rng, target).astype(np.float32) for make in (first, *more)]
    days = np.datetime64(first_day, "s") + np.arange(rows) * np.timedelta64(86400 // 20, "s")
    slices = {"region": rng.choice(["North", "South"], rows)}
    features = np.column_stack([made[0], signal[:, 1], *made[1:]])
    return Dataset(features, target, days, slices, np.repeat("unknown", rows))


def made_up_context(
    folder,
    names=("noise", "signal"),
    *,
    first=noise,
    others=((), ()),
    live=LIVE,
    project=PROJECT,
    given=(),
    **limits,
):
    """Return a context with these features; how those beside the signal are made is up to the test.

    others: how those after the second are made in the rows learnt from, and in the later ones
    given: what the project brings in place of the example's, by name
    """
    rng, (learnt, met) = np.random.default_rng(3), others
    training = a_period(rng, TRAINING_ROWS, "2030-01-01", first, learnt)
    validation = a_period(rng, TEST_ROWS // 2, "2030-03-20", first, met)
    test = a_period(rng, TEST_ROWS, "2030-04-01", first, met)
    edges = [tuple(np.unique(np.quantile(column, np.arange(0.1, 1, 0.1)))) for column in training.features.T]
    info = {
        "encoding": {"features": names, "categories": {}},
        "baseline": {"column": "weekday", "means": None, "overall": 0.3},
        "evaluation": {"decision": DECISIONS[project.task.predicts]},
        "reference": {name: {"edges": cuts, "names": ()} for name, cuts in zip(names, edges, strict=True)},
        "split": SPLIT,
    }
    made_up = made_up_settings(folder, project)
    changes = {"root": folder, "accuracy": made_up.accuracy, "error_costs": made_up.error_costs, "live": live}
    settings = with_given(in_workspace(folder, project, **changes), **dict(given))
    context = ReadinessContext(settings)
    vars(context).update(
        hyperparameters=project.estimator.Hyperparameters(max_iter=50),
        limits=Readiness(**({"training_rows": TRAINING_ROWS} | limits)),
        version=Version("2030-06-01-abc", folder, info, settings.project),
        splits=Splits(Encoding(names, {}), training, validation, test),
        predictor=Knowing(),
    )
    return context
