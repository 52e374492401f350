"""What a version is made of: its record, its contract, its card, the model's file."""

import json
import sys
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Any

from ..contract import CONTRACT
from ..engine import Connection
from ..schema import Role, of_role
from ..sections import Split
from ..settings import Settings
from . import estimator
from .card import model_card
from .chosen import Chosen
from .features import Floats
from .periods import Periods, rows_between
from .reference import PREDICTION, learn_amount_bins, learn_bins, shares
from .requirements import agreed_metric
from .rounds import code_state

SEED = 0
LIBRARIES = ("numpy", "onnxruntime", "duckdb", *estimator.LIBRARIES)


def describe(settings: Settings, split: Split, periods: Periods, chosen: Chosen) -> dict[str, Any]:
    """Return what is known of a training run before anything is measured."""
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
        "hyperparameters": chosen.hyperparameters.model_dump(),
        "tuned": chosen.origin(),
        "seed": SEED,
        "code": code_state(settings.root),
        "libraries": {"python": sys.version.split()[0]} | installed_versions(LIBRARIES),
    }


def count_reference(connection: Connection, table: str, split: Split, prediction: Floats) -> dict[str, Any]:
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


def installed_versions(names: tuple[str, ...]) -> dict[str, str]:
    """Return the version of each distribution that is installed; some have another name on some systems."""
    found = {}
    for name in names:
        with suppress(PackageNotFoundError):
            found[name] = installed(name)
    return found


def version_files(settings: Settings, model: bytes, info: dict[str, Any]) -> dict[str, bytes]:
    """Return the files of a version by name."""
    texts = {
        "model.json": json.dumps(info, indent=1, ensure_ascii=False) + "\n",
        "contract.json": json.dumps(CONTRACT.model_json_schema(), indent=1, ensure_ascii=False) + "\n",
        "card.md": model_card(settings, info),
    }
    return {"model.onnx": model} | {name: text.encode() for name, text in texts.items()}
