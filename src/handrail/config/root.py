"""Where a project lies: the folder of its `project.yaml`. Imports nothing but the standard library."""

from pathlib import Path

from handrail.errors import ProjectError

FILE = "project.yaml"


def find_root(start: Path | None = None) -> Path:
    """Return the nearest folder at or above `start` (the working folder) that holds project.yaml."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / FILE).is_file():
            return folder
    raise ProjectError(f"{here}: no project.yaml here or above; run this inside the project")
