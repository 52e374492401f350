"""`score` on 10 million rows beside the bare model; how it grows is measured by `large`."""

import json
import statistics
from pathlib import Path

from project import Installed, bake_and_install, run
from rows import Row

ROWS = 10_000_000
PAIRS = 3
LIMIT = 0.7
HERE = Path(__file__).parent
# The loaded flights again and again, under other flight numbers: every key stays unique.
REPEAT = """
import sys, duckdb
source, target, times, rows = sys.argv[1:]
duckdb.execute("SET preserve_insertion_order = false")
duckdb.execute("SET memory_limit = '2GB'")
duckdb.execute(f'''
    COPY (
        SELECT flights.* REPLACE (flight_id[:2] || (number + 100) || flight_id[3:] AS flight_id)
        FROM '{source}' AS flights, range({times}) AS copies(number) LIMIT {rows}
    ) TO '{target}' (FORMAT parquet)
''')
"""


def measure(folder: Path) -> list[Row]:
    """Return the rows for the pace."""
    project = bake_and_install(folder)
    for verb in ("etl", "train", "promote"):
        run(project.command, verb, cwd=project.path)
    return pace(project, repeated(project, 30, ROWS))


def repeated(project: Installed, times: int, rows: int) -> Path:
    """Write `times` times the loaded rows, at most `rows`, to a file."""
    target = project.path.parent / f"flights-{times}.parquet"
    table = project.path / "data" / "departures.parquet"
    run(project.python, "-c", REPEAT, table, target, str(times), str(rows), cwd=project.path)
    return target


def pace(project: Installed, source: Path) -> list[Row]:
    """Return rows per second of both, in turn, with the model on one thread and on as many as `score` has."""
    inside = (project.python, HERE / "batch_inside.py", project.command, source, str(PAIRS))
    found = json.loads(run(*inside, cwd=project.path))
    kinds = {"one": "on one thread", "all": f"on {found['threads']} threads, as many as `score` has"}
    return [beside(how, found[kind], found["score"], found["rows"]) for kind, how in kinds.items()]


def beside(how: str, bare: list[list[float]], scored: list[list[float]], rows: int) -> Row:
    """Return the row of a comparison, of elapsed and of processor time."""
    wall, cpu = (
        statistics.median(one[clock] / other[clock] for one, other in zip(bare, scored, strict=True))
        for clock in (0, 1)
    )
    ours, model = (rows / statistics.median(each[0] for each in side) for side in (scored, bare))
    result = f"{wall:.2f} of its rows a second ({ours:,.0f} : {model:,.0f}), {cpu:.2f} by processor time"
    return Row(f"{rows:,} rows, beside the bare model {how}", result, f"at least {LIMIT}", wall >= LIMIT)
