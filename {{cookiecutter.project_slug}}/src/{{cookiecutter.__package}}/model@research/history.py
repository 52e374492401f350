"""Reads the log of research: the rounds of training and of tuning, in their order."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from ..errors import ProjectError
from ..mistakes import told
from ..settings import Settings

LOG = "2-research/rounds.jsonl"


class Gain(BaseModel):
    """How much better the best of a tuning is than what was used before: above 0, with its 95% interval."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    value: float
    low: float
    high: float


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


class Round(BaseModel):
    """What is read of a line of the log: one training or tuning, by the metric that decided then.

    `gain_low` is the low end of how much better it is than the baseline. Of a tuning, the figures are those
    of the best on the validation rows, and `version` is the model that there was.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    at: AwareDatetime
    note: str
    metric: str
    value: float
    low: float
    high: float
    baseline: float
    gain_low: float
    seconds: float = Field(ge=0)
    version: str
    tuning: Tuning | None = None


def read_rounds(settings: Settings) -> list[Round]:
    """Return the rounds of the log in their order, none where there is no log.

    Raises ProjectError naming every bad line.
    """
    path = settings.root / LOG
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    found, problems = [], []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(Round.model_validate_json(line))
        except ValidationError as error:
            for item in error.errors():
                place = ": ".join((f"{LOG}, line {number}", *map(str, item["loc"])))
                problems.append(f"{place}: {told(item, {})}")
    if problems:
        raise ProjectError(problems)
    return found


def last_tuning(settings: Settings) -> Round | None:
    """Return the last round of tuning, or None: the evidence that the hyperparameters were tuned."""
    return next((each for each in reversed(read_rounds(settings)) if each.tuning), None)
