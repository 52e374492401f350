"""One frozen, typed reading of `project.yaml` and the environment.

An environment variable wins over the file: `<PACKAGE>_ACCURACY__MINIMUM=0.6` overrides
`accuracy: {minimum: ...}`. Secrets (API key, webhook) exist in the environment only.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from .errors import ProjectError

PACKAGE = __package__ or ""
ENV_PREFIX = f"{PACKAGE.upper()}_"
Share = Annotated[float, Field(ge=0, le=1)]
Range = tuple[float, float]


class Part(BaseModel):
    """A section of `project.yaml`: unknown names are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Decision(Part):
    """What is decided with the prediction, for whom, and whether the project may go on."""

    question: str
    sponsor: str
    kpis: tuple[str, ...] = Field(min_length=1)
    go: Literal["go", "no-go", "open"]
    decided_by: str | None = None
    decided_on: date | None = None

    @model_validator(mode="after")
    def signed(self) -> Self:
        """Refuse a decision without a name and a date."""
        if self.go != "open" and not (self.decided_by and self.decided_on):
            raise ValueError("a go or no-go needs decided_by and decided_on")
        if self.decided_on and self.decided_on > date.today():
            raise ValueError(f"decided_on is in the future: {self.decided_on}")
        return self


class Data(Part):
    """Where raw tables come from (empty: the packaged example), and how much the engine may use."""

    source: Path | None = None
    maximum_rejected_share: Share = 0.01
    memory_limit: str = Field("2GB", pattern=r"^\d+(\.\d+)?\s?[KMGT]i?B$")


class Split(Part):
    """The time-ordered split: before `validation_from` the model learns, after `live_from` it is live."""

    validation_from: date
    test_from: date
    live_from: date

    @model_validator(mode="after")
    def ordered(self) -> Self:
        """Refuse a split whose dates are out of order."""
        if not self.validation_from < self.test_from < self.live_from:
            raise ValueError("validation_from, test_from and live_from must follow one another")
        return self

    def ending(self, until: date) -> "Split":
        """Return this split moved so that the test period ends at `until`, all lengths kept."""
        moved = until - self.live_from
        return Split(
            validation_from=self.validation_from + moved,
            test_from=self.test_from + moved,
            live_from=until,
        )


class Accuracy(Part):
    """What a model must reach before it may go live."""

    metric: str
    minimum: float
    baseline_by: str
    tolerance: float = Field(0.0, ge=0)


class Payoff(Part):
    """What a warning is worth to the user, in the project's currency."""

    currency: str
    caught: float = Field(gt=0)
    false_alarm: float = Field(lt=0)


class Live(Part):
    """The range in which live figures are expected; outside it, an alert."""

    expected: dict[str, Range] = {}
    drift_limit: float = Field(0.25, gt=0)
    maximum_age_days: int = Field(120, gt=0)
    maximum_violation_share: Share = 0.01
    minimum_outcomes: int = Field(500, ge=1)


class Serving(Part):
    """Limits of the HTTP service."""

    require_api_key: bool = True
    maximum_records: int = Field(1000, ge=1)
    maximum_body_bytes: int = Field(1_000_000, ge=1000)


class Settings(BaseSettings):
    """Everything that can be set. Paths are absolute; a sample run has a workspace of its own."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    root: Path
    workspace: Path
    sample: int | None = Field(None, ge=100)
    name: str
    description: str
    decision: Decision
    accuracy: Accuracy
    payoff: Payoff
    data: Data = Data()
    split: Split | None = None
    live: Live = Live()
    serving: Serving = Serving()
    api_key: str | None = Field(None, min_length=16, repr=False)
    webhook_url: str | None = Field(None, pattern="^https?://", repr=False)

    @property
    def dates(self) -> Split:
        """The split; raises ProjectError where the project has none yet."""
        if self.split is None:
            raise ProjectError("project.yaml: split is missing; it says what is learnt from and tested on")
        return self.split

    @property
    def source(self) -> Path | None:
        """The folder of the raw tables, absolute, or None for the packaged example."""
        return self.root / self.data.source if self.data.source else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, and read no other source."""
        return env_settings, init_settings


def find_root(start: Path | None = None) -> Path:
    """Return the nearest folder at or above `start` (the working folder) that holds project.yaml."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "project.yaml").is_file():
            return folder
    raise ProjectError(f"{here}: no project.yaml here or above; run this inside the project")


def read_settings(sample: int | None = None, root: Path | None = None) -> Settings:
    """Read project.yaml and the environment; with `sample`, work in `sample/<N>/` instead of the root.

    Raises ProjectError naming every field that is wrong.
    """
    root = root or find_root()
    facts = _read_yaml(root / "project.yaml")
    workspace = root / "sample" / str(sample) if sample else root
    try:
        return Settings.model_validate({"workspace": workspace} | facts | {"root": root, "sample": sample})
    except ValidationError as error:
        raise ProjectError(_describe(item) for item in error.errors()) from None


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        facts = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ProjectError(f"{path.name}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(facts, dict):
        raise ProjectError(f"{path.name}: expected names and values, found {type(facts).__name__}")
    return facts


def _describe(item: Mapping[str, Any]) -> str:
    field = ".".join(str(part) for part in item["loc"]) or "split"
    secret = field in ("api_key", "webhook_url")
    given = "" if secret or item["type"] == "missing" else f" (given: {item['input']!r:.60})"
    return f"project.yaml: {field}: {item['msg']}{given}"
