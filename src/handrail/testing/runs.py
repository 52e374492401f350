"""Runs of a project to test on, in temporary workspaces: a small one for all checks, and a whole one."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handrail.config.settings import Settings
from handrail.console import quietly
from handrail.project import Project
from handrail.testing.once import Once

if TYPE_CHECKING:
    from handrail.etl.pipeline import EtlResult
    from handrail.registry.versions import Version
    from handrail.training.run import Training
    from handrail.training.splits import Splits

SAMPLE_ROWS = 20_000  # of each raw table that data.sampled names


def isolated(project: Project, root: Path) -> Project:
    """Return `project` in the folder `root`, whatever this shell has set for it.

    The project's variables are taken out of this process's environment: tests hold on every machine.
    """
    for name in [name for name in os.environ if name.startswith(project.env_prefix)]:
        del os.environ[name]
    return project.at(root)


@cache
def small_run(project: Project) -> "SmallRun":
    """Return the small run of `project` in this process, which all its checks share."""
    folder = Path(tempfile.mkdtemp(prefix=f"{project.program}-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # Read when a trainer is loaded: few rows gain nothing by more threads, and wait on a busy machine.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return SmallRun(project, folder)


def whole_run(project: Project, folder: Path) -> tuple[Settings, "EtlResult"]:
    """Load every row of the sources into the workspace `folder`; return its settings and what the ETL said.

    What the project is given in place of its own (`project.given["transform"]`) is loaded by.
    """
    from handrail.etl.pipeline import run_etl

    settings = project.settings().on_this_machine(folder)
    return settings, run_etl(settings, quietly)


@dataclass(frozen=True)
class Fitted:
    """What the project's own `fit` has learnt from the training rows: the library's model, and its file."""

    model: Any
    file: bytes


class SmallRun:
    """A project run on few rows in a workspace of its own, each step when it is first asked for.

    project: what is run · folder: an empty folder, in which all workspaces of the run are made
    headers: what each request of the checks sends beside the key, for a service with a sign-in of its own
    """

    def __init__(self, project: Project, folder: Path) -> None:
        self.project = project
        self.folder = folder
        self.headers: Mapping[str, str] = {}

    @Once
    def settings(self) -> Settings:
        """The settings of project.yaml, for a sample, in the run's workspace."""
        settings = self.project.settings()
        return settings.on_this_machine(self.folder / "run").model_copy(update={"sample": SAMPLE_ROWS})

    @Once
    def etl(self) -> "EtlResult":
        """What the ETL has loaded."""
        from handrail.etl.pipeline import run_etl

        return run_etl(self.settings, quietly)

    @Once
    def etl_elsewhere(self) -> "EtlResult":
        """What the ETL loads from another working folder, into another workspace."""
        from handrail.etl.pipeline import run_etl

        settings = self.settings.model_copy(update={"workspace": self.folder / "elsewhere"})
        with working_in(self.folder):
            return run_etl(settings, quietly)

    @Once
    def table(self) -> str:
        """The FROM item of the loaded table."""
        from handrail.compute.duckdb import parquet

        return parquet(self.etl.path)

    @Once
    def splits(self) -> "Splits":
        """The rows of the three periods."""
        from handrail.compute.duckdb import connect
        from handrail.training.splits import read_splits

        settings = self.settings
        with connect(settings) as connection:
            return read_splits(
                connection, settings, self.table, settings.parted, settings.accuracy.baseline_by
            )

    @Once
    def training(self) -> "Training":
        """What the project's own `train` has made of the loaded table."""
        from handrail.training.run import train

        _ = self.etl
        return train(self.settings, self.settings.parted, quietly)

    @Once
    def version(self) -> "Version":
        """The version that the training has kept."""
        from handrail.registry.versions import load_version

        return load_version(self.settings, self.training.version)

    @Once
    def version_of_other_outcomes(self) -> "Version":
        """What `train` makes of the same rows, those outcomes mirrored that nothing may be learnt from.

        They are those from the test period on, and those that were not known yet when a period was over.
        """
        from handrail.compute.duckdb import connect, identifier, write_parquet
        from handrail.etl.load import table_path
        from handrail.registry.versions import load_version
        from handrail.training.run import train
        from handrail.training.splits import known, periods

        there, split = self.copy(), self.settings.parted
        target = identifier(self.project.target)
        mirrored = f"(SELECT max({target}) + min({target}) FROM {self.table}) - {target}"
        with connect(there) as connection:
            both = [known(connection, there, self.table, split, each) for each in periods(split)[:2]]
            before_test = " OR ".join(f"({each})" for each in both)
            turned = f"CASE WHEN {before_test} THEN {target} ELSE {mirrored} END"
            query = f"SELECT * REPLACE ({turned} AS {target}) FROM {self.table}"
            write_parquet(connection, query, table_path(there, self.project.table_name))
        return load_version(there, train(there, split, quietly).version)

    @Once
    def fitted(self) -> Fitted:
        """What the project's own `fit` makes of the training rows."""
        return self.fit()

    def fit(self) -> Fitted:
        """Learn from the training rows, and export what was learnt."""
        from handrail.training.hyperparameters import read_parameters
        from handrail.training.run import SEED

        splits, chosen = self.splits, read_parameters(self.settings).hyperparameters
        model = self.project.fit(splits.training, splits.encoding, SEED, chosen)
        return Fitted(model, self.project.estimator.export(model, len(splits.encoding.features)))

    def latest(self, names: Iterable[str], most: int, where: str = "TRUE") -> str:
        """Return the FROM item of columns of the latest rows of the loaded table, at most `most`."""
        from handrail.compute.duckdb import identifier

        chosen, key = map(identifier, names), identifier(self.project.key)
        order = f"{identifier(self.project.time)} DESC, {key}" if self.project.time else key
        return f"(SELECT {', '.join(chosen)} FROM {self.table} WHERE {where} ORDER BY {order} LIMIT {most})"

    def rows(self, names: Iterable[str], most: int, where: str = "TRUE") -> list[dict[str, Any]]:
        """Return the same rows by name, the latest first."""
        from handrail.compute.duckdb import connect, rows

        with connect(self.settings) as connection:
            return rows(connection, f"SELECT * FROM {self.latest(names, most, where)}")

    def copy(self) -> Settings:
        """Return the settings of a copy of the run's workspace, with the loaded table, to break."""
        workspace = Path(tempfile.mkdtemp(dir=self.folder)) / self.etl.path.parents[1].name
        shutil.copytree(self.settings.workspace, workspace)
        return self.settings.model_copy(update={"workspace": workspace})

    def trained_copy(self) -> Settings:
        """Return the same of a workspace that has the version, too."""
        _ = self.version
        return self.copy()

    def live_copy(self) -> Settings:
        """Return the same of a workspace in which the version is live."""
        from handrail.registry.live import make_live

        there = self.trained_copy()
        make_live(there, self.version.name)
        return there

    def asked_copy(self, most: int) -> Settings:
        """Return the same of a workspace whose live version was asked for the latest rows, at most `most`."""
        from handrail.serving.inference import LiveModel
        from handrail.serving.prediction_log import answer_and_log

        there = self.live_copy()
        answer_and_log(there, LiveModel(there), [self.rows(self.project.request.model_fields, most)])
        return there


def requested(project: Project, records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what a client sends of whole records: key, time and features."""
    return [{name: record[name] for name in project.request.model_fields} for record in records]


def with_given(settings: Settings, **given: Any) -> Settings:
    """Return the same settings, of a project that is given something in place of its own."""
    project = settings.project
    changed = Project(project.package, given={**project.given, **given}, root=settings.root)
    return changed.settings_type.model_construct(**dict(settings))


@contextmanager
def working_in(folder: Path) -> Generator[None]:
    """Make `folder` the working folder while the block runs."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def contents(folder: Path) -> dict[str, str]:
    """Return a checksum of every file in `folder`, by its path there."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in found}
