"""Do the tests notice a feature that is computed wrongly? Each is made wrong once, and they have to fail.

Mutation testing: DeMillo, Lipton and Sayward, Hints on Test Data Selection, Computer (1978).
"""

import contextlib
import io
import os
import shutil
import sys
from collections.abc import Callable, Generator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from handrail.compute.duckdb import connect, identifier, parquet, write_parquet
from handrail.config.settings import Settings
from handrail.contract.schema import Role, of_role
from handrail.errors import ProjectError
from handrail.etl.load import raw_path, table_path
from handrail.etl.pipeline import EtlResult, build_table
from handrail.project import Project
from handrail.readiness.context import ReadinessContext
from handrail.readiness.subprocesses import in_process
from handrail.readiness.workspaces import copy_code

TESTS = "tests/test_example.py"
NO_TESTS = 5  # pytest's exit status where it has found none
MOST_SECONDS = 1800


def mutants_noticed(context: ReadinessContext) -> str:
    """Run the tests of the transformation, once as it is, and once for each feature made wrong."""
    settings, project = context.settings, context.settings.project
    if not (settings.root / TESTS).is_file():
        raise ProjectError(f"{TESTS}: no such file; write down what you know of your data for certain")
    names = [column.name for column in of_role(project.contract, Role.FEATURE)]
    with TemporaryDirectory(prefix="readiness-") as folder:
        environment = copy_code(settings, Path(folder))
        _copy_tables(settings, Path(folder))
        found = in_process(
            run_mutants,
            project.package,
            TESTS,
            *names,
            folder=Path(folder),
            seconds=MOST_SECONDS,
            failed=f"{TESTS}: the tests don't run:",
            environment=environment,
        )
    if found[""] == NO_TESTS:
        raise ProjectError(f"{TESTS}: there is no test in it; write one of what each feature has to be")
    if found[""]:
        raise ProjectError(f"{TESTS}: the tests fail as it is; run `uv run pytest {TESTS}`")
    survived = [name for name in names if not found[name]]
    if survived:
        raise ProjectError(
            f"{TESTS}: {name} was made wrong in every row, and no test failed; test it on a row that you know"
            for name in survived
        )
    return f"{len(names)} features were made wrong one by one, and {TESTS} failed each time"


def _copy_tables(settings: Settings, folder: Path) -> None:
    """Copy what is loaded to a workspace, for tests that read it there."""
    paths = [raw_path(settings, name) for name in settings.project.raw_tables]
    for path in (*paths, table_path(settings, settings.project.table_name)):
        if path.is_file():
            target = folder / path.relative_to(settings.workspace)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)


def run_mutants(package: str, tests: str, *features: str) -> dict[str, int]:
    """Return pytest's exit status by the feature that was wrong; as it is, under no name, and then first.

    It is called in a process of its own, in a copy of the project. Where the tests fail as it is, no feature
    is made wrong.
    """
    project: Project = import_module(package).project
    with TemporaryDirectory(prefix="readiness-") as folder, all_rows_once(project, Path(folder)) as spoil:
        spoil("")
        found = {"": _status(tests)}
        for feature in features if found[""] == 0 else ():
            spoil(feature)
            found[feature] = _status(tests)
    return found


@contextlib.contextmanager
def all_rows_once(project: Project, folder: Path) -> Generator[Callable[[str], None]]:
    """Give a function that lets the project compute one feature wrongly from then on; none, if it is "".

    A wrong feature has its greatest value everywhere, and its least where that would be right: the contract
    allows both. An ETL of all rows is done once, while nothing is wrong, and kept in `folder`; later ones get
    what was kept, with the feature made wrong. Small runs, and those of transform.sql alone, are done anew.
    The loaded table that the settings name is made wrong, too.
    """
    before = dict(project.given)
    try:
        yield _SpoiltEtl(project, folder).spoil
    finally:
        project.given.clear()
        project.given.update(before)


class _SpoiltEtl:
    """What takes the place of a project's ETL, in which one feature is wrong."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.kept, self.feature = project, folder / "data", ""
        self.query = project.transform.rstrip().rstrip(";")
        self.first: EtlResult | None = None
        self.loaded = table_path(project.settings(), project.table_name)
        self.right = folder / "loaded.parquet"
        if self.loaded.is_file():
            shutil.copy2(self.loaded, self.right)
        project.given["run_etl"] = self.run_etl

    def spoil(self, feature: str) -> None:
        """Let `feature` be wrong from now on, and no other."""
        self.feature = feature
        self.project.given["transform"] = _wrong(self.query, feature)
        if self.right.is_file():
            self._write(self.project.settings(), self.right, self.loaded)

    def run_etl(self, settings: Settings, on_step: Callable[[str], None]) -> EtlResult:
        """Load the rows; all of them, as they were loaded first, with the feature made wrong."""
        if settings.sample:
            return build_table(settings, on_step)
        data, path = settings.workspace / "data", table_path(settings, self.project.table_name)
        if self.first is None:
            self.first = build_table(settings, on_step)
            shutil.copytree(data, self.kept)
        else:
            shutil.copytree(self.kept, data, copy_function=_linked, dirs_exist_ok=True)
        self._write(settings, self.kept / path.name, path)
        return replace(self.first, path=path)

    def _write(self, settings: Settings, right: Path, target: Path) -> None:
        with connect(settings) as connection:
            write_parquet(connection, _wrong(f"SELECT * FROM {parquet(right)}", self.feature), target)


def _wrong(query: str, feature: str) -> str:
    """Return the query with a feature made wrong in every row; the same query where none is to be."""
    if not feature:
        return query
    name = identifier(feature)
    ends = f"(SELECT max({name}) AS most, min({name}) AS least FROM before)"
    other = f"CASE WHEN {name} = most THEN nullif(least, most) ELSE most END AS {name}"
    return f"WITH before AS ({query}\n) SELECT before.* REPLACE ({other}) FROM before, {ends}"


def _linked(source: str, target: str) -> None:
    """Put a file into a place, without copying it where that can be; what stood there goes."""
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)


def _status(tests: str) -> int:
    """Run the tests in this process, as if for the first time, and return pytest's exit status."""
    import pytest

    folder = Path(tests).parent.resolve()
    for name, module in list(sys.modules.items()):
        if (file := getattr(module, "__file__", None)) and Path(file).is_relative_to(folder):
            del sys.modules[name]
    with contextlib.redirect_stdout(io.StringIO()):
        return int(pytest.main(["-x", "-q", "-o", "addopts=", "-p", "no:cacheprovider", tests]))
