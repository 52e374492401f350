"""A folder as storage: one that machines share, or one of this machine."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from handrail.files import READABLE, settle, unfinished_path
from handrail.locks import locked
from handrail.storage.store import ABSENT, ChangedError, Entry, StorageError

LOCK, LOCKED_SECONDS = ".lock", 30.0


class FolderStore:
    """Files below a folder, each written whole; a lock in it lets one writer after the other look and write.

    The lock is the file system's: a network drive has to know locks, as NFS from version 4 on and SMB do.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self.url = folder, str(folder)

    def entries(self, prefix: str) -> list[Entry]:
        """Return all files whose names below the folder begin with `prefix`, by name."""
        with self._told():
            found = (path for path in self._folder.rglob("*") if path.is_file())
            keys = {path.relative_to(self._folder).as_posix(): path for path in found}
            return [
                _entry(key, keys[key])
                for key in sorted(keys)
                if key.startswith(prefix) and not any(part.startswith(".") for part in key.split("/"))
            ]

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Return content and tag of a file, None where it is not there."""
        with self._told():
            try:
                with (self._folder / key).open("rb") as file:
                    return file.read(), _tag(os.fstat(file.fileno()))
            except FileNotFoundError:
                return None

    def write(self, key: str, content: bytes, only_if: str | None = None) -> str:
        """Write a file whole, if it is what `only_if` says, and return its tag."""
        path = self._folder / key
        with self._told(), self._locked():
            self._require(path, only_if)
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = unfinished_path(path)
            try:
                unfinished.write_bytes(content)
                self._put(unfinished, path)
            finally:
                unfinished.unlink(missing_ok=True)
            return _tag(path.stat())

    def upload(self, path: Path, key: str) -> None:
        """Copy a file to where none is yet."""
        target = self._folder / key
        with self._told():
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = unfinished_path(target)
            try:
                shutil.copyfile(path, unfinished)
                with self._locked():
                    self._require(target, ABSENT)
                    self._put(unfinished, target)
            finally:
                unfinished.unlink(missing_ok=True)

    def download(self, entry: Entry, path: Path) -> None:
        """Copy a file that is still `entry`."""
        source = self._folder / entry.key
        with self._told():
            try:
                with source.open("rb") as file:
                    if _tag(os.fstat(file.fileno())) != entry.tag:
                        raise ChangedError(entry.key)
                    with path.open("wb") as target:
                        shutil.copyfileobj(file, target)
                    if _tag(os.fstat(file.fileno())) != entry.tag:  # written in place, meanwhile
                        raise ChangedError(entry.key)
            except FileNotFoundError:
                raise ChangedError(entry.key) from None

    def delete(self, key: str) -> None:
        """Delete a file."""
        with self._told():
            (self._folder / key).unlink(missing_ok=True)

    def _put(self, unfinished: Path, path: Path) -> None:
        settle(unfinished)
        unfinished.chmod(READABLE)
        unfinished.replace(path)

    def _require(self, path: Path, only_if: str | None) -> None:
        if only_if is None:
            return
        now = _tag(path.stat()) if path.exists() else ABSENT
        if now != only_if:
            raise ChangedError(str(path))

    @contextmanager
    def _locked(self) -> Generator[None]:
        said = f"{self._folder}: another machine has been writing for {LOCKED_SECONDS:.0f} s; try again"
        with locked(self._folder / LOCK, LOCKED_SECONDS, lambda: said):
            yield

    @contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(f"{error.filename or self.url}: {error.strerror or error}") from None


def _entry(key: str, path: Path) -> Entry:
    found = path.stat()
    return Entry(key, found.st_size, _tag(found), found.st_mtime)


def _tag(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns}-{found.st_size}-{found.st_ino}"
