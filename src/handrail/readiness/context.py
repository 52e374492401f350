"""What the tests of the score look at; each thing is read or learnt once, when the first test asks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import ValidationError

from handrail.arrays import Floats
from handrail.compute.duckdb import connect
from handrail.config.sections import Readiness, Section, Shares, Split
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.load import require_table
from handrail.predictor import Predictor
from handrail.readiness.paired_bootstrap import Scored, scored
from handrail.registry.acceptance import MINIMUM_NOT_AGREED, agreed_metric
from handrail.registry.live import load_live
from handrail.registry.versions import Version
from handrail.serving.inference import start_model
from handrail.tasks.metric import Metric
from handrail.training.dataset import Dataset, read_dataset
from handrail.training.encoding import Encoding
from handrail.training.known_outcomes import DAY, known_on, today_of
from handrail.training.run import SEED
from handrail.training.splits import Splits, read_splits, split_of

MOST_EPOCHS = 3
MORE = 10  # times the rows of a small training


@dataclass(frozen=True)
class ReadinessContext:
    """The settings, and lazily the live version, its model and its rows; all in the live version's encoding.

    Anything here raises ProjectError where it isn't there: no table, no live version.
    """

    settings: Settings

    @cached_property
    def today(self) -> date:
        """Today, or the last day of the packaged example."""
        return today_of(self.settings)

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
    def split(self) -> Split | Shares:
        """The split by which the live version learnt."""
        return split_of(self.version.info["split"])

    @property
    def new_from(self) -> date | None:
        """The day from which on rows are new to the live version, None where chance has parted the rows."""
        return self.split.live_from if isinstance(self.split, Split) else None

    @property
    def metric(self) -> Metric:
        """The metric that decides."""
        return self.settings.project.metrics[agreed_metric(self.settings)]

    @property
    def minimum(self) -> float:
        """How good a model has to be; raises ProjectError where that is not agreed."""
        if self.settings.accuracy.minimum is None:
            raise ProjectError(MINIMUM_NOT_AGREED)
        return self.settings.accuracy.minimum

    @cached_property
    def table(self) -> str:
        """The FROM item of the loaded table."""
        return require_table(self.settings, self.settings.project.table_name)

    @cached_property
    def splits(self) -> Splits:
        """What the live version learnt from, was decided on and measured on, all rows."""
        version = self.version
        with connect(self.settings) as connection:
            return read_splits(
                connection, self.settings, self.table, self.split, version.baseline.column, version.encoding
            )

    @cached_property
    def known(self) -> Dataset:
        """Every row of the loaded table whose outcome is known today."""
        version = self.version
        with connect(self.settings) as connection:
            condition = known_on(connection, self.settings, self.table, self.today + DAY)
            known = f"(SELECT * FROM {self.table} WHERE {condition})"
            return read_dataset(connection, known, self.settings, version.encoding, version.baseline.column)

    @cached_property
    def small(self) -> Splits:
        """The splits with no more rows than `limits` says, spread evenly over each period."""
        whole, most = self.splits, self.limits
        return replace(
            whole,
            training=thinned(whole.training, most.training_rows),
            validation=thinned(whole.validation, most.test_rows),
            test=thinned(whole.test, most.test_rows),
        )

    @cached_property
    def more_training(self) -> Dataset:
        """MORE times as many rows to learn from, where few may mislead."""
        return thinned(self.splits.training, MORE * self.limits.training_rows)

    @cached_property
    def hyperparameters(self) -> Section:
        """Those of the live version, with fewer epochs where it has any: a small training is to be short."""
        values = dict(self.version.info["hyperparameters"])
        if "epochs" in values:
            values["epochs"] = min(values["epochs"], MOST_EPOCHS)
        try:
            return self.settings.project.estimator.Hyperparameters.model_validate(values)
        except ValidationError:
            raise ProjectError(
                f"model/estimator.py: its hyperparameters are not those of {self.version.name}, "
                f"{', '.join(values)}; train again, then promote"
            ) from None

    @cached_property
    def live(self) -> Scored:
        """How good the live version is on the small test period."""
        return self.score(self.predictor.predict(self.small.test.features))

    def turned(self, value: float) -> float:
        """Return a value of the metric that decides, turned so that more is better."""
        return self.metric.sign * value

    def score(self, prediction: Floats, rows: Dataset | None = None) -> Scored:
        """Return how good a prediction for `rows` is, by the metric that decides.

        `prediction` (n): one value per row; without `rows`, for those of the small test period
        """
        rows = self.small.test if rows is None else rows
        return scored(self.settings.project.metrics, self.metric, rows, prediction, self.version.decision)

    def learnt(
        self,
        training: Dataset,
        later: Dataset,
        *,
        names: Sequence[str] = (),
        seed: int = SEED,
        hyperparameters: Any = None,
    ) -> Floats:
        """Return what a model that learnt from `training` predicts for `later`, one value per row.

        It is made as every model of the project, by `fit` of model/train.py: with the features `names` (all),
        and with other hyperparameters than those of the live version if they are given.
        """
        project, encoding = self.settings.project, self.version.encoding
        if names:
            encoding, (training, later) = narrowed(encoding, names, training, later)
        model = project.fit(training, encoding, seed, hyperparameters or self.hyperparameters)
        return project.estimator.predict(model, later.features)

    def score_learnt(self, training: Dataset, names: Sequence[str] = (), seed: int = SEED) -> Scored:
        """Return how good a model is that learnt from `training`, from the features `names` if given."""
        return self.score(self.learnt(training, self.small.test, names=names, seed=seed))

    def score_without(self, left: str, training: Dataset) -> Scored:
        """Return how good a model is that learnt from `training` without one feature."""
        return self.score_learnt(training, [name for name in self.version.encoding.features if name != left])


def thinned(data: Dataset, most: int) -> Dataset:
    """Return at most `most` rows, spread evenly over time, or over the draws."""
    if len(data) <= most:
        return data
    return data.rows(np.linspace(0, len(data) - 1, most).astype(np.int64))


def narrowed(encoding: Encoding, names: Sequence[str], *data: Dataset) -> tuple[Encoding, list[Dataset]]:
    """Return encoding and rows with the features `names` only."""
    places = [encoding.features.index(name) for name in names]
    categories = {name: codes for name, codes in encoding.categories.items() if name in names}
    logarithms = tuple(name for name in encoding.logarithms if name in names)
    rows = [replace(each, features=np.ascontiguousarray(each.features[:, places])) for each in data]
    return Encoding(tuple(names), categories, logarithms), rows
