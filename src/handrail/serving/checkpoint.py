"""What a run of `score` has predicted is kept until it ends, so that one that was killed is taken up.

Beside the output lies a folder of that time, `.NAME.parts`: a file for each part of the input, with a number
for each of its rows. All else, a later run does again; so nothing of two inputs or versions is ever mixed.
"""

import json
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from handrail.arrays import Floats
from handrail.errors import ProjectError
from handrail.files import write_whole
from handrail.leftovers import PARTS_LOCK as LOCK

ABOUT = "about.json"


class Checkpoint:
    """The predictions of finished parts, by the numbers of their rows.

    changed: what of an earlier run, which was not taken up, was another; empty without one
    """

    def __init__(self, folder: Path, about: Mapping[str, object]) -> None:
        """Take up in `folder` what was kept of the same: `about` says all that predictions depend on."""
        self.folder = folder
        said = {name: _digest(value) for name, value in about.items()}
        self._name = _digest(said)
        self.changed = _drop_others(folder, self._name, said)
        write_whole(folder / ABOUT, json.dumps(said) + "\n")

    def place(self, name: str) -> Path:
        """Return the path of another file that depends on the same."""
        return self.folder / f"{self._name}-{name}"

    def part(self, first: int, after: int) -> Floats | None:
        """Return what was predicted for the rows from number `first` on and before `after`, NaN of no row."""
        try:
            found = np.fromfile(self.place(str(first)), dtype=np.float32)
        except FileNotFoundError:
            return None
        return found if len(found) == after - first else None

    @property
    def holds_parts(self) -> bool:
        """Whether a part is kept."""
        return any(path.name.rpartition("-")[2].isdecimal() for path in self.folder.iterdir())

    def keep(self, first: int, predictions: Floats) -> None:
        """Keep a part, whole or not at all, also when the power fails."""
        path = self.place(str(first))
        unfinished = path.with_name(f"{path.name}-unfinished")
        with unfinished.open("wb") as file:
            file.write(predictions.astype(np.float32).tobytes())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)


@contextmanager
def checkpoint(output: Path, about: Mapping[str, object]) -> Generator[Checkpoint]:
    """Give what is kept beside `output`, which goes when the block ends well.

    It stays for the next run where the block is stopped, but not where the input is refused before a part is
    done. Raises ProjectError where another run writes `output`.
    """
    folder = output.with_name(f".{output.name}.parts")
    folder.mkdir(parents=True, exist_ok=True)
    lock, stays = FileLock(folder / LOCK, timeout=0), False
    try:
        lock.acquire()
    except Timeout:
        raise ProjectError(f"{output}: another `score` is writing it; wait until that has ended") from None
    try:
        kept = Checkpoint(folder, about)
        try:
            yield kept
        except BaseException as error:
            stays = kept.holds_parts or not isinstance(error, ProjectError)
            raise
    finally:
        lock.release()
        if not stays:
            shutil.rmtree(folder, ignore_errors=True)


def _drop_others(folder: Path, name: str, said: Mapping[str, str]) -> str:
    """Delete what depends on anything else, and return what that was; empty where there was nothing."""
    others = [path for path in folder.iterdir() if path.name != LOCK and not path.name.startswith(name)]
    kept = any(path.name != ABOUT for path in others)
    try:
        before = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        changed = " and ".join(each for each in said if before.get(each) != said[each])
    except (OSError, ValueError, AttributeError):  # a kill leaves none, a power failure half of one
        changed = "what it was made of"
    for path in others:
        path.unlink()
    return changed if kept else ""


def _digest(value: object) -> str:
    return sha256(json.dumps(value, default=str, sort_keys=True).encode()).hexdigest()[:16]


def identity(path: Path) -> list[object]:
    """Return what tells a file from any other, and from itself before it was changed."""
    found = path.stat()
    return [str(path.resolve()), found.st_size, found.st_mtime_ns, found.st_ctime_ns]
