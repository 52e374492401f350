"""Trains a model, measures the file that will be served, and keeps both as a new version."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from ..contract import TABLE
from ..engine import connect
from ..etl.load import require_table
from ..sections import Split
from ..settings import Settings
from . import estimator
from .baseline import Baseline, fit_baseline
from .chosen import read_chosen
from .decision import decide
from .evaluate import evaluate
from .features import Dataset, Floats
from .metrics import Decision
from .periods import read_periods
from .predictor import Predictor
from .record import SEED, count_reference, describe, version_files
from .requirements import agreed_metric
from .versions import save_version


@dataclass(frozen=True)
class Training:
    """What a training run made: the version's name, its record, and what its pictures are drawn from."""

    version: str
    info: dict[str, Any]
    predictor: Predictor
    test: Dataset
    prediction: Floats
    baseline: Floats


def train(settings: Settings, split: Split, on_step: Callable[[str], None]) -> Training:
    """Train on what `split` allows, measure on its test period, save the version.

    Deterministic: the same table, code and libraries give the same version. Raises ProjectError where a
    period has no rows or only one outcome.
    """
    agreed_metric(settings)
    chosen = read_chosen(settings)
    with connect(settings) as connection:
        table = require_table(settings, TABLE)
        on_step("read the table")
        periods = read_periods(connection, table, split, settings.accuracy.baseline_by)
        test = periods.test
        on_step("fit the baseline")
        baseline = _baseline(settings, periods.learning)
        on_step("fit the model")
        fitted = estimator.fit(periods.learning, periods.encoding, SEED, chosen.hyperparameters)
        model = estimator.export(fitted, len(periods.encoding.features))
        predictor = Predictor(model)
        prediction, simple = predictor.predict(test.features), baseline.predict(test.baseline_by)
        decision = _decision(settings, periods.validation, predictor)
        evaluation = evaluate(test, prediction, simple, decision, on_step)
        on_step("count the reference")
        reference = count_reference(connection, table, split, prediction)
    info = describe(settings, split, periods, chosen) | {
        "baseline": asdict(baseline),
        "evaluation": evaluation,
        "reference": reference,
    }
    on_step("keep the version")
    name = save_version(settings, version_files(settings, model, info), prefix=str(split.live_from))
    return Training(name, info, predictor, test, prediction, simple)


def _baseline(settings: Settings, learning: Dataset) -> Baseline:
    accuracy = settings.accuracy
    return fit_baseline(accuracy.baseline_by, learning.baseline_by, learning.target, accuracy.baseline_takes)


def _decision(settings: Settings, validation: Dataset, predictor: Predictor) -> Decision:
    prediction = predictor.predict(validation.features)
    return decide(validation.target, prediction, settings.error_costs)
