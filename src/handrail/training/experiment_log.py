"""The log of research: the rounds of training and of tuning, and how often the test period was looked at.

Rounds are scored on rows before the test period. Whoever chooses between many rounds by the rows that are to
judge the chosen one fools themselves: Dwork et al., The reusable holdout, Science (2015).
"""

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, date, datetime
from math import isnan, nan
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from handrail.config.settings import Settings
from handrail.config.validation_errors import format_error
from handrail.errors import ProjectError

LOG = "2-research/rounds.jsonl"
CODE = ("src", "project.yaml", "2-research/hyperparameters.yaml")


def _known(value: object) -> object:
    return nan if value is None else value


# An end of an interval: null, NaN once read, where too few groups were measured to give any.
End = Annotated[float, Field(allow_inf_nan=True), BeforeValidator(_known)]


class Gain(BaseModel):
    """How much better the best of a tuning is than what was used before: above 0, with its 95% interval."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    value: float
    low: End
    high: End


class Tuning(BaseModel):
    """The trials of a tuning, the first with what was used before, and what came of them.

    scores: of the trials, in their order, on rows that the model learns from · failed: those without a score
    hyperparameters: the best · features: what they are for · adopted: whether they are used from then on
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    scores: tuple[float, ...] = Field(min_length=1)
    failed: int = Field(ge=0)
    hyperparameters: dict[str, float]
    features: tuple[str, ...]
    gain: Gain
    adopted: bool


class Experiment(BaseModel):
    """What is read of a line of the log: one training or tuning, by the metric that decided then.

    `gain_low` is the low end of how much better it is than the baseline. Of a tuning, the figures are those
    of the best on the validation rows, and `version` is the model that there was. `period`: of which rows the
    figures are; lines of before there was a choice are of the test period.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    at: AwareDatetime
    note: str
    metric: str
    value: float
    low: End
    high: End
    baseline: float
    gain_low: End
    seconds: float = Field(ge=0)
    version: str
    tuning: Tuning | None = None
    period: Literal["validation", "test"] = "test"

    @property
    def scored_on(self) -> str:
        """The period whose rows it was scored on."""
        return "validation" if self.tuning else self.period


class LookAtTest(BaseModel):
    """A line of the log that says that the figures of a version on a test period were looked at."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    at: AwareDatetime
    version: str
    metric: str
    value: float
    low: End
    high: End
    test_from: date | None = None
    live_from: date | None = None
    split: Mapping[str, Any] | None = None

    @property
    def parted(self) -> dict[str, Any]:
        """The split whose test rows were looked at: of one by time, the days that bound them."""
        days = {"test_from": self.test_from, "live_from": self.live_from}
        return dict(self.split) if self.split else {name: str(day) for name, day in days.items()}


def read_experiments(settings: Settings) -> list[Experiment]:
    """Return the rounds of the log in their order, none where there is no log.

    Raises ProjectError naming every bad line.
    """
    return [each for each in _read(settings) if isinstance(each, Experiment)]


def looks_at_test(settings: Settings, split: Mapping[str, Any]) -> list[LookAtTest]:
    """Return the looks at the test rows of a split, by its record, in order; of each version the first."""
    found: dict[str, LookAtTest] = {}
    for each in _read(settings):
        if isinstance(each, LookAtTest) and each.parted == _of_test(split):
            found.setdefault(each.version, each)
    return list(found.values())


def looks_at_other_test_rows(settings: Settings, split: Mapping[str, Any]) -> int:
    """Return of how many versions the test rows of other splits were looked at."""
    looks = (each for each in _read(settings) if isinstance(each, LookAtTest))
    return len({each.version for each in looks if each.parted != _of_test(split)})


def _of_test(split: Mapping[str, Any]) -> dict[str, Any]:
    """Return what tells the test rows of a split."""
    days = ("test_from", "live_from")
    return dict(split) if "by" in split else {name: str(split[name]) for name in days}


def counts_looks(settings: Settings) -> bool:
    """Return whether looks are counted: not in small runs, nor of the worked example, whose data is known."""
    return not (settings.sample or (settings.example and not settings.borrowed))


def log_look(settings: Settings, version: str, info: Mapping[str, Any]) -> int | None:
    """Log that the test figures of a version are looked at, and return how many versions' were by now.

    `info` is its record. A version counts once; None where looks are not counted.
    """
    if not counts_looks(settings):
        return None
    split = _of_test(info["split"])
    before = looks_at_test(settings, split)
    if version in [each.version for each in before]:
        return len(before)
    metric = info["metric"]
    look = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": version,
        "metric": metric,
        **rounded(info["evaluation"]["model"][metric]),
        **({"split": split} if "by" in split else split),
    }
    log_experiment(settings, look)
    return len(before) + 1


def _read(settings: Settings) -> list[Experiment | LookAtTest]:
    """Return all lines of the log; raises ProjectError naming every bad one."""
    path = settings.root / LOG
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    found: list[Experiment | LookAtTest] = []
    problems = []
    for number, line in enumerate(lines, start=1):
        try:
            kind = LookAtTest if '"test_from"' in line or '"split"' in line else Experiment
            found.append(kind.model_validate_json(line))
        except ValidationError as error:
            for item in error.errors():
                place = ": ".join((f"{LOG}, line {number}", *map(str, item["loc"])))
                problems.append(f"{place}: {format_error(item, {})}")
    if problems:
        raise ProjectError(problems)
    return found


def last_tuning(settings: Settings) -> Experiment | None:
    """Return the last round of tuning, or None: the evidence that the hyperparameters were tuned."""
    return next((each for each in reversed(read_experiments(settings)) if each.tuning), None)


def describe_experiment(
    root: Path, version: str, info: Mapping[str, Any], note: str, seconds: float
) -> dict[str, Any]:
    """Return a round: what was tried, what came out by the metric that decides, the cost, the code.

    `info` is the record of the version, of which the figures on the validation rows count; `seconds` is the
    time that the training took.
    """
    metric, evaluation = info["metric"], info["validation"]
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "note": note,
        "metric": metric,
        "period": "validation",
        **rounded(evaluation["model"][metric]),
        "baseline": round(evaluation["baseline"][metric]["value"], 6),
        "gain_low": rounded(evaluation["gain"][metric])["low"],
        "seconds": round(seconds, 1),
        "rows": dict(info["rows"]),
        "version": version,
        **({"taken": info["taken"]} if "taken" in info else {}),
        **code_state(root),
    }


def rounded(figures: Mapping[str, float]) -> dict[str, float | None]:
    """Return a figure with the ends of its interval, as they are logged: None where they are not known."""
    found = {name: figures[name] for name in ("value", "low", "high")}
    return {name: None if isnan(each) else round(each, 6) + 0.0 for name, each in found.items()}


def log_experiment(settings: Settings, described: Mapping[str, Any]) -> Path:
    """Append a round as one line, in one write; return the path of the log."""
    path = settings.root / "2-research" / "rounds.jsonl"
    line = json.dumps(described, ensure_ascii=False) + "\n"
    path.parent.mkdir(exist_ok=True)
    with path.open("ab", buffering=0) as log:
        log.write(line.encode())
    return path


def code_state(root: Path) -> dict[str, Any]:
    """Return the commit and whether what trains a model differs from it; None where git knows no commit."""
    command = ["git", "--no-optional-locks", "status", "--porcelain=v2", "--branch", "--", *CODE]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "changed": None}
    first, *rest = done.stdout.splitlines()
    commit = first.removeprefix("# branch.oid ")
    if commit == "(initial)":
        return {"commit": None, "changed": None}
    return {"commit": commit, "changed": any(not line.startswith("#") for line in rest)}
