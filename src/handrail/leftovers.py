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
NAMES = r".+\.(?:parquet|jsonl?|csv|txt)|\d{4}-\d\d-\d\d-[0-9a-f]{8}"  # of files, and of versions
UNFINISHED = re.compile(rf"\.(?:{SPILL}|{RAW}|(?:{NAMES})\.(?:gone-)?(?P<file>\d+))")
FRESH_SECONDS = 600  # another machine may share the disk: what was just written may be its


def remove_leftovers(settings: Settings, fresh_seconds: int = FRESH_SECONDS) -> list[Path]:
    """Delete what killed runs have left in the workspace, and return it; what a running one writes stays.

    So does what was written in the last `fresh_seconds`.
    """
    gone = []
    for folder in (settings.workspace / place for place in PLACES):
        for path in sorted(folder.rglob(".*")):
            found = UNFINISHED.fullmatch(path.name)
            if found is None or not os.path.lexists(path):
                continue
            process = found["raw"] or found["spill"] or found["file"]
            fresh = fresh_seconds and time.time() - path.lstat().st_mtime < fresh_seconds
            if fresh or (process and _runs(int(process))):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            gone.append(path)
    return gone


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
