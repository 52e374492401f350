"""One frozen, typed reading of `project.yaml` and the environment.

An environment variable wins over the file: `<PACKAGE>_ACCURACY__MINIMUM=0.6` overrides
`accuracy: {minimum: ...}`. Secrets (API key, webhook) exist in the environment only.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from .budget import Budget
from .errors import ProjectError
from .sections import Accuracy, Data, Decision, Live, Payoff, Serving, Split

PACKAGE = __package__ or ""
ENV_PREFIX = f"{PACKAGE.upper()}_"
SECRETS = ("api_key", "webhook_url")


class Settings(BaseSettings):
    """Everything that can be set. Paths are absolute; a sample run has a workspace of its own."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,  # a secret that is not set reaches a CI job as an empty text
        extra="forbid",
        frozen=True,
    )

    root: Path
    workspace: Path
    sample: int | None = Field(None, ge=100)
    name: str
    description: str
    example: bool = False
    decision: Decision
    accuracy: Accuracy
    payoff: Payoff
    data: Data = Data()
    split: Split | None = None
    budget: Budget | None = None
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
    def borrowed(self) -> bool:
        """Whether the texts and names are still the worked example's, though the data is the team's own."""
        return self.example and self.data.source is not None

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
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date like 2026-02-30, or not UTF-8
        raise ProjectError(f"{path.name}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(facts, dict):
        raise ProjectError(f"{path.name}: expected names and values, found {type(facts).__name__}")
    secrets = [name for name in SECRETS if name in facts]
    if secrets:
        raise ProjectError(
            f"{path.name}: {name}: has no place in a file that others read; set {ENV_PREFIX}{name.upper()}"
            for name in secrets
        )
    return facts


def _describe(item: Mapping[str, Any]) -> str:
    field = ".".join(str(part) for part in item["loc"])
    shown = field not in SECRETS and isinstance(item["input"], str | int | float | None)
    given = f" (given: {item['input']!r:.60})" if shown and item["type"] != "missing" else ""
    place = f"project.yaml: {field}" if field else f"environment, {ENV_PREFIX}*"
    return f"{place}: {item['msg'].removeprefix('Value error, ')}{given}"
