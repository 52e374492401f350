"""Whole processes, timed and weighed by the operating system; in pairs, as no machine is ever quiet."""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LOOKS = 10
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


@dataclass(frozen=True)
class Watched:
    """What a command and all that it started took together; stopped: why it was, in words, if it was.

    peak_bytes: the largest sum of their resident memory, looked at LOOKS times a second; pages that two of
    them share count twice · output: what was printed
    """

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str
    stopped: str = ""


def watch_process(
    command: Sequence[str | Path], folder: Path, most_bytes: int, most_seconds: float, **environment: str
) -> Watched:
    """Run a command in a session of its own and stop it where it takes more; on Linux only.

    Raises RuntimeError, with its output, if it fails by itself; status 3 is an alert, and none.
    """
    with (folder / ".output").open("w+b") as output:
        begun, peak, cpu, stopped = time.perf_counter(), 0, {}, ""
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        while process.poll() is None:
            found = _session(process.pid)
            peak = max(peak, sum(memory for memory, _ in found.values()))
            cpu |= {pid: seconds for pid, (_, seconds) in found.items()}
            if peak > most_bytes:
                stopped = f"stopped at {most_bytes / 2**30:.0f} GiB of memory"
            elif time.perf_counter() - begun > most_seconds:
                stopped = f"stopped after {most_seconds / 60:.0f} minutes"
            if stopped:
                break
            time.sleep(1 / LOOKS)
        wall = time.perf_counter() - begun
        for pid in _session(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode not in (0, 3) and not stopped:
        raise RuntimeError(f"{' '.join(map(str, command))}: status {process.returncode}\n{text}")
    return Watched(wall, sum(cpu.values()), peak, text, stopped)


def _session(number: int) -> dict[int, tuple[int, float]]:
    """Return resident bytes and processor seconds of each process of a session."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[3]) == number:
                ticks = int(fields[11]) + int(fields[12])
                memory = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
                found[int(stat.parent.name)] = memory, ticks / os.sysconf("SC_CLK_TCK")
    return found


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
