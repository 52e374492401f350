"""A copy of the project to try things on: texts and work, in a folder that goes away again."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from handrail.config.settings import Settings, workspace_in

TEXTS = ("project.yaml", "pyproject.toml", "[0-9]-*")
WORK = ("data", "models", "reports")
OUTWARDS = ("_URL", "_URI")  # settings that name whom to tell
REPLACED_WHOLE = ".parquet"  # such a file is written under another name, and then put in place


def copied(settings: Settings, folder: Path) -> dict[str, str]:
    """Copy texts and work to `folder`; return the environment in which a command works there, unheard."""
    for path in (path for pattern in TEXTS for path in settings.root.glob(pattern)):
        _copy(path, folder / path.name)
    work = workspace_in(folder / "work", settings.sample)
    for name in WORK:
        if (settings.workspace / name).is_dir():
            _copy(settings.workspace / name, work / name)
    told = [
        name
        for name in os.environ
        if name.startswith(settings.project.env_prefix) and name.endswith(OUTWARDS)
    ]
    environment = {name: value for name, value in os.environ.items() if name not in told}
    environment |= {f"{settings.project.env_prefix}WORKSPACE": str(folder / "work")}
    return environment | (
        {f"{settings.project.env_prefix}DATA__SOURCE": str(settings.source)} if settings.source else {}
    )


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
