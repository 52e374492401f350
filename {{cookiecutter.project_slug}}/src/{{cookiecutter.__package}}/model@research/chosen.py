"""The hyperparameters that `train` uses: those of `2-research/hyperparameters.yaml`, or the defaults.

`tune` writes the file, and people may. A sample has one of its own in its folder, and reads the project's
where it has none.
"""

import json
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from ..facts import read_facts
from ..files import write_whole
from ..sections import Part
from ..settings import Settings
from .hyperparameters import DEFAULTS, Hyperparameters

FILE = "2-research/hyperparameters.yaml"
HEADER = """\
# What the model is trained with. `tune` wrote it, by the rows before the split's test_from; without this file
# the defaults of model/hyperparameters.py hold. Values changed by hand are used too, and not called tuned.
"""


class Tuned(Part):
    """How the values were found, and how much better than those before they were on the validation rows.

    `checksum` is that of the values, so that a later change by hand is noticed.
    """

    on: date
    trials: int = Field(ge=1)
    metric: str
    gain: float
    low: float
    high: float
    checksum: str


class Chosen(Part):
    """The hyperparameters in use; `tuned` where `tune` has found them."""

    hyperparameters: Hyperparameters = DEFAULTS
    tuned: Tuned | None = None

    def origin(self) -> dict[str, Any] | None:
        """Return how the values were tuned; None where they are the defaults or somebody's own."""
        if self.tuned is None or self.tuned.checksum != checksum(self.hyperparameters):
            return None
        return self.tuned.model_dump(mode="json", exclude={"checksum"})


def read_chosen(settings: Settings) -> Chosen:
    """Return what is in use; raises ProjectError naming line, rule and remedy of every mistake.

    An empty file, as `start-over` leaves it, is none.
    """
    own = _own_path(settings)
    path = own if own.is_file() else settings.root / FILE
    if not path.is_file() or not path.read_bytes().strip():
        return Chosen()
    return read_facts(path, settings.shown(path)).read_as(Chosen)


def write_chosen(settings: Settings, chosen: Chosen) -> Path:
    """Write the file for `train` to read, whole or not at all, and return its path."""
    path = _own_path(settings)
    write_whole(path, HEADER + yaml.safe_dump(chosen.model_dump(mode="json"), sort_keys=False))
    return path


def checksum(hyperparameters: Hyperparameters) -> str:
    """Return what differs where any value does."""
    return sha256(json.dumps(hyperparameters.model_dump(), sort_keys=True).encode()).hexdigest()[:12]


def _own_path(settings: Settings) -> Path:
    return settings.workspace / Path(FILE).name if settings.sample else settings.root / FILE
