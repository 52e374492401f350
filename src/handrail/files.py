"""Files that are whole or not there at all."""

import json
import os
from pathlib import Path
from typing import Any

READABLE, OPEN = 0o644, 0o755  # a file and a folder that other users can read, whatever the umask


def settle(path: Path) -> None:
    """Wait until the content of a file is on the disk, so that not even a power cut leaves half of it."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def unfinished_path(path: Path) -> Path:
    """Return where this process writes what becomes `path`: see `handrail.leftovers`."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def json_lines(path: Path) -> list[Any]:
    """Return what each line of a log says, none without a file; one that a kill has cut off says nothing."""
    found = []
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def write_whole(path: Path, content: str, mode: int | None = None) -> None:
    """Write a text file, whole or not at all; `mode`: who may read it, by default as the umask says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_path(path)
    try:
        unfinished.write_text(content, encoding="utf-8")
        settle(unfinished)
        if mode is not None:
            unfinished.chmod(mode)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
