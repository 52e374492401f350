"""Whole processes, timed and weighed by the operating system; in pairs, as no machine is ever quiet."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

BYTES_PER_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Usage:
    """What one process, with the processes it waited for, took."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Comparison:
    """Medians of the first and the second of each pair, and the median of the pairs' own ratios."""

    first: float
    second: float
    ratio: float


def run_process(command: Sequence[str | Path], folder: Path, **environment: str) -> Usage:
    """Run a command to its end and return what it took. Raises RuntimeError, with its output, if it fails."""
    with (folder / ".output").open("w+b") as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: status {process.returncode}\n{text}")
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * BYTES_PER_RSS_UNIT)


def in_turn(first: Callable[[], Usage], second: Callable[[], Usage], pairs: int) -> list[tuple[Usage, Usage]]:
    """Run the two A B A B ..., and a pair before that is not counted."""
    first(), second()
    return [(first(), second()) for _ in range(pairs)]


def compare(pairs: Sequence[tuple[float, float]]) -> Comparison:
    """Return the medians of both sides of the pairs and of the ratios first / second."""
    firsts, seconds = zip(*pairs, strict=True)
    ratio = statistics.median(first / second for first, second in pairs)
    return Comparison(statistics.median(firsts), statistics.median(seconds), ratio)


def wall_and_cpu(pairs: Sequence[tuple[Usage, Usage]]) -> tuple[Comparison, Comparison]:
    """Return the comparison of elapsed time and that of processor time."""
    return (
        compare([(a.wall_seconds, b.wall_seconds) for a, b in pairs]),
        compare([(a.cpu_seconds, b.cpu_seconds) for a, b in pairs]),
    )
