"""One frozen, typed reading of `project.yaml` and the environment.

An environment variable wins over the file: `<PACKAGE>_ACCURACY__MINIMUM=0.6` overrides
`accuracy: {minimum: ...}`. What a project does not have can't be set: the sections and secrets are those of
its parts. Secrets exist in the environment only.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

from pydantic import Discriminator, Field, PrivateAttr, Tag, ValidationError, create_model
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from handrail.config.budget import Budget
from handrail.config.root import FILE, find_root
from handrail.config.sections import (
    BY_CHANCE,
    BY_TIME,
    Accuracy,
    Alerts,
    AmountWords,
    Compute,
    Data,
    Decision,
    ErrorCosts,
    Live,
    Outcome,
    Readiness,
    Retention,
    Retraining,
    Section,
    Serving,
    Shares,
    Split,
    Storage,
    Words,
    kind_of_split,
)
from handrail.config.validation_errors import reason
from handrail.config.yaml_file import YamlFile, read_yaml_file
from handrail.contract.schema import Role, one_of_role
from handrail.errors import ProjectError
from handrail.storage import addresses

if TYPE_CHECKING:
    from handrail.project import Project

REPLAY = "replay.json"  # in the workspace of what production saw once
SPLITS: dict[object, type[Section]] = {BY_TIME: Split, BY_CHANCE: Shares}
AnySplit = Annotated[
    Annotated[Split, Tag(BY_TIME)] | Annotated[Shares, Tag(BY_CHANCE)], Discriminator(kind_of_split)
]
SectionOfProject = TypeVar("SectionOfProject", bound=Section)
SECTIONS: dict[str, dict[str, type[Section]]] = {
    "api": {"serving": Serving},
    "operation": {
        "live": Live,
        "alerts": Alerts,
        "retraining": Retraining,
        "retention": Retention,
        "readiness": Readiness,
    },
}
SECRETS: dict[str, dict[str, Any]] = {
    "research": {"compute_url": Field(None, repr=False)},  # of PostgreSQL, where the data is processed there
    "api": {"api_key": Field(None, min_length=16, repr=False)},
    "operation": {
        "webhook_url": Field(None, repr=False),  # one that can't be used is told by what would use it
        "smtp_url": Field(None, repr=False),
        "forgetting_secret": Field(None, min_length=16, repr=False),
    },
}


class Settings(BaseSettings):
    """What can be set in any project. Paths are absolute; a sample run has a workspace of its own.

    `project` is the project that these settings are of; each has a subclass of its own.
    """

    model_config = SettingsConfigDict(
        env_nested_delimiter="__",
        env_ignore_empty=True,  # a secret that is not set reaches a CI job as an empty text
        extra="forbid",
        frozen=True,
    )
    project: "ClassVar[Project]"

    root: Path
    workspace: Path
    sample: int | None = Field(None, ge=100)
    name: str
    description: str
    example: bool = False
    decision: Decision
    accuracy: Accuracy
    error_costs: ErrorCosts = ErrorCosts(currency=ErrorCosts.NOT_AGREED, too_low=1, too_high=1)
    data: Data = Data()
    compute: Compute = Compute()
    split: AnySplit | None = None
    outcome: Outcome = Outcome()
    budget: Budget | None = None
    storage: Storage = Storage()
    _not_accepted: bool = PrivateAttr(default=False)
    _home: Path | None = PrivateAttr(default=None)
    _reload: bool = PrivateAttr(default=False)

    @property
    def not_accepted(self) -> bool:
        """Whether the table meant is the one that `retrain` has built and that nothing else reads yet."""
        return self._not_accepted

    def with_table(self, *, accepted: bool) -> Self:
        """Return the same with the loaded table that everything reads, or else the one not accepted yet."""
        found = self.model_copy()
        found._not_accepted = not accepted
        return found

    @property
    def reload(self) -> bool:
        """Whether `etl` fetches all that is in a bucket or a database anew, whatever is kept of it."""
        return self._reload

    def reloading(self) -> Self:
        """Return the same settings, by which it does."""
        made = self.model_copy()
        made._reload = True
        return made

    @property
    def shared(self) -> Storage:
        """What is shared with other machines: of the project's own workspace alone, and of no small run.

        Whatever is tried in a workspace of its own, as a copy to break, changes nothing that others see.
        """
        alone = self.workspace != self._home or (self.workspace / REPLAY).is_file()
        return Storage() if alone else self.storage

    def section(self, kind: type[SectionOfProject]) -> SectionOfProject:
        """Return the section that a part has brought."""
        return next(value for _, value in self if isinstance(value, kind))

    def secret(self, name: str) -> str | None:
        """Return a secret that a part has brought, or None where the environment has none."""
        return getattr(self, name)

    def on_this_machine(self, workspace: Path) -> Self:
        """Return the same for a workspace that is thrown away: it changes no table of another engine."""
        here = self.compute.model_copy(update={"engine": "duckdb"})
        return self.model_copy(update={"workspace": workspace, "compute": here})

    @property
    def parted(self) -> Split | Shares:
        """How rows are parted; raises ProjectError where the project does not say yet."""
        if self.split is None:
            raise ProjectError("project.yaml: split is missing; it says what is learnt from and tested on")
        return self.split

    @property
    def dates(self) -> Split:
        """The days that part the rows; raises ProjectError where chance parts them, or nothing yet."""
        if isinstance(self.parted, Shares):
            raise ProjectError(f"project.yaml: split.by: {self.parted.by}: it knows no days; by: time does")
        return self.parted

    @property
    def borrowed(self) -> bool:
        """Whether the texts and names are still the worked example's, though the data is the team's own.

        It is where `data.source` is set, or a raw table is no file: all of the example's are.
        """
        return self.example and (self.data.source is not None or _asks_for_rows(self.project))

    @property
    def source(self) -> Path | None:
        """The folder of the raw tables, absolute, or None for the packaged example.

        Of a bucket or a database, it is that of this machine's copies, which `bring_in` brings up to date.
        """
        if not self.data.source:
            return None
        source = str(self.data.source)
        if addresses.scheme_of(source) is None:
            return self.root / source
        small = self.sample and self.workspace.parts[-2:] == ("sample", str(self.sample))
        return (self.workspace.parents[1] if small else self.workspace) / "data" / "source"

    @property
    def source_address(self) -> str | None:
        """The address of the bucket or database of the raw tables, with all that is secret in it; or None."""
        source = str(self.data.source or "")
        return source if addresses.scheme_of(source) else None

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


def _asks_for_rows(project: "Project") -> bool:
    """Return whether a raw table of the project comes from a service or a database."""
    if not project.has("research"):
        return False
    from handrail.etl.raw_files import RawRows  # only where there is data: the library for it may be absent

    return any(isinstance(table, RawRows) for table in project.raw_tables.values())


def settings_type(project: "Project") -> type[Settings]:
    """Return the settings that `project` can have, so that mistakes in all of them are found together."""
    fields: dict[str, Any] = {name: (str | None, field) for name, field in secrets(project).items()}
    kinds = {
        name: kind for part, each in SECTIONS.items() if project.has(part) for name, kind in each.items()
    }
    if project.has("research"):
        kinds["words"] = _words(project)
    fields |= {name: (kind, kind()) for name, kind in kinds.items()}
    made = create_model("Settings", __base__=Settings, **fields)
    made.project = project
    made.model_config["env_prefix"] = project.env_prefix
    return made


def secrets(project: "Project") -> dict[str, Any]:
    """Return the field of each secret that the parts of a project have, by its name."""
    return {
        name: field for part, each in SECRETS.items() if project.has(part) for name, field in each.items()
    }


def _words(project: "Project") -> type[Words]:
    """Return the section `words` of a project, its defaults taken from the contract."""
    kind = project.task.words
    defaults: dict[str, Any] = {"rows": (str, project.table_name.replace("_", " "))}
    made = create_model("Words", __base__=kind, **defaults)
    if issubclass(made, AmountWords):
        made.unit_of_contract = one_of_role(project.contract, Role.TARGET).unit or project.target.replace(
            "_", " "
        )
    return made


def read_settings(project: "Project", sample: int | None = None, root: Path | None = None) -> Settings:
    """Read project.yaml and the environment; with `sample`, work in `sample/<N>/` of the workspace.

    `root`: the folder of project.yaml; by default the project's own, or the nearest around the working one.

    Raises ProjectError naming every field that is wrong, with its line or its variable.
    """
    root = root or project.root or find_root()
    _refuse_another(project, root)
    facts = read_yaml_file(root / FILE, FILE)
    misplaced = [name for name in secrets(project) if name in facts.values]
    if misplaced:
        raise ProjectError(
            f"{FILE}: {name}: has no place in a file that others read; set {project.env_prefix}{name.upper()}"
            for name in misplaced
        )
    given = {"workspace": root} | facts.values | {"root": root, "sample": sample}
    found = _validated(project, facts, given)
    if isinstance(found, list):  # raised out here, without pydantic's error, which would keep all it has seen
        raise ProjectError(found)
    refused = list(_refused_addresses(found, facts))
    if refused:
        raise ProjectError(refused)
    made = found.model_copy(update={"workspace": workspace_in(root / found.workspace, found.sample)})
    made._home = root / found.workspace
    return made


def _refused_addresses(settings: Settings, facts: YamlFile) -> Iterator[str]:
    """Say of each address why it can't be used, without a letter of it."""
    variable = f"{settings.project.env_prefix}DATA__SOURCE"
    in_file = (facts.values.get("data") or {}).get("source")
    workspace = re.sub(
        r"^(\w{2,}):/(?!/)", r"\1://", settings.workspace.as_posix()
    )  # as it was before a Path
    places = {("data", "source"): settings.data.source, ("workspace",): workspace}
    places |= {("storage", name): getattr(settings.storage, name) for name in ("registry", "predictions")}
    if isinstance(in_file, str) and addresses.has_password(in_file):
        yield (
            f"{FILE}, line {facts.line(('data', 'source'))}: data.source: it holds a password, which has no "
            f"place in a file that others read; set {variable}, or PGPASSWORD and an address without it"
        )
    for place, address in places.items():
        if not address or addresses.scheme_of(str(address)) is None:
            continue
        if place == ("workspace",):
            said = (
                "it has to be a folder; what machines share is set by storage.registry and "
                "storage.predictions"
            )
        else:
            said = addresses.refusal(address, database=place == ("data", "source"))
            if not said and place[0] == "storage" and addresses.is_database(address):
                said = "a database is no storage of files"
        if said:
            name = settings.project.env_prefix + "__".join(place).upper()
            where = f"environment, {name}" if os.environ.get(name) else f"{FILE}, line {facts.line(place)}"
            yield f"{where}: {'.'.join(place)}: {said}"


def _refuse_another(project: "Project", root: Path) -> None:
    """Raise ProjectError where `root` has another package of this name than the one that is imported.

    The facts would be those of one project, the code that of another.
    """
    own = root / "src" / project.package
    imported = project.folder
    if imported is None or not own.is_dir() or own.resolve() == imported.resolve():
        return
    here, there = (
        {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*.py")}
        for place in (own, imported)
    )
    if here != there:
        raise ProjectError(
            f"{own}: another {project.package} is imported in this process, from {imported}; run "
            f"`uv run {project.program}` in this folder, in a process of its own"
        )


def workspace_in(folder: Path, sample: int | None) -> Path:
    """Return where work goes that is kept in `folder`; a small run has a folder of its own in it."""
    return folder / "sample" / str(sample) if sample else folder


def instead(settings: Settings, path: Path) -> str:
    """Return the advice to look at a small run, where one has the file `path` that the whole lacks; or ""."""
    if settings.sample or not path.is_relative_to(settings.workspace):
        return ""
    name = path.relative_to(settings.workspace)
    found = [folder for folder in (settings.workspace / "sample").glob("*") if (folder / name).is_file()]
    newest = max(found, key=lambda folder: (folder / name).stat().st_mtime, default=None)
    return f"; a small run has it: --sample {newest.name}, in Python sample={newest.name}" if newest else ""


def _validated(project: "Project", facts: YamlFile, given: dict[str, Any]) -> Settings | list[str]:
    """Return the settings, or a sentence for each mistake in them."""
    try:
        settings = project.settings_type.model_validate(given)
    except ValidationError as error:
        return _told(project, facts, error)
    return facts.sentences(facts.mistakes) if facts.mistakes else settings


def _told(project: "Project", facts: YamlFile, error: ValidationError) -> list[str]:
    """Return each mistake where it was made: on the command line, in a variable, or in a line of the file."""
    found, in_file, schema = [], [], project.settings_type.model_json_schema()
    for item in error.errors():
        tag = next((part for part in item["loc"] if part in SPLITS), None)
        if tag is not None:  # which of the two splits it is said of is not where it stands
            item["loc"] = tuple(part for part in item["loc"] if part != tag)
            schema["properties"]["split"] = {"$ref": f"#/$defs/{SPLITS[tag].__name__}"}
        variable = project.env_prefix + "__".join(str(part) for part in item["loc"]).upper()
        if item["loc"] == ("sample",):
            found.append(f"--sample: {reason(item)} (given: {item['input']})")
        elif not item["loc"] or os.environ.get(variable):
            shown = item["loc"] and item["loc"][0] not in secrets(project)
            given = f" (given: {addresses.without_secrets(repr(item['input'])):.60})" if shown else ""
            name = variable if item["loc"] else f"{project.env_prefix}*"
            found.append(f"environment, {name}: {reason(item)}{given}")
        else:
            in_file.append(item)
    return [*found, *facts.refusal(in_file, schema)]
