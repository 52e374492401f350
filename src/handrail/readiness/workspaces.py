"""Workspaces and copies of their own, in which the score trains, promotes and breaks things without harm."""

import os
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from handrail.compute.duckdb import connect, identifier, rows, write_parquet
from handrail.config.settings import FILE, Settings
from handrail.contract.schema import columns
from handrail.errors import ProjectError
from handrail.etl.load import table_path
from handrail.project import Project
from handrail.readiness.context import ReadinessContext
from handrail.registry.canary import end_canary
from handrail.registry.live import live_path, read_live
from handrail.registry.versions import SUMS, Version, load_version, model_folder, save_version
from handrail.training.dataset import period
from handrail.training.splits import inside, periods

CODE = ("src", "tests", "pyproject.toml", "[0-9]-*")


@contextmanager
def empty_workspace(context: ReadinessContext) -> Generator[Settings]:
    """Give the settings of an empty workspace, which is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield context.settings.on_this_machine(Path(folder))


@contextmanager
def small_workspace(context: ReadinessContext, *, shuffled: bool = False) -> Generator[Settings]:
    """Give a workspace with few rows of the live table; `shuffled`, each row has the outcome of another."""
    with empty_workspace(context) as there, connect(context.settings) as connection:
        project, most = context.settings.project, context.limits.training_rows
        key = identifier(project.key)
        few = f"(SELECT * FROM {context.table} ORDER BY md5(CAST({key} AS VARCHAR)) LIMIT {most})"
        query = _with_outcomes_shuffled(project, few) if shuffled else f"SELECT * FROM {few}"
        write_parquet(connection, query, table_path(there, project.table_name))
        yield there


def _with_outcomes_shuffled(project: Project, source: str) -> str:
    key, target = identifier(project.key), identifier(project.target)
    by_hash = f"row_number() OVER (ORDER BY md5(CAST({key} AS VARCHAR) || 'other')) AS _place"
    return (
        f"SELECT a.* EXCLUDE (_place) REPLACE (b._outcome AS {target}) "
        f"FROM (SELECT *, row_number() OVER (ORDER BY {key}) AS _place FROM {source}) AS a "
        f"JOIN (SELECT {target} AS _outcome, {by_hash} FROM {source}) AS b ON a._place = b._place"
    )


@contextmanager
def copy_of_live(context: ReadinessContext) -> Generator[Settings]:
    """Give a workspace in which the same versions are live, to promote and to break; no canary is tried."""
    live = read_live(context.settings)
    with empty_workspace(context) as there:
        for name in dict.fromkeys(live.versions if live else ()):
            folder = model_folder(context.settings) / name
            if folder.is_dir():
                shutil.copytree(folder, model_folder(there) / name)
        shutil.copy(live_path(context.settings), live_path(there))
        end_canary(there, "it stays where it is tried")
        yield there


def copy_code(settings: Settings, folder: Path) -> Mapping[str, str | None]:
    """Copy code, tests, texts and facts to `folder`, but no work; return the environment to run them in.

    There the project works in `folder`, whatever project.yaml says here, and brings in the same raw tables.
    A variable of None has to be taken away.
    """
    for path in (path for pattern in CODE for path in settings.root.glob(pattern)):
        if path.is_dir():
            shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy2(path, folder)
    facts = yaml.safe_load((settings.root / FILE).read_text(encoding="utf-8"))
    facts.pop("workspace", None)
    facts.pop("storage", None)  # nothing that is tried there is for others
    if settings.source and not settings.source_address:
        facts["data"] = {**(facts.get("data") or {}), "source": str(settings.source)}
    text = yaml.safe_dump(facts, allow_unicode=True, sort_keys=False)
    (folder / FILE).write_text(text, encoding="utf-8")
    path, prefix = os.environ.get("PYTHONPATH"), settings.project.env_prefix
    found = os.pathsep.join([str(folder / "src"), *([path] if path else [])])
    unset: dict[str, str | None] = dict.fromkeys((f"{prefix}WORKSPACE", f"{prefix}DATA__SOURCE"))
    if settings.source_address:  # the variable may hold a password, which belongs into no file
        unset[f"{prefix}DATA__SOURCE"] = settings.source_address
    detached = {f"{prefix}STORAGE__{name}": "none" for name in ("REGISTRY", "PREDICTIONS")}
    return {"PYTHONPATH": found, **unset, **detached}


def twin(settings: Settings, version: Version) -> Version:
    """Keep a version that answers as `version` does, under another name, and return it."""
    files = {path.name: path.read_bytes() for path in version.path.iterdir() if path.name != SUMS}
    name = save_version(settings, files | {"twin": version.name.encode()}, "twin")
    return load_version(settings, name)


def live_records(context: ReadinessContext, most: int) -> list[dict[str, Any]]:
    """Return at most `most` rows of the live period as a client sends them, in no order of time, none twice.

    Where chance has parted the rows, they are those of the test. Raises ProjectError where there is none.
    """
    project, start, split = context.settings.project, context.new_from, context.split
    where = inside(context.settings, split, periods(split)[2])
    if start:
        where = period(project.contract, start, None, project.made)
    names = ", ".join(identifier(column.name) for column in columns(project.request))
    with connect(context.settings) as connection:
        found = rows(
            connection,
            f"SELECT {names} FROM {context.table} WHERE {where} AND {project.told_apart} "
            f"ORDER BY md5(CAST({identifier(project.key)} AS VARCHAR) || 'asked') LIMIT {most}",
        )
    if not found:
        lacking = f"from {start} on" if start else "to test on"
        raise ProjectError(f"data/{project.table_name}.parquet: no row {lacking}; load newer data with `etl`")
    return found
