"""What tuning stands on: the rows it may see, how a trial is scored on them, and what that depends on."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np

from ..contract import TABLE
from ..engine import connect
from ..etl.load import require_table
from ..sections import Split
from ..settings import Settings
from . import estimator
from .baseline import fit_baseline
from .decision import decide
from .features import Dataset, Encoding, Floats
from .folds import CUTS, expanding_folds
from .hyperparameters import SPACE, Hyperparameters
from .metrics import measure, rows_of
from .periods import read_before_test
from .record import LIBRARIES, SEED, installed_versions
from .requirements import agreed_metric
from .trials import Values


@dataclass(frozen=True)
class Ground:
    """The rows before the test period: those learnt from, on whose folds a trial is scored, and the later."""

    settings: Settings
    metric: str
    encoding: Encoding
    learning: Dataset
    validation: Dataset

    @cached_property
    def folds(self) -> list[tuple[Dataset, Dataset]]:
        """Earlier and later rows of the training period."""
        return list(expanding_folds(self.learning))

    def study(self) -> Mapping[str, str]:
        """Return name and fingerprint of everything that a score depends on."""
        data, libraries = self.learning, installed_versions(LIBRARIES)
        code = Path(estimator.__file__).read_bytes()
        return {
            "the rows": _fingerprint(data.features, data.target, data.times, data.baseline_by),
            "the features": _fingerprint(repr(self.encoding).encode()),
            "the search space": _fingerprint(repr(SPACE).encode()),
            "estimator.py or its libraries": _fingerprint(code, repr(libraries).encode()),
            "how trials are scored": _fingerprint(repr((self.metric, CUTS, SEED)).encode()),
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
        chosen = Hyperparameters.model_validate(values)
        return estimator.predict(estimator.fit(earlier, self.encoding, SEED, chosen), later.features)

    def simple(self, earlier: Dataset, later: Dataset) -> Floats:
        """Return the same of the simple technique."""
        accuracy = self.settings.accuracy
        baseline = fit_baseline(
            accuracy.baseline_by, earlier.baseline_by, earlier.target, accuracy.baseline_takes
        )
        return baseline.predict(later.baseline_by)

    def _metric(self, later: Dataset, prediction: Floats) -> float:
        decision = decide(later.target, prediction, self.settings.error_costs)
        return measure(rows_of(later.target, prediction), decision)[self.metric]


def read_ground(settings: Settings, split: Split) -> Ground:
    """Read the rows before the test period; raises ProjectError where there are none, or one outcome only."""
    metric = agreed_metric(settings)
    with connect(settings) as connection:
        table = require_table(settings, TABLE)
        encoding, learning, validation = read_before_test(
            connection, table, split, settings.accuracy.baseline_by
        )
    return Ground(settings, metric, encoding, learning, validation)


def _fingerprint(*contents: bytes | np.ndarray) -> str:
    found = sha256()
    for content in contents:
        found.update(content if isinstance(content, bytes) else np.ascontiguousarray(content).tobytes())
    return found.hexdigest()[:12]
