"""Trains a model, measures the file that will be served, and keeps both as a new version."""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Any

from ..contract import CONTRACT, TABLE
from ..engine import Connection, connect
from ..errors import ProjectError
from ..etl.load import require_table
from ..schema import Role, of_role
from ..sections import Split
from ..settings import Settings
from . import estimator
from .baseline import fit_baseline
from .card import model_card
from .evaluate import evaluate
from .features import Dataset, Encoding, Floats, learn_encoding, period, read_dataset
from .metrics import best_threshold
from .predictor import Predictor
from .reference import PREDICTION, learn_amount_bins, learn_bins, shares
from .requirements import agreed_metric
from .versions import save_version

SEED = 0
LIBRARIES = ("numpy", "onnxruntime", "duckdb", *estimator.LIBRARIES)


@dataclass(frozen=True)
class Periods:
    """The three periods of the split, in time order, and the encoding learnt from the first."""

    encoding: Encoding
    learning: Dataset
    validation: Dataset
    test: Dataset


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
    with connect(settings) as connection:
        table = require_table(settings, TABLE)
        on_step("read the table")
        periods = read_periods(connection, table, split, settings.accuracy.baseline_by)
        test = periods.test
        on_step("fit the baseline")
        baseline = fit_baseline(
            settings.accuracy.baseline_by, periods.learning.baseline_by, periods.learning.target
        )
        on_step("fit the model")
        fitted = estimator.fit(periods.learning, periods.encoding, SEED)
        model = estimator.export(fitted, len(periods.encoding.features))
        predictor = Predictor(model)
        prediction, simple = predictor.predict(test.features), baseline.predict(test.baseline_by)
        threshold = _threshold(settings, periods.validation, predictor)
        evaluation = evaluate(test, prediction, simple, threshold, on_step)
        on_step("count the reference")
        reference = _reference(connection, table, split, prediction)
    info = _describe(settings, split, periods) | {
        "baseline": asdict(baseline),
        "evaluation": evaluation,
        "reference": reference,
    }
    on_step("keep the version")
    name = save_version(settings, _files(settings, model, info), prefix=str(split.live_from))
    return Training(name, info, predictor, test, prediction, simple)


def read_periods(connection: Connection, table: str, split: Split, baseline_by: str) -> Periods:
    """Read the training, validation and test rows of `table`; the model sees nothing later than the first."""
    encoding = learn_encoding(connection, rows_between(table, None, split.validation_from), CONTRACT)
    bounds = {
        "training": (None, split.validation_from),
        "validation": (split.validation_from, split.test_from),
        "test": (split.test_from, split.live_from),
    }
    found = {
        name: read_dataset(connection, rows_between(table, *dates), CONTRACT, encoding, baseline_by)
        for name, dates in bounds.items()
    }
    problems = [
        f"{name} period: {len(data)} rows with {len(set(data.target.tolist()))} different outcomes before "
        f"{bounds[name][1]}; see split in project.yaml"
        for name, data in found.items()
        if len(set(data.target[:100_000].tolist())) < 2
    ]
    if problems:
        raise ProjectError(problems)
    return Periods(encoding, *found.values())


def rows_between(table: str, start: date | None, end: date | None) -> str:
    """Return the FROM item for the rows of `table` from `start` on and before `end`."""
    return f"(SELECT * FROM {table} WHERE {period(CONTRACT, start, end)})"


def _threshold(settings: Settings, validation: Dataset, predictor: Predictor) -> float:
    prediction = predictor.predict(validation.features)
    return best_threshold(validation.target, prediction, settings.payoff.caught, settings.payoff.false_alarm)


def _reference(connection: Connection, table: str, split: Split, prediction: Floats) -> dict[str, Any]:
    """Return bins and shares: of the features in the training rows, of the predictions in the test rows."""
    learnt_from = rows_between(table, None, split.validation_from)
    bins = learn_bins(connection, learnt_from, of_role(CONTRACT, Role.FEATURE))
    connection.register("predicted", {PREDICTION: prediction})
    predicted = learn_amount_bins(connection, "predicted", PREDICTION)
    counted = shares(connection, learnt_from, bins) | shares(connection, "predicted", [predicted])
    return {
        item.column: {"edges": item.edges, "names": item.names, "shares": counted[item.column]}
        for item in [*bins, predicted]
    }


def _describe(settings: Settings, split: Split, periods: Periods) -> dict[str, Any]:
    return {
        "project": settings.name,
        "metric": agreed_metric(settings),
        "split": {name: str(day) for name, day in split.model_dump().items()},
        "rows": {
            "training": len(periods.learning),
            "validation": len(periods.validation),
            "test": len(periods.test),
        },
        "encoding": asdict(periods.encoding),
        "hyperparameters": estimator.HYPERPARAMETERS,
        "seed": SEED,
        "libraries": {"python": sys.version.split()[0]} | _versions(LIBRARIES),
    }


def _versions(names: tuple[str, ...]) -> dict[str, str]:
    """Return the version of each distribution that is installed; some have another name on some systems."""
    found = {}
    for name in names:
        with suppress(PackageNotFoundError):
            found[name] = installed(name)
    return found


def _files(settings: Settings, model: bytes, info: dict[str, Any]) -> dict[str, bytes]:
    texts = {
        "model.json": json.dumps(info, indent=1, ensure_ascii=False) + "\n",
        "contract.json": json.dumps(CONTRACT.model_json_schema(), indent=1, ensure_ascii=False) + "\n",
        "card.md": model_card(settings, info),
    }
    return {"model.onnx": model} | {name: text.encode() for name, text in texts.items()}
