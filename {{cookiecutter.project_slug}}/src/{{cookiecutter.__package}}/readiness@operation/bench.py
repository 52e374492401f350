"""What the tests of the score look at; each thing is read or learnt once, when the first test asks."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..contract import TABLE
from ..engine import connect
from ..etl.load import require_table
from ..model.features import Dataset
from ..model.periods import Periods, read_periods
from ..model.predictor import Predictor
from ..model.registry import load_live
from ..model.requirements import agreed_metric
from ..model.versions import Version
from ..sections import Split
from ..serve.live import start_model
from ..settings import Settings
from .section import Readiness


@dataclass(frozen=True)
class Bench:
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
    def periods(self) -> Periods:
        """What the live version learnt from, was decided on and measured on, all rows."""
        with connect(self.settings) as connection:
            table = require_table(self.settings, TABLE)
            return read_periods(
                connection, table, self.split, self.version.baseline.column, self.version.encoding
            )

    @cached_property
    def small(self) -> Periods:
        """The same, with no more rows than `limits` says, spread evenly over each period."""
        whole, most = self.periods, self.limits
        return replace(
            whole,
            learning=thinned(whole.learning, most.training_rows),
            validation=thinned(whole.validation, most.test_rows),
            test=thinned(whole.test, most.test_rows),
        )


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
