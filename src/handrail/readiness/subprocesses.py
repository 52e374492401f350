"""Runs the project's own code in a process of its own, where it can be changed without harm."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

from handrail.errors import ProjectError

CALLED = "import json, sys; from {0} import {1}; print(json.dumps({1}(*sys.argv[1:])))"


def in_process(
    function: FunctionType,
    *arguments: str,
    folder: Path,
    seconds: int,
    failed: str,
    environment: Mapping[str, str | None],
) -> Any:
    """Return what a function of a module gives, called with texts in `folder`; it has to be plain data.

    `environment`: what is set there beside what is set here; None takes a variable away. Raises ProjectError
    where it ends badly: `failed`, and the last line of what it said.
    """
    code = CALLED.format(function.__module__, function.__name__)
    given = {name: value for name, value in (os.environ | environment).items() if value is not None}
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", code, *arguments],
            cwd=folder,
            env=given,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ProjectError(f"{failed} it did not end within {seconds} s") from None
    if done.returncode:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise ProjectError(f"{failed} {last}")
    return json.loads(done.stdout.splitlines()[-1])
