"""Locks between processes: who changes a file, or does what only one may do, holds one."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from handrail.errors import ProjectError


@contextmanager
def locked(path: Path, seconds: float, otherwise: Callable[[], str]) -> Generator[None]:
    """Hold the lock of a file; its folder is made.

    Raises ProjectError with what `otherwise` says where another process holds it for longer than `seconds`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=seconds):
            yield
    except Timeout:
        raise ProjectError(otherwise()) from None
