"""A look at a month of 1, 10 and 100 times as many predictions: do time and memory keep within bounds?"""

import shutil
from pathlib import Path

from project import Installed, bake_and_install, run
from rows import Row
from timing import Usage, run_process

TIMES = (1, 10, 100)
MEMORY_LIMIT_BYTES = 2_000_000_000  # what the engine may use; the interpreter and its libraries come on top
LIMIT_BYTES = 1.5 * MEMORY_LIMIT_BYTES

# Rows and predictions of the same flights, under other keys.
REPEAT = """
import sys, duckdb
source, target, times = sys.argv[1:]
duckdb.execute("SET preserve_insertion_order = false")
duckdb.execute(f'''
    COPY (
        SELECT t.* REPLACE (flight_id || '-' || number AS flight_id)
        FROM '{source}' AS t, range({times}) AS copies(number)
    ) TO '{target}' (FORMAT parquet)
''')
"""
COUNT = """
import sys
from handrail.monitoring.series import read_series
from late_flights import project
print(read_series(project.settings()).rows[-1].rows)
"""


def measure(folder: Path) -> list[Row]:
    """Return a row for each size: how many predictions were looked at, in what time and memory."""
    project = bake_and_install(folder)
    for verb in ("etl", "train", "promote", "score"):
        run(project.command, verb, cwd=project.path)
    usual: Usage | None = None
    rows = []
    for times in TIMES:
        there = {"LATE_FLIGHTS_WORKSPACE": str(grown(project, folder / f"x{times}", times))}
        used = run_process((project.command, "monitor"), project.path, **there)
        count = int(run(project.python, "-c", COUNT, cwd=project.path, **there))
        usual = usual or used
        result = (
            f"{count:,} predictions in {used.cpu_seconds:.1f} s of processor time "
            f"({used.cpu_seconds / usual.cpu_seconds:.1f} times), {used.peak_bytes / 1e9:.2f} GB"
        )
        bound = f"at most {LIMIT_BYTES / 1e9:.1f} GB, with a memory_limit of 2GB"
        rows.append(Row(f"a month, {times} times the flights", result, bound, used.peak_bytes <= LIMIT_BYTES))
        shutil.rmtree(there["LATE_FLIGHTS_WORKSPACE"])
    return rows


def grown(project: Installed, target: Path, times: int) -> Path:
    """Return a workspace with the same models, and `times` as many rows and predictions."""
    shutil.copytree(project.path / "models", target / "models")
    (target / "data" / "predictions").mkdir(parents=True)
    (scored,) = (project.path / "data" / "predictions").glob("*.parquet")
    for file in (project.path / "data" / "departures.parquet", scored):
        there = target / file.relative_to(project.path)
        run(project.python, "-c", REPEAT, file, there, str(times), cwd=target)
    return target
