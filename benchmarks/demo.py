"""`make demo` in a fresh copy of the template, from the command to the first prediction over HTTP."""

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from project import base_python, copy_template
from rows import Row

PAIRS = 3
WARM_SECONDS, COLD_SECONDS = 45, 90
FIRST_PREDICTION = "answered:"


@dataclass(frozen=True)
class Demo:
    """Seconds to the first prediction, and those between uv's first and last word about downloads."""

    seconds: float
    downloading: float


def measure(folder: Path) -> list[Row]:
    """Return a row with empty caches, one with full ones, one for packages compiled when installed."""
    template, caches = copy_template(folder), folder / "caches"
    cold = make_demo(template, caches)
    pairs = [
        (make_demo(template, caches), make_demo(template, caches, UV_COMPILE_BYTECODE="1"))
        for _ in range(PAIRS)
    ]
    warm = statistics.median(plain.seconds for plain, _ in pairs)
    compiled = statistics.median(compiled.seconds / plain.seconds for plain, compiled in pairs)
    beyond = cold.seconds - cold.downloading
    return [
        Row(
            "first prediction, empty caches",
            f"{cold.seconds:.1f} s, {cold.downloading:.1f} s of it downloads",
            f"at most {COLD_SECONDS} s beyond the downloads",
            beyond <= COLD_SECONDS,
        ),
        Row(
            "first prediction, full caches",
            f"{warm:.0f} s",
            f"at most {WARM_SECONDS} s",
            warm <= WARM_SECONDS,
        ),
        Row("the same, packages compiled when installed", f"{compiled:.2f} times the time"),
    ]


def make_demo(template: Path, caches: Path, **more: str) -> Demo:
    """Run `make demo` to its end, as if for the first time but for the caches."""
    shutil.rmtree(template / ".venv", ignore_errors=True)
    shutil.rmtree(template / "build", ignore_errors=True)
    places = {"UV_CACHE_DIR": str(caches / "uv"), "PIP_CACHE_DIR": str(caches / "pip")}
    environment = {**os.environ, **places, "PYTHONUNBUFFERED": "1", **more}
    predicted, downloads = None, []
    for seconds, line in timed_lines(["make", "demo", f"PYTHON={base_python()}"], template, environment):
        if line.startswith(FIRST_PREDICTION) and predicted is None:
            predicted = seconds
        if line.split()[:1] in (["Downloading"], ["Downloaded"]):
            downloads.append(seconds)
    if predicted is None:
        raise RuntimeError("make demo ended well without a prediction")
    return Demo(predicted, downloads[-1] - downloads[0] if downloads else 0)


def timed_lines(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[tuple[float, str]]:
    """Yield what a command prints, line by line, with the seconds so far. Raises RuntimeError if it fails."""
    begun, said = time.perf_counter(), []
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            said.append(line)
            yield time.perf_counter() - begun, line
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: status {process.returncode}\n{''.join(said)}")
