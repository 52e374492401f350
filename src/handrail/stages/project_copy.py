"""A copy of the project to try things on: texts and work, in a folder that goes away again."""

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from handrail.config.settings import Settings, workspace_in
from handrail.registry.live import load_live, make_live, read_live
from handrail.registry.versions import SUMS, save_version

TEXTS = ("project.yaml", "pyproject.toml", "[0-9]-*")
WORK = ("data", "models", "reports")
OUTWARDS = ("_URL", "_URI")  # settings that name whom to tell
REPLACED_WHOLE = ".parquet"  # such a file is written under another name, and then put in place


@dataclass(frozen=True)
class ProjectCopy:
    """A copy of a project: its settings, and the environment in which a command works there, unheard."""

    settings: Settings
    environment: Mapping[str, str]


def copy_project(settings: Settings, folder: Path) -> ProjectCopy:
    """Copy texts and work to `folder`; what happens in the copy changes nothing in the project."""
    for path in (path for pattern in TEXTS for path in settings.root.glob(pattern)):
        _copy(path, folder / path.name)
    work = workspace_in(folder / "work", settings.sample)
    for name in WORK:
        if (settings.workspace / name).is_dir():
            _copy(settings.workspace / name, work / name)
    there = settings.on_this_machine(work).model_copy(update={"root": folder})
    return ProjectCopy(there, _environment(settings, folder / "work"))


def give_second_version(settings: Settings) -> bool:
    """Put a version like the live one on top of it where that is the only one: now it can be gone back to.

    Returns whether there was need to. Raises ProjectError where the files of the live one were changed.
    """
    live = read_live(settings)
    if live is None or len(live.versions) > 1:
        return False
    version, _ = load_live(settings)
    files = {path.name: path.read_bytes() for path in version.path.iterdir() if path.name != SUMS}
    files["model.json"] = json.dumps({**version.info, "copy_of": version.name}).encode()
    make_live(settings, save_version(settings, files, version.name.rpartition("-")[0]))
    return True


def _environment(settings: Settings, work: Path) -> dict[str, str]:
    """Return the variables of now, without those that name whom to tell, and with where work goes."""
    prefix = settings.project.env_prefix
    outwards = [name for name in os.environ if name.startswith(prefix) and name.endswith(OUTWARDS)]
    environment = {name: value for name, value in os.environ.items() if name not in outwards}
    environment[f"{prefix}WORKSPACE"] = str(work)
    for name in ("REGISTRY", "PREDICTIONS"):  # nothing that happens there is for others
        environment[f"{prefix}STORAGE__{name}"] = "none"
    if settings.compute.engine != "duckdb":  # no table of another engine is changed by a copy
        environment[f"{prefix}COMPUTE__ENGINE"] = "duckdb"
    if settings.source_address:
        environment[f"{prefix}DATA__SOURCE"] = settings.source_address
    elif settings.source:
        environment[f"{prefix}DATA__SOURCE"] = str(settings.source)
    return environment


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, target, copy_function=_link)
    else:
        shutil.copy2(path, target)


def _link(path: str, target: str) -> None:
    """Let both names stand for one file where it is large and never changed in place; copy all else."""
    if path.endswith(REPLACED_WHOLE):
        with suppress(OSError):
            os.link(path, target)
            return
    shutil.copy2(path, target)
