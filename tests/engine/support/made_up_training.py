"""A small training run on made-up rows, to report on."""

import numpy as np

from handrail.config.sections import Accuracy, Decision, ErrorCosts
from handrail.training.dataset import Dataset
from handrail.training.evaluation import evaluate
from handrail.training.run import Training, mean_errors
from tests.engine.support.workspaces import PROJECT

COSTS = ErrorCosts(currency="EUR", too_low=10, too_high=4, tolerable=0.3)
DECISIONS = {
    "chance": {"threshold": 0.4},
    "amount": {
        "margin": 0.25,
        "tolerable": COSTS.tolerable,
        "range": [0.75],
        "range_from": [],
        "baseline_range": [0.7],
        "baseline_range_from": [],
        "range_level": 0.9,
    },
}
DECISION = DECISIONS["chance"]
METRICS = {"chance": "roc_auc", "amount": "mae"}
FEATURES = ("noise", "signal")
ROWS = 1200


class Knowing:
    """A model that knows how the target was made."""

    def __init__(self, scale=1.0):
        self.scale = np.float32(scale)

    def predict(self, features):
        return (1 / (1 + np.exp(-2 * features[:, 1] + 1))).astype(np.float32) * self.scale


def made_up_settings(folder, project=PROJECT):
    """Return the settings of a made-up project in `folder`; `project`: whose contract and task it has."""
    decision = Decision(question="Whom to call?", sponsor="Desk", kpis=("calls",), go="open")
    return project.settings_type(
        root=folder,
        workspace=folder,
        name="Calls",
        description="Who will call",
        decision=decision,
        accuracy=Accuracy(metric=METRICS[project.task.predicts], minimum=0.7, baseline_by="weekday"),
        error_costs=COSTS,
    )


def made_up_training(
    rows=ROWS, knows=True, decision=None, days=ROWS * 6400 / 86_400, project=PROJECT, scale=1.0
):
    """Return a training whose outcomes are 0 or `scale`, and whose predictions are their means.

    Without `knows`, they are those of other rows. The rows are spread over `days`.
    """
    decision = decision or DECISIONS[project.task.predicts]
    rng = np.random.default_rng(1)
    features = rng.normal(size=(rows, 2)).astype(np.float32)
    chance = Knowing().predict(features)
    prediction = chance * np.float32(scale)
    seconds = (np.arange(rows) * days * 86_400 / rows).astype("timedelta64[s]")
    test = Dataset(
        features=features,
        target=(rng.random(rows) < chance).astype(np.float32) * np.float32(scale),
        times=np.datetime64("2030-01-01", "s") + seconds,
        slices={"region": rng.choice(["North & <b>East</b>", "$South$"], rows)},
        baseline_by=np.repeat("1", rows),
    )
    baseline = np.full(rows, 0.3 * scale, dtype=np.float32)
    prediction = prediction if knows else rng.permutation(prediction)
    evaluation = evaluate(project.metrics, test, prediction, baseline, decision, lambda step: None)
    errors = mean_errors(project.task, COSTS, test.target, prediction, decision)
    info = {
        "evaluation": evaluation | {"errors": errors},
        "encoding": {"features": list(FEATURES)},
        "split": {"validation_from": "2029-11-01", "test_from": "2030-01-01", "live_from": "2030-04-01"},
        "rows": {"training": 5000, "validation": 1000, "test": rows},
    }
    return Training("2030-04-01-abc", info, Knowing(scale), test, prediction, baseline)
