"""Times the bare model over matrices in memory and `score` over the same rows, whole process, in turn.

    python batch_inside.py COMMAND SOURCE PAIRS

Run by the project's interpreter in the project's folder; prints JSON: rows, threads, and for each round the
seconds, elapsed and of processor, of the model on one thread, on all, and of `score`.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from late_flights import project
from timing import run_process

from handrail.compute import connect
from handrail.predictor import Predictor
from handrail.registry.live import load_live
from handrail.serving.batch import BATCH_ROWS
from handrail.serving.batch_prediction import workers


def main(command: Path, source: Path, pairs: int) -> None:
    """Run the rounds, one more before that is not counted."""
    settings = project.settings()
    version, _ = load_live(settings)
    with connect(settings) as connection:
        selected = ", ".join(f"{value} AS f{n}" for n, value in enumerate(version.encoding.select()))
        read = connection.sql(f"SELECT {selected} FROM '{source}'").to_arrow_reader(BATCH_ROWS)
        batches = [np.column_stack([np.from_dlpack(column) for column in batch.columns]) for batch in read]
    predictor, output = Predictor(version.model), source.with_name("scored.parquet")
    line = (command, "score", "--input", source, "--output", output)
    found: dict[str, list[tuple[float, float]]] = {"one": [], "all": [], "score": []}
    for _ in range(pairs + 1):
        found["one"].append(timed(lambda: [predictor.predict(batch) for batch in batches]))
        used = run_process(line, source.parent.joinpath(project.program))
        found["score"].append((used.wall_seconds, used.cpu_seconds))
        with ThreadPoolExecutor(workers()) as pool:
            found["all"].append(timed(lambda: [*pool.map(predictor.predict, batches)]))
    counted = {name: rounds[1:] for name, rounds in found.items()}
    print(json.dumps({"rows": sum(map(len, batches)), "threads": workers(), **counted}))


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that `work` takes, elapsed and of processor, all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
