"""Runs code of the project in a process of its own, where it can change what is imported without harm."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from handrail.errors import ProjectError


def answer_of(
    code: str,
    *arguments: str,
    folder: Path,
    seconds: int,
    failed: str,
    environment: Mapping[str, str] | None = None,
) -> Any:
    """Return what `code` prints last, which is JSON; `arguments` are its sys.argv[1:].

    Raises ProjectError where it ends badly: `failed`, and the last line of what it said.
    """
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise ProjectError(f"{failed} {last}")
    return json.loads(done.stdout.splitlines()[-1])
