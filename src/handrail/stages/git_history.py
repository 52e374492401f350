"""Who wrote a file, as git remembers it."""

import subprocess
from pathlib import Path


def last_author(root: Path, name: str) -> str:
    """Return who committed file `name` last, and when; empty where git knows nothing of it."""
    command = ["git", "--no-optional-locks", "log", "-1", "--format=%an, %as", "--", name]
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=root, capture_output=True, text=True, encoding="utf-8", check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
