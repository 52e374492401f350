"""What a project is: one object that its own package makes, and that is handed to everything.

`project = Project(__name__)` in the package's `__init__.py` names the package and nothing else. What the
package brings (contract, tables, estimator, checks, ...) is looked up when it is first asked for, so that
importing it costs nothing, and so that a process can hold many projects.
"""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from handrail.errors import ProjectError

if TYPE_CHECKING:
    import pandas as pd

    from handrail.config.settings import Settings
    from handrail.contract.schema import Record, Role
    from handrail.estimator import Estimator
    from handrail.etl.raw_files import RawSource
    from handrail.monitoring.checks import Check
    from handrail.tasks.metric import Metrics
    from handrail.tasks.task import Task
    from handrail.training.encoding import Coding

STAGES = ("discovery", "research", "production", "operation")
# The module or folder of the package that shows that it has a part.
SHOWN_BY = {
    "research": "contract.py",
    "production": "serve/__init__.py",
    "operation": "monitor/__init__.py",
    "api": "serve/api.py",
    "batch": "serve/batch.py",
    "dashboard": "dashboard/app.py",
}


class Project:
    """A project by the name of its package, such as `late_flights`.

    Args:
        package: the name of the package, as `__name__` in its `__init__.py`.
        given: what takes the place of something that the package would bring, by the name of the attribute
            here (`{"contract": MyRecord, "raw_tables": {...}, "transform": "SELECT ..."}`), or of `run_etl`;
            for tests, and for projects that have no files.
        root: the folder of `project.yaml`; None is the one at or above the working folder.

    Attributes that the package does not bring raise ProjectError that names the missing module.
    """

    def __init__(
        self, package: str, *, given: Mapping[str, Any] | None = None, root: Path | None = None
    ) -> None:
        self.package = package
        self.given = dict(given or {})
        self.root = root

    def __repr__(self) -> str:
        return f"Project({self.package!r})"

    def at(self, root: Path | str) -> Project:
        """Return the same project in another folder: only data and settings depend on it."""
        moved = copy.copy(self)
        moved.root = Path(root)
        moved.__dict__.pop("settings_type", None)  # it knows the project that it is of
        return moved

    # What follows from the name.

    @property
    def program(self) -> str:
        """The command: `late-flights`."""
        return self.package.replace("_", "-")

    @property
    def env_prefix(self) -> str:
        """What begins the names of its environment variables: `LATE_FLIGHTS_`."""
        return f"{self.package.upper()}_"

    @property
    def folder(self) -> Path | None:
        """The folder of the package as it is imported; None of a project without files."""
        found = find_spec(self.package) if "parts" not in self.given else None
        return Path(found.origin).parent if found and found.origin else None

    # What the package has.

    @cached_property
    def parts(self) -> frozenset[str]:
        """The parts that the package has: stages but discovery, `api`, `batch`, `dashboard`, `tracking`."""
        if "parts" in self.given:
            return frozenset(self.given["parts"])
        folder = files(self.package)
        present = {part for part, path in SHOWN_BY.items() if folder.joinpath(path).is_file()}
        return frozenset(present | ({"tracking"} if find_spec("mlflow") else set()))

    def has(self, part: str) -> bool:
        """Return whether the project has a part, as `api`."""
        return part in self.parts

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that the project has reached, in their order; discovery always."""
        return tuple(stage for stage in STAGES if stage == "discovery" or self.has(stage))

    def module(self, name: str) -> ModuleType:
        """Return the module `name` of the package, as `model.train`.

        Raises ProjectError where there is none, or where it cannot be imported for a mistake in the package.
        """
        whole = f"{self.package}.{name}"
        try:
            return import_module(whole)
        except ProjectError:
            raise
        except ModuleNotFoundError as error:
            if error.name is None or not f"{whole}.".startswith(f"{error.name}."):
                raise
            file = f"src/{self.package}/{name.replace('.', '/')}.py"
            raise ProjectError(f"{file}: no such module, and it is asked for; bring it back") from None
        except Exception as error:
            place = self._place_of(error)
            if place is None:
                raise
            raise BrokenModuleError(f"{place}: {_mistake(error)}; mend it there") from error

    def _place_of(self, error: Exception) -> str | None:
        """Return file and line of the package's own code that `error` comes from, None of others'."""
        if isinstance(error, SyntaxError):
            frames = [(error.filename or "", error.lineno)]
        else:
            frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
        folder = Path(str(files(self.package))).resolve()
        own = [(Path(name).resolve(), line) for name, line in frames if name]
        found = [(path, line) for path, line in own if path.is_relative_to(folder)]
        if not found:
            return None
        path, line = found[-1]
        return f"src/{self.package}/{path.relative_to(folder).as_posix()}, line {line}"

    def _brought(self, attribute: str, module: str, name: str) -> Any:
        """Return what was given, or `name` of a module of the package."""
        if attribute in self.given:
            return self.given[attribute]
        try:
            return getattr(self.module(module), name)
        except AttributeError:
            file = f"src/{self.package}/{module.replace('.', '/')}.py"
            raise ProjectError(f"{file}: it has no {name}, and that is asked for; bring it back") from None

    def _module(self, attribute: str, module: str) -> Any:
        return self.given[attribute] if attribute in self.given else self.module(module)

    def _text(self, attribute: str, name: str) -> str:
        """Return what was given, or the text of a file of the package."""
        if attribute in self.given:
            return self.given[attribute]
        path = files(self.package).joinpath(name)
        if not path.is_file():
            raise ProjectError(f"src/{self.package}/{name}: no such file; bring it back")
        return path.read_text(encoding="utf-8")

    # The contract.

    @cached_property
    def contract(self) -> type[Record]:
        """The record of the table: `CONTRACT` of contract.py, and a key that is made if it has none."""
        from handrail.contract.schema import with_key

        return with_key(self.own_contract)

    @cached_property
    def own_contract(self) -> type[Record]:
        """The same as the package has written it."""
        return self._brought("contract", "contract", "CONTRACT")

    @cached_property
    def has_key(self) -> bool:
        """Whether rows have a key of their own; otherwise the engine makes one, and requests carry none."""
        return self.contract is self.own_contract

    @property
    def shared_key(self) -> str:
        """The SQL text of the key of a row of the table, without the number of those that are alike.

        Rows of which nothing that is asked differs have one key in a request, and are numbered in the table.
        """
        from handrail.compute.duckdb import identifier
        from handrail.contract.row_key import without_number

        text = f"CAST({identifier(self.key)} AS VARCHAR)"
        return text if self.has_key else without_number(text)

    @property
    def told_apart(self) -> str:
        """The SQL condition for rows of the table of which no two are asked for alike: of such, the first."""
        return "TRUE" if self.has_key else f"{self.key} = {self.shared_key}"

    @cached_property
    def table_name(self) -> str:
        """The name of the loaded table: `TABLE` of contract.py."""
        return self._brought("table_name", "contract", "TABLE")

    @cached_property
    def task(self) -> Task:
        """What kind of problem it is: `TASK` of contract.py."""
        return self._brought("task", "contract", "TASK")

    @cached_property
    def request(self) -> type[Record]:
        """The record that a client sends: key, subject, time and features of the contract."""
        from handrail.contract.schema import request_model

        return request_model(self.own_contract)

    @cached_property
    def key(self) -> str:
        """The name of the contract's key."""
        return self._only(_role("KEY"))

    @cached_property
    def subject(self) -> str | None:
        """The name of the contract's subject, None where each row stands for itself."""
        from handrail.contract.schema import subject_of

        found = subject_of(self.contract)
        return found.name if found else None

    @property
    def unit(self) -> str:
        """The name of what is wholly in or out where rows are chosen: the subject, else the key."""
        return self.subject or self.key

    @cached_property
    def time(self) -> str | None:
        """The name of the contract's time, None where rows have none; ProjectError where it has two."""
        from handrail.contract.schema import of_role

        return self._only(_role("TIME")) if of_role(self.contract, _role("TIME")) else None

    @cached_property
    def origin(self) -> str | None:
        """The name of the column that says when the forecast of a row is made, None without one."""
        from handrail.contract.schema import of_role

        return self._only(_role("ORIGIN")) if of_role(self.contract, _role("ORIGIN")) else None

    @property
    def made(self) -> str | None:
        """The column that says from when on a row could be predicted: its origin, or else its time."""
        return self.origin or self.time

    @property
    def ordered_by(self) -> tuple[str, ...]:
        """The columns by which rows are put in order: time and key; the key alone where rows have no time."""
        return (self.time, self.key) if self.time else (self.key,)

    @property
    def erasable(self) -> tuple[str, ...]:
        """The columns by which rows are deleted on request: the key, and the subject if there is one."""
        return (self.key, self.subject) if self.subject else (self.key,)

    @property
    def window(self) -> str:
        """The column by which predictions are looked at: the row's time, or when it was predicted."""
        return self.time or "predicted_at"

    @cached_property
    def target(self) -> str:
        """The name of what is predicted."""
        return self._only(_role("TARGET"))

    def _only(self, role: Role) -> str:
        from handrail.contract.schema import one_of_role

        return one_of_role(self.contract, role).name

    # The ETL.

    @cached_property
    def raw_tables(self) -> Mapping[str, RawSource]:
        """The raw tables by name: `RAW_TABLES` of etl/extract.py."""
        return self._brought("raw_tables", "etl.extract", "RAW_TABLES")

    @property
    def extract(self) -> Callable[..., dict[str, int]]:
        """The function that brings the raw tables in: `extract` of etl/extract.py."""
        return self._brought("extract", "etl.extract", "extract")

    @property
    def transform(self) -> str:
        """The statement of etl/transform.sql, as it is now."""
        return self._text("transform", "etl/transform.sql")

    # The model.

    @cached_property
    def features(self) -> Mapping[str, Coding]:
        """How each column that the model sees is coded: `FEATURES` of model/features.py."""
        if "contract" in self.given and "features" not in self.given:
            from handrail.training.encoding import features_of

            return features_of(self.contract)
        return self._brought("features", "model.features", "FEATURES")

    @cached_property
    def estimator(self) -> Estimator:
        """The library's fit, predict and export: model/estimator.py."""
        return self._module("estimator", "model.estimator")

    @cached_property
    def baseline(self) -> Any:
        """The module of the simple technique, with `Baseline` and `fit`: model/baseline.py."""
        return self._module("baseline", "model.baseline")

    @cached_property
    def metrics(self) -> Metrics:
        """Every figure that is measured: `METRICS` of model/metrics.py."""
        from handrail.tasks.metric import Metrics

        return Metrics(self.task, self._brought("metrics", "model.metrics", "METRICS"))

    @property
    def fit(self) -> Callable[..., Any]:
        """How a model is made, wherever one is: `fit` of model/train.py."""
        return self._brought("fit", "model.train", "fit")

    @property
    def train(self) -> Callable[..., Any]:
        """The steps of a training: `train` of model/train.py."""
        return self._brought("train", "model.train", "train")

    # Serving and monitoring.

    @property
    def create_app(self) -> Callable[..., Any]:
        """The function that makes the HTTP service: `create_app` of serve/api.py."""
        return self._brought("create_app", "serve.api", "create_app")

    @property
    def scored_columns(self) -> Callable[..., Any]:
        """The function that says what scoring writes: `columns` of serve/batch.py."""
        return self._brought("scored_columns", "serve.batch", "columns")

    @property
    def checks(self) -> Sequence[Check]:
        """What is watched of what is live: `CHECKS` of monitor/checks.py."""
        return self._brought("checks", "monitor.checks", "CHECKS")

    @property
    def dashboard(self) -> Callable[[Settings], None]:
        """The function that shows the page of the dashboard: `show` of dashboard/app.py."""
        return self._brought("dashboard", "dashboard.app", "show")

    @property
    def kpi_queries(self) -> str:
        """The queries of the business KPIs, dashboard/kpis.sql, as they are now."""
        return self._text("kpi_queries", "dashboard/kpis.sql")

    # Settings, and the data for people who explore.

    def settings(self, sample: int | None = None) -> Settings:
        """Return `project.yaml` and the environment, read now; with `sample`, those of a small run.

        Raises ProjectError naming every mistake with its line or variable.
        """
        from handrail.config.settings import read_settings

        return read_settings(self, sample)

    @cached_property
    def settings_type(self) -> type[Settings]:
        """The settings that this project can have: those of the parts that it has."""
        from handrail.config.settings import settings_type

        return settings_type(self)

    def frame(self, query: str, sample: int | None = None) -> pd.DataFrame:
        """Return what a SELECT finds in the raw tables and the loaded one, as a pandas DataFrame.

        Raises ProjectError where nothing is loaded yet, or in the engine's words where it refuses `query`.
        """
        from handrail.etl.explore import frame

        return frame(self.settings(sample), query)

    def table(self, sample: int | None = None) -> pd.DataFrame:
        """Return the loaded table, whole, as a pandas DataFrame."""
        return self.frame(f'SELECT * FROM "{self.table_name}"', sample)


class BrokenModuleError(ProjectError):
    """A module of the project that is there and cannot be imported: file, line and mistake."""


def _mistake(error: Exception) -> str:
    """Return what is wrong, in Python's words, on one line."""
    said = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _role(name: str) -> Role:
    from handrail.contract.schema import Role

    return Role[name]
