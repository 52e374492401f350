"""What `<slug> --help` costs beyond starting the interpreter, in processor time."""

from pathlib import Path

from project import SLUG, bake_and_install
from rows import Row
from timing import compare, in_turn, run_process

PAIRS = 25
LIMIT_SECONDS = 0.15


def measure(folder: Path) -> list[Row]:
    """Return one row."""
    project = bake_and_install(folder)
    pairs = in_turn(
        lambda: run_process((project.command, "--help"), project.path),
        lambda: run_process((project.python, "-c", "pass"), project.path),
        PAIRS,
    )
    found = compare([(ours.cpu_seconds, bare.cpu_seconds) for ours, bare in pairs])
    beyond = found.first - found.second
    result = f"{beyond:.3f} s of processor time beyond a bare interpreter ({found.ratio:.1f} times)"
    return [Row(f"`{SLUG} --help`", result, f"below {LIMIT_SECONDS} s", beyond < LIMIT_SECONDS)]
