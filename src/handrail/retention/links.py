"""Symbolic links among what is kept: a folder may be one, such as an archive on another disk; no item may."""

import os
from collections.abc import Iterable
from pathlib import Path

from handrail.errors import ProjectError

SUFFIXES = (".parquet", ".jsonl")


def kept_files(folder: Path) -> list[Path]:
    """Return every file of rows below `folder`, also where a folder is a link to another place."""
    found: list[Path] = []
    seen: set[Path] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = Path(place).resolve()
        if real in seen:  # a link to where we have come from
            folders.clear()
            continue
        seen.add(real)
        found += [Path(place, name) for name in names if name[0] != "." and name.endswith(SUFFIXES)]
    return sorted(found)


def refuse_links(paths: Iterable[Path]) -> None:
    """Raise ProjectError that names each of `paths` that is a link: what it points to would stay."""
    linked = [path for path in paths if path.is_symlink()]
    if linked:
        raise ProjectError(
            f"{path}: a symbolic link to {path.readlink()}; nothing was touched: put what it points to in "
            "its place, or delete the link"
            for path in linked
        )
