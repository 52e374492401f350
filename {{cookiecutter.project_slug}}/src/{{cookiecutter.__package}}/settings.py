"""One frozen, typed reading of `project.yaml` and the environment.

An environment variable wins over the file: `<PACKAGE>_ACCURACY__MINIMUM=0.6` overrides
`accuracy: {minimum: ...}`. A part of the project brings what can be set for it in a module `section.py`: the
name of its section, the section, and its secrets, which exist in the environment only.
"""

import os
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from pydantic import Field, ValidationError, create_model
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from .budget import Budget
from .errors import ProjectError
from .facts import Facts, read_facts
from .mistakes import reason
from .sections import Accuracy, Data, Decision, ErrorCosts, Part, Split

PACKAGE = __package__ or ""
ENV_PREFIX = f"{PACKAGE.upper()}_"
FILE = "project.yaml"
SectionOfPart = TypeVar("SectionOfPart", bound=Part)


class Settings(BaseSettings):
    """What can be set in any project. Paths are absolute; a sample run has a workspace of its own."""

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
    error_costs: ErrorCosts
    data: Data = Data()
    split: Split | None = None
    budget: Budget | None = None

    def section(self, kind: type[SectionOfPart]) -> SectionOfPart:
        """Return the section that a part has brought."""
        return next(value for _, value in self if isinstance(value, kind))

    def secret(self, name: str) -> str | None:
        """Return a secret that a part has brought, or None where the environment has none."""
        return getattr(self, name)

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

    def shown(self, path: Path) -> str:
        """Return how a path is told to people: as it lies in the project, or whole where it is elsewhere."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

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


@cache
def sections_of_parts() -> tuple[ModuleType, ...]:
    """Return the module `section.py` of each part that has one."""
    folders = sorted(path.parent.name for path in Path(__file__).parent.glob("*/section.py"))
    return tuple(import_module(f".{folder}.section", PACKAGE) for folder in folders)


def secrets() -> dict[str, Any]:
    """Return the field of each secret, by its name."""
    return {name: field for module in sections_of_parts() for name, field in module.SECRETS.items()}


@cache
def whole_settings() -> type[Settings]:
    """Return the settings with what each part brings, so that mistakes in all of it are found together."""
    fields: dict[str, Any] = {name: (str | None, field) for name, field in secrets().items()}
    fields |= {module.NAME: (module.SECTION, module.SECTION()) for module in sections_of_parts()}
    return create_model("Settings", __base__=Settings, **fields)


def find_root(start: Path | None = None) -> Path:
    """Return the nearest folder at or above `start` (the working folder) that holds project.yaml."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / FILE).is_file():
            return folder
    raise ProjectError(f"{here}: no project.yaml here or above; run this inside the project")


def read_settings(sample: int | None = None, root: Path | None = None) -> Settings:
    """Read project.yaml and the environment; with `sample`, work in `sample/<N>/` of the workspace.

    Raises ProjectError naming every field that is wrong, with its line or its variable.
    """
    root = root or find_root()
    facts = read_facts(root / FILE, FILE)
    misplaced = [name for name in secrets() if name in facts.values]
    if misplaced:
        raise ProjectError(
            f"{FILE}: {name}: has no place in a file that others read; set {ENV_PREFIX}{name.upper()}"
            for name in misplaced
        )
    given = {"workspace": root} | facts.values | {"root": root, "sample": sample}
    found = _validated(facts, given)
    if isinstance(found, list):  # raised out here, without pydantic's error, which would keep all it has seen
        raise ProjectError(found)
    return found.model_copy(update={"workspace": workspace_in(root / found.workspace, found.sample)})


def workspace_in(folder: Path, sample: int | None) -> Path:
    """Return where work goes that is kept in `folder`; a small run has a folder of its own in it."""
    return folder / "sample" / str(sample) if sample else folder


def _validated(facts: Facts, given: dict[str, Any]) -> Settings | list[str]:
    """Return the settings, or a sentence for each mistake in them."""
    try:
        settings = whole_settings().model_validate(given)
    except ValidationError as error:
        return _told(facts, error)
    return facts.sentences(facts.mistakes) if facts.mistakes else settings


def _told(facts: Facts, error: ValidationError) -> list[str]:
    """Return each mistake where it was made: on the command line, in a variable, or in a line of the file."""
    found, in_file = [], []
    for item in error.errors():
        variable = ENV_PREFIX + "__".join(str(part) for part in item["loc"]).upper()
        if item["loc"] == ("sample",):
            found.append(f"--sample: {reason(item)} (given: {item['input']})")
        elif not item["loc"] or os.environ.get(variable):
            shown = item["loc"] and item["loc"][0] not in secrets()
            given = f" (given: {item['input']!r:.60})" if shown else ""
            name = variable if item["loc"] else f"{ENV_PREFIX}*"
            found.append(f"environment, {name}: {reason(item)}{given}")
        else:
            in_file.append(item)
    return [*found, *facts.refusal(in_file, whole_settings().model_json_schema())]
