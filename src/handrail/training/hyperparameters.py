"""The hyperparameters that `train` uses: those of `2-research/hyperparameters.yaml`, or the defaults.

`tune` writes the file, and people may. A sample has one of its own in its folder, and reads the project's
where it has none.
"""

import json
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from pydantic import Field, create_model

from handrail.config.sections import Section
from handrail.config.settings import Settings
from handrail.config.yaml_file import read_yaml_file
from handrail.files import write_whole

if TYPE_CHECKING:
    from handrail.project import Project

FILE = "2-research/hyperparameters.yaml"
HEADER = """\
# What the model is trained with. `tune` wrote it, by the rows before the split's test_from; without this file
# the defaults of model/estimator.py hold. Values changed by hand are used too, and not called tuned.
"""


class Between(NamedTuple):
    """Where tuning looks: the least and the greatest value to try; `log`: steps are factors.

    Whole numbers are tried if both ends are whole.
    """

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are tried."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def holds(self, value: float) -> bool:
        """Return whether a value lies here."""
        return self.low <= value <= self.high


class Tuned(Section):
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


class TunedParameters(Section):
    """The hyperparameters in use; `tuned` where `tune` has found them."""

    hyperparameters: Section
    tuned: Tuned | None = None

    def origin(self) -> dict[str, Any] | None:
        """Return how the values were tuned; None where they are the defaults or somebody's own."""
        if self.tuned is None or self.tuned.checksum != checksum(self.hyperparameters):
            return None
        return self.tuned.model_dump(mode="json", exclude={"checksum"})


@cache
def _parameters_type(kind: type[Section]) -> type[TunedParameters]:
    """Return what the file may hold of one estimator's hyperparameters, whose defaults hold without it."""
    return create_model("TunedParameters", __base__=TunedParameters, hyperparameters=(kind, kind()))


def parameters_type(project: "Project") -> type[TunedParameters]:
    """Return what `2-research/hyperparameters.yaml` of a project may hold."""
    return _parameters_type(project.estimator.Hyperparameters)


def read_parameters(settings: Settings) -> TunedParameters:
    """Return what is in use; raises ProjectError naming line, rule and remedy of every mistake.

    An empty file, as `start-over` leaves it, is none.
    """
    own, kind = _own_path(settings), parameters_type(settings.project)
    path = own if own.is_file() else settings.root / FILE
    if not path.is_file() or not path.read_bytes().strip():
        return kind()  # ty: ignore[missing-argument]
    return read_yaml_file(path, settings.shown(path)).read_as(kind)


def write_parameters(settings: Settings, parameters: TunedParameters) -> Path:
    """Write the file for `train` to read, whole or not at all, and return its path."""
    path = _own_path(settings)
    write_whole(path, HEADER + yaml.safe_dump(parameters.model_dump(mode="json"), sort_keys=False))
    return path


def checksum(hyperparameters: Section) -> str:
    """Return what differs where any value does."""
    return sha256(json.dumps(hyperparameters.model_dump(), sort_keys=True).encode()).hexdigest()[:12]


def _own_path(settings: Settings) -> Path:
    return settings.workspace / Path(FILE).name if settings.sample else settings.root / FILE
