"""What the tests of the score look at; each thing is read or learnt once, when the first test asks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from TWIN_model_metrics import GREATER_IS_BETTER
from UNRESOLVED_model_hyperparameters import Hyperparameters

from handrail.arrays import Floats
from handrail.compute.duckdb import connect
from handrail.config.sections import Readiness, Split
from handrail.config.settings import Settings
from handrail.etl.load import require_table
from handrail.predictor import Predictor
from handrail.readiness.paired_bootstrap import Scored, learnt, narrowed, scored
from handrail.registry.acceptance import agreed_metric
from handrail.registry.live import load_live
from handrail.registry.versions import Version
from handrail.serving.inference import start_model
from handrail.training.dataset import Dataset, read_dataset
from handrail.training.splits import Splits, read_splits

MOST_EPOCHS = 3
MORE = 10  # times the rows of a small training


@dataclass(frozen=True)
class ReadinessContext:
    """The settings, and lazily the live version, its model and its rows; all in the live version's encoding.

    Anything here raises ProjectError where it isn't there: no table, no live version.
    """

    settings: Settings

    @cached_property
    def limits(self) -> Readiness:
        """What project.yaml says under `readiness`."""
        return self.settings.section(Readiness)

    @cached_property
    def version(self) -> Version:
        """The live version."""
        version, _ = load_live(self.settings)
        return version

    @cached_property
    def predictor(self) -> Predictor:
        """The live version's model."""
        return start_model(self.version)

    @cached_property
    def split(self) -> Split:
        """The split by which the live version learnt."""
        return Split.model_validate(self.version.info["split"])

    @property
    def metric(self) -> str:
        """The metric that decides."""
        return agreed_metric(self.settings)

    @cached_property
    def periods(self) -> Splits:
        """What the live version learnt from, was decided on and measured on, all rows."""
        with connect(self.settings) as connection:
            table = require_table(self.settings, self.settings.project.table_name)
            return read_splits(
                connection, table, self.split, self.version.baseline.column, self.version.encoding
            )

    @cached_property
    def known(self) -> Dataset:
        """Every row of the loaded table whose outcome is known."""
        with connect(self.settings) as connection:
            table, version = require_table(self.settings, self.settings.project.table_name), self.version
            return read_dataset(
                connection, table, self.settings.project.contract, version.encoding, version.baseline.column
            )

    @cached_property
    def hyperparameters(self) -> Hyperparameters:
        """Those of the live version, with fewer epochs where it has any: a small training is to be short."""
        values = dict(self.version.info["hyperparameters"])
        if "epochs" in values:
            values["epochs"] = min(values["epochs"], MOST_EPOCHS)
        return Hyperparameters.model_validate(values)

    @cached_property
    def live(self) -> Scored:
        """How good the live version is on the small test period."""
        return self.score(self.predictor.predict(self.small.test.features))

    def turned(self, value: float) -> float:
        """Return a value of the metric that decides, turned so that more is better."""
        return value if GREATER_IS_BETTER[self.metric] else -value

    def score(self, prediction: Floats) -> Scored:
        """Return how good a prediction for the small test period is, by the metric that decides."""
        return scored(self.small.test, prediction, self.metric, self.version.decision)

    def score_without(self, left: str, learning: Dataset) -> Scored:
        """Return how good a model is that learnt from `learning` without one feature."""
        names = [name for name in self.version.encoding.features if name != left]
        return self.score_learnt(learning, names)

    def score_learnt(self, learning: Dataset, names: Sequence[str] = (), seed: int = 0) -> Scored:
        """Return how good a model is that learnt from `learning`, from the features `names` if given."""
        small = self.small
        only, (few, test) = narrowed(small.encoding, names or small.encoding.features, learning, small.test)
        return self.score(learnt(few, test, only, self.hyperparameters, seed))

    @cached_property
    def small(self) -> Splits:
        """The same, with no more rows than `limits` says, spread evenly over each period."""
        whole, most = self.periods, self.limits
        return replace(
            whole,
            learning=thinned(whole.learning, most.training_rows),
            validation=thinned(whole.validation, most.test_rows),
            test=thinned(whole.test, most.test_rows),
        )

    @cached_property
    def more_learning(self) -> Dataset:
        """MORE times as many rows to learn from, where few may mislead."""
        return thinned(self.periods.learning, MORE * self.limits.training_rows)


def thinned(data: Dataset, most: int) -> Dataset:
    """Return at most `most` rows, spread evenly over time."""
    if len(data) <= most:
        return data
    return chosen(data, np.linspace(0, len(data) - 1, most).astype(np.int64))


def chosen(data: Dataset, rows: np.ndarray) -> Dataset:
    """Return the rows at the places, or by the mask, `rows`."""
    return Dataset(
        features=data.features[rows],
        target=data.target[rows],
        times=data.times[rows],
        slices={name: values[rows] for name, values in data.slices.items()},
        baseline_by=data.baseline_by[rows],
    )
