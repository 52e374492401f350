"""Times the project's ETL and the hand-written statement in one process, in turn, after all imports.

    python etl_inside.py SOURCE TARGET PAIRS

Run by the project's interpreter in the project's folder; prints JSON: for each pair two lists of seconds,
elapsed and of processor. Raises ValueError where the two tables differ.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
from etl_by_hand import write_table
from late_flights import project

from handrail.etl import run_etl


def main(source: Path, target: Path, pairs: int) -> None:
    """Run the pairs, one more before that is not counted, and compare what was written."""
    settings = project.settings()
    seconds = []
    for _ in range(pairs + 1):
        ours = timed(lambda: run_etl(settings, lambda step: None))
        seconds.append((ours, timed(lambda: write_table(source, target))))
    refuse_difference(settings.workspace / "data" / "departures.parquet", target)
    print(json.dumps(seconds[1:]))


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that `work` takes, elapsed and of processor, all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def refuse_difference(ours: Path, other: Path) -> None:
    """Raise ValueError unless both files hold the same rows."""
    first, second = f"FROM '{ours}'", f"FROM '{other}'"
    differing = (
        f"SELECT count(*) FROM (({first} EXCEPT ALL {second}) UNION ALL ({second} EXCEPT ALL {first}))"
    )
    ((count,),) = duckdb.sql(differing).fetchall()
    if count:
        raise ValueError(f"{count} rows differ between {ours} and {other}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
