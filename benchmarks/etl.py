"""The project's ETL on all flights beside one hand-written SQL statement that writes the same table."""

import json
from pathlib import Path

from project import bake_and_install, run
from rows import Row
from timing import Comparison, compare, in_turn, run_process, wall_and_cpu

PAIRS = 9
LIMIT = 0.8
HERE = Path(__file__).parent


def measure(folder: Path) -> list[Row]:
    """Return a row for the work alone and one for whole processes, start included."""
    project = bake_and_install(folder)
    by_hand = folder / "by-hand.parquet"
    inside = (project.python, HERE / "etl_inside.py", project.source, by_hand, str(PAIRS))
    seconds = json.loads(run(*inside, cwd=project.path))
    processes = in_turn(
        lambda: run_process((project.command, "etl"), project.path),
        lambda: run_process((project.python, HERE / "etl_by_hand.py", project.source, by_hand), folder),
        PAIRS,
    )
    alone = [compare([(ours[clock], other[clock]) for ours, other in seconds]) for clock in (0, 1)]
    return [beside("the work alone", *alone), beside("whole processes", *wall_and_cpu(processes))]


def beside(what: str, wall: Comparison, cpu: Comparison) -> Row:
    """Return the row of a comparison; speed is the other's time over ours."""
    result = (
        f"{1 / wall.ratio:.2f} times as fast ({wall.first:.2f} s : {wall.second:.2f} s), "
        f"{1 / cpu.ratio:.2f} by processor time"
    )
    return Row(f"beside one SQL statement, {what}", result, f"at least {LIMIT}", 1 / wall.ratio >= LIMIT)
