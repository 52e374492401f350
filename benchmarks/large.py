"""The project's ETL on 100 times as many flights: is its memory bounded, is its result right?"""

import zipfile
from pathlib import Path

from project import Installed, bake_and_install, run
from rows import Row
from timing import Usage, run_process

TIMES = 100
RUNS = 3
# The engine may use `memory_limit`; the interpreter, its libraries and read-ahead come on top.
MEMORY_LIMIT_BYTES = 2_000_000_000
LIMIT_BYTES = 1.5 * MEMORY_LIMIT_BYTES

# Ten years, and other flight numbers within a year, so that every key stays unique and every plane exists.
REPEAT = """
import sys, duckdb
source, target, times = sys.argv[1:]
duckdb.execute("SET preserve_insertion_order = false")
duckdb.execute(f'''
    COPY (
        SELECT flights.* REPLACE (
            CAST(CAST(year AS INTEGER) + number % 10 AS VARCHAR) AS year,
            CAST(CAST(flight AS INTEGER) + 10000 * (number // 10) AS VARCHAR) AS flight
        )
        FROM read_csv('{source}', all_varchar = true, header = true) AS flights,
            range({times}) AS copies(number)
    ) TO '{target}' (FORMAT csv, HEADER)
''')
"""
COUNT = "import sys, duckdb; print(duckdb.sql(f\"SELECT count(*) FROM '{sys.argv[1]}'\").fetchall()[0][0])"


def measure(folder: Path) -> list[Row]:
    """Return a row for memory, one for time and one for the rows that were loaded."""
    project = bake_and_install(folder)
    usual = sorted((etl(project) for _ in range(RUNS)), key=lambda used: used.cpu_seconds)[RUNS // 2]
    expected = TIMES * loaded(project)
    used = etl(project, LATE_FLIGHTS_DATA__SOURCE=str(repeated(project, folder / "large")))
    found = loaded(project)
    memory = (
        f"{used.peak_bytes / 1e9:.2f} GB, {used.peak_bytes / usual.peak_bytes:.1f} times that of "
        f"the usual input ({usual.peak_bytes / 1e9:.2f} GB)"
    )
    time = f"{used.cpu_seconds / usual.cpu_seconds:.0f} times the processor time"
    bound = f"at most {LIMIT_BYTES / 1e9:.1f} GB, with a memory_limit of 2GB"
    return [
        Row(f"peak memory, {TIMES} times the flights", memory, bound, used.peak_bytes <= LIMIT_BYTES),
        Row(f"time, {TIMES} times the flights", time),
        Row("rows loaded", f"{found:,}", f"{expected:,}", found == expected),
    ]


def etl(project: Installed, **environment: str) -> Usage:
    """Run the project's ETL as a process."""
    return run_process((project.command, "etl"), project.path, **environment)


def loaded(project: Installed) -> int:
    """Return the rows of the loaded table."""
    table = project.path / "data" / "departures.parquet"
    return int(run(project.python, "-c", COUNT, table, cwd=project.path))


def repeated(project: Installed, target: Path) -> Path:
    """Write a folder of raw tables with `TIMES` times the flights; the other tables are linked."""
    target.mkdir()
    for file in project.source.glob("*.csv"):
        (target / file.name).symlink_to(file)
    with zipfile.ZipFile(project.source / "flights.csv.zip") as archive:
        one = archive.extract("flights.csv", target.parent)
    many = target / "flights.csv"
    run(project.python, "-c", REPEAT, one, many, str(TIMES), cwd=target)
    return target
