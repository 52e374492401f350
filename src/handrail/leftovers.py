"""What killed runs have left unfinished: hidden files and folders that no process will ever end.

A run writes beside the place where its result goes, under a name that begins with a dot and holds its
process; what it ends is renamed. A killed one leaves that behind, with rows that nobody would look for.
"""

import os
import re
import shutil
import time
from pathlib import Path

from handrail.config.settings import Settings

PLACES = ("data", "models")
SPILL = r"spill-(?P<spill>\d+)"
RAW = r"raw-(?P<raw>\d+)-\w+|raw-\w+"  # the second up to version 0.2
NAMES = r".+\.(?:parquet|jsonl?|ndjson|csv|txt)|\d{4}-\d\d-\d\d-[0-9a-f]{8}"  # of files, and of versions
UNFINISHED = re.compile(rf"\.(?:{SPILL}|{RAW}|(?:{NAMES})\.(?:gone-)?(?P<file>\d+))")
FRESH_SECONDS = 600  # another machine may share the disk: what was just written may be its
PARTS = re.compile(r"\..+\.parts")  # what `score` takes up again, see handrail.serving.checkpoint
PARTS_LOCK = "lock"
PARTS_SECONDS = 7 * 24 * 3600  # how long


def remove_leftovers(settings: Settings, fresh_seconds: int = FRESH_SECONDS) -> list[Path]:
    """Delete what killed runs have left in the workspace, and return it; what a running one writes stays.

    So does what was written in the last `fresh_seconds`.
    """
    gone = []
    for folder in (settings.workspace / place for place in PLACES):
        for path in sorted(folder.rglob(".*")):
            if PARTS.fullmatch(path.name):
                gone += _remove_parts(path, PARTS_SECONDS if fresh_seconds else 0)
                continue
            found = UNFINISHED.fullmatch(path.name)
            if found is None or not os.path.lexists(path):
                continue
            process = found["raw"] or found["spill"] or found["file"]
            if _is_fresh(path, fresh_seconds) or (process and _runs(int(process))):
                continue
            _remove(path)
            gone.append(path)
    return gone


def remove_unfinished(path: Path, fresh_seconds: int = 0) -> None:
    """Delete what killed processes have left of `path`, wherever it is; `fresh_seconds`: see above."""
    for found in path.parent.iterdir():
        process = found.name.removeprefix(f".{path.name}.")
        if process == found.name or not process.isdecimal() or _runs(int(process)):
            continue
        if not _is_fresh(found, fresh_seconds):
            _remove(found)


def _remove_parts(folder: Path, fresh_seconds: int) -> list[Path]:
    """Delete the parts of a run that nobody has taken up again; those of a running one stay."""
    from filelock import FileLock, Timeout  # a library that discovery does without

    if _is_fresh(folder, fresh_seconds) or not folder.is_dir():
        return []
    try:
        with FileLock(folder / PARTS_LOCK, timeout=0):
            pass
    except Timeout:
        return []
    _remove(folder)
    return [folder]


def _is_fresh(path: Path, seconds: int) -> bool:
    return bool(seconds) and time.time() - path.lstat().st_mtime < seconds


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    """Return whether a process of this number runs on this machine."""
    if os.name == "nt":  # there, `os.kill` with 0 would end it
        import ctypes

        kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (only there)
        handle = kernel.OpenProcess(0x1000, False, process)  # PROCESS_QUERY_LIMITED_INFORMATION
        return bool(handle and kernel.CloseHandle(handle))
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
