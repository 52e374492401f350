"""A made-up world to be scored: a live version, and rows whose target follows one of the features."""

import numpy as np
import pytest

from {{ cookiecutter.__package }}.errors import ProjectError
from {{ cookiecutter.__package }}.model.features import Dataset, Encoding
from {{ cookiecutter.__package }}.model.hyperparameters import DEFAULTS
from {{ cookiecutter.__package }}.model.periods import Periods
from {{ cookiecutter.__package }}.model.versions import Version
from {{ cookiecutter.__package }}.monitor.section import Live
from {{ cookiecutter.__package }}.readiness.bench import Bench
from {{ cookiecutter.__package }}.readiness.section import Readiness

from .conftest import in_workspace
from .lived import predict, promoted, rows_asked
from .made_up_training import DECISION, Knowing, made_up_settings

LEARNING_ROWS, TEST_ROWS = 800, 800
LIVE = Live()
SPLIT = {"validation_from": "2030-03-01", "test_from": "2030-04-01", "live_from": "2030-06-01"}


def refusal(check, bench):
    """Return why a test of the score fails."""
    with pytest.raises(ProjectError) as refused:
        check(bench)
    return refused.value.problems


def answered(project):
    """Make the newest version live, ask it a few times, and return the settings."""
    promoted(project)
    predict(project, rows_asked(project, 20))
    return project


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


def made_up_bench(folder, names=("noise", "signal"), *, first=noise, others=((), ()), live=LIVE, **limits):
    """Return a bench with these features; how those beside the signal are made is up to the test.

    others: how those after the second are made in the rows learnt from, and in the later ones
    """
    rng, (learnt, met) = np.random.default_rng(3), others
    learning = a_period(rng, LEARNING_ROWS, "2030-01-01", first, learnt)
    validation = a_period(rng, TEST_ROWS // 2, "2030-03-20", first, met)
    test = a_period(rng, TEST_ROWS, "2030-04-01", first, met)
    edges = [tuple(np.unique(np.quantile(column, np.arange(0.1, 1, 0.1)))) for column in learning.features.T]
    info = {
        "encoding": {"features": names, "categories": {}},
        "baseline": {"column": "weekday", "means": None, "overall": 0.3},
        "evaluation": {"decision": DECISION},
        "reference": {name: {"edges": cuts, "names": ()} for name, cuts in zip(names, edges, strict=True)},
        "split": SPLIT,
    }
    made_up = made_up_settings(folder)
    changes = {"root": folder, "accuracy": made_up.accuracy, "error_costs": made_up.error_costs, "live": live}
    bench = Bench(in_workspace(folder, **changes))
    vars(bench).update(
        hyperparameters=DEFAULTS,
        limits=Readiness(**({"training_rows": LEARNING_ROWS} | limits)),
        version=Version("2030-06-01-abc", folder, info),
        periods=Periods(Encoding(names, {}), learning, validation, test),
        predictor=Knowing(),
    )
    return bench
