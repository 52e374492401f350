"""A small training run on made-up rows, to report on."""

import numpy as np

from {{ cookiecutter.__package }}.model.evaluate import evaluate
from {{ cookiecutter.__package }}.model.features import Dataset
from {{ cookiecutter.__package }}.model.train import Training
from {{ cookiecutter.__package }}.sections import Accuracy, Decision, ErrorCosts
from {{ cookiecutter.__package }}.settings import Settings

from .conftest import METRIC

COSTS = ErrorCosts(currency="EUR", too_low=10, too_high=4, tolerable=0.3)
DECISION = {"threshold": 0.4, "margin": 0.25, "tolerable": 0.3}
FEATURES = ("noise", "signal")
ROWS = 1200


class Knowing:
    """A model that knows how the target was made."""

    def predict(self, features):
        return (1 / (1 + np.exp(-2 * features[:, 1] + 1))).astype(np.float32)


def made_up_settings(folder):
    """Return the settings of a made-up project in `folder`."""
    decision = Decision(question="Whom to call?", sponsor="Desk", kpis=("calls",), go="open")
    return Settings(
        root=folder,
        workspace=folder,
        name="Calls",
        description="Who will call",
        decision=decision,
        accuracy=Accuracy(metric=METRIC, minimum=0.7, baseline_by="weekday"),
        error_costs=COSTS,
    )


def made_up_training():
    """Return a training whose outcomes are 0 or 1, and whose predictions are their chances."""
    rng = np.random.default_rng(1)
    features = rng.normal(size=(ROWS, 2)).astype(np.float32)
    prediction = Knowing().predict(features)
    days = np.datetime64("2030-01-01", "s") + np.arange(ROWS) * np.timedelta64(6400, "s")
    test = Dataset(
        features=features,
        target=(rng.random(ROWS) < prediction).astype(np.float32),
        times=days,
        slices={"region": rng.choice(["North & <b>East</b>", "$South$"], ROWS)},
        baseline_by=np.repeat("1", ROWS),
    )
    baseline = np.full(ROWS, 0.3, dtype=np.float32)
    info = {
        "evaluation": evaluate(test, prediction, baseline, DECISION, lambda step: None),
        "encoding": {"features": list(FEATURES)},
        "split": {"validation_from": "2029-11-01", "test_from": "2030-01-01", "live_from": "2030-04-01"},
        "rows": {"training": 5000, "validation": 1000, "test": ROWS},
    }
    return Training("2030-04-01-abc", info, Knowing(), test, prediction, baseline)
