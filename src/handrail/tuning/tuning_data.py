"""What tuning stands on: the rows it may see, how a trial is scored on them, and what that depends on."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np

from handrail.arrays import Floats
from handrail.compute.duckdb import connect
from handrail.config.sections import Shares, Split
from handrail.config.settings import Settings
from handrail.etl.load import require_table
from handrail.registry.acceptance import agreed_metric
from handrail.tasks.metric import Metric
from handrail.training.dataset import Dataset
from handrail.training.encoding import Encoding
from handrail.training.rolling_origins import CUTS, expanding_folds
from handrail.training.run import LIBRARIES, SEED, installed_versions
from handrail.training.splits import read_before_test
from handrail.tuning.trial_log import Values


@dataclass(frozen=True)
class TuningData:
    """The rows before the test period: those learnt from, on whose folds a trial is scored, and the later."""

    settings: Settings
    metric: Metric
    encoding: Encoding
    training: Dataset
    validation: Dataset
    split: Split | Shares

    @cached_property
    def folds(self) -> list[tuple[Dataset, Dataset]]:
        """Rows of the training period to learn from, and those to score on: later ones, or drawn ones."""
        return list(expanding_folds(self.training, by_chance=isinstance(self.split, Shares)))

    def study(self) -> Mapping[str, str]:
        """Return name and fingerprint of everything that a score depends on."""
        data, estimator = self.training, self.settings.project.estimator
        libraries = installed_versions((*LIBRARIES, *estimator.LIBRARIES))
        code = f"{_source(estimator)}{_source(self.settings.project.fit)}{libraries!r}"
        return {
            "the rows": _fingerprint(
                data.features, data.target, *([] if data.times is None else [data.times]), data.baseline_by
            ),
            "the features": _fingerprint(repr(self.encoding).encode()),
            "the search space": _fingerprint(repr(estimator.SPACE).encode()),
            "estimator.py, fit of train.py or their libraries": _fingerprint(code.encode()),
            "how trials are scored": _fingerprint(repr((self.metric.name, CUTS, SEED)).encode()),
        }

    def score(self, values: Values) -> float:
        """Return the mean over the folds of the metric of a model with these hyperparameters; NaN: none."""
        scores = [self._metric(later, self.fitted(values, earlier, later)) for earlier, later in self.folds]
        return float(np.mean(scores))

    @cached_property
    def baseline_score(self) -> float:
        """The same of the simple technique."""
        scores = [self._metric(later, self.simple(earlier, later)) for earlier, later in self.folds]
        return float(np.mean(scores))

    def fitted(self, values: Values, earlier: Dataset, later: Dataset) -> Floats:
        """Return what a model that learnt from `earlier` predicts for `later`."""
        project = self.settings.project
        hyperparameters = project.estimator.Hyperparameters.model_validate(values)
        model = project.fit(earlier, self.encoding, SEED, hyperparameters)
        return project.estimator.predict(model, later.features)

    def simple(self, earlier: Dataset, later: Dataset) -> Floats:
        """Return the same of the simple technique."""
        baseline = self.settings.project.baseline.fit(earlier, self.settings.accuracy)
        return baseline.predict(later.baseline_by)

    def _metric(self, later: Dataset, prediction: Floats) -> float:
        project = self.settings.project
        decision = project.task.decide(later.target, prediction, self.settings.error_costs)
        return project.metrics.measure(later.target, prediction, decision)[self.metric.name]


def read_tuning_data(settings: Settings, split: Split | Shares) -> TuningData:
    """Read the rows before the test period; raises ProjectError where there are none, or one outcome only."""
    project = settings.project
    metric = project.metrics[agreed_metric(settings)]
    with connect(settings) as connection:
        table = require_table(settings, project.table_name)
        encoding, training, validation = read_before_test(
            connection, settings, table, split, settings.accuracy.baseline_by
        )
    return TuningData(settings, metric, encoding, training, validation, split)


def _source(code: object) -> str:
    """Return the text of a module or function; its name where there is none (a project without sources)."""
    try:
        return inspect.getsource(code)  # ty: ignore[invalid-argument-type]
    except (OSError, TypeError):
        return repr(code)


def _fingerprint(*contents: bytes | np.ndarray) -> str:
    found = sha256()
    for content in contents:
        found.update(content if isinstance(content, bytes) else np.ascontiguousarray(content).tobytes())
    return found.hexdigest()[:12]
