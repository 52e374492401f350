"""ETL, scoring and monitoring of 1, 10 and 100 times the flights: ours, on Spark, and written by hand.

Writes what was measured into large.json, and from that the table large.md and the picture large.svg.
"""

import json
import shutil
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from project import Installed, bake_and_install, environment, run
from rows import Row
from timing import Watched, watch_process

HERE = Path(__file__).parent
KEPT = HERE / "large.json"
FLIGHTS, LOADED = 336_776, 336_775
TIMES = {1: 3, 10: 2, 100: 1}  # how many times the flights, and how often each is run
TASKS = ("etl", "score", "monitor")
OURS, SPARK, SQL, POLARS, PANDAS = "Handrail", "Handrail on Spark", "DuckDB's SQL", "Polars", "pandas"
ENGINES = (OURS, SQL, POLARS, PANDAS, SPARK)
FRAMES = ("duckdb>=2,<3", "onnxruntime>=1.31,<2", "pandas>=3,<4", "polars>=1.44,<2", "pyarrow>=25,<27")
PROGRAMS = {SQL: "by_hand_duckdb.py", POLARS: "by_hand_polars.py", PANDAS: "by_hand_pandas.py"}
LIMIT_BYTES = 2 * 2**30  # of ours on one machine
LINEAR = 15  # times the processor time, at most, of ten times the rows: they are put in order, on the disk
MOST_BYTES, MOST_SECONDS = 8 * 2**30, 60 * 60  # where any is stopped
WHOLE = ("--from", "2013-01-01")  # score all rows, also those that were learnt from

# Other flight numbers, so that every key stays unique, and every plane and hour of weather is there.
REPEAT = """
import sys, duckdb
source, target, times = sys.argv[1:]
duckdb.execute("SET preserve_insertion_order = false")
duckdb.execute("SET memory_limit = '2GB'")
duckdb.execute(f'''
    COPY (
        SELECT flights.* REPLACE (CAST(CAST(flight AS INTEGER) + 10000 * number AS VARCHAR) AS flight)
        FROM read_csv('{source}', all_varchar = true, header = true) AS flights,
            range({times}) AS copies(number)
    ) TO '{target}' (FORMAT csv, HEADER)
''')
"""
FACTS = """
import sys, duckdb
print(duckdb.sql(f"SELECT count(*), {sys.argv[2]} FROM '{sys.argv[1]}'").fetchall()[0])
"""
FIGURE = """
from handrail.monitoring.series import read_series
from late_flights import project
found = [each for each in read_series(project.settings()).rows if each.figure == "roc_auc"]
print(found[-1].rows, found[-1].value)
"""


@dataclass(frozen=True)
class Measured:
    """The least seconds and the largest peak of a task; note: why there is no whole run, if there is none."""

    engine: str
    task: str
    times: int
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    note: str = ""


@dataclass(frozen=True)
class Place:
    """What the runs share: the projects, the interpreter of the others, a folder, the models."""

    project: Installed
    on_spark: Installed
    frames: Path
    folder: Path

    @property
    def models(self) -> Path:
        """The folder of the versions."""
        return self.project.path / "models"

    @property
    def version(self) -> Path:
        """The folder of the version that is live."""
        (found,) = self.models.glob("2*")
        return found

    def source(self, times: int) -> Path:
        """The folder of the raw files."""
        return self.folder / f"raw-{times}"

    def workspace(self, engine: str, times: int) -> Path:
        """The folder that one of our engines works in."""
        return self.folder / f"{'on-spark' if engine == SPARK else 'ours'}-{times}"

    def table(self, times: int) -> Path:
        """The table that ours has loaded."""
        return self.workspace(OURS, times) / "data" / "departures.parquet"

    def predictions(self, times: int) -> Path:
        """What ours has predicted."""
        (found,) = (self.workspace(OURS, times) / "data" / "predictions").glob("scored-*.parquet")
        return found


def measure(folder: Path) -> list[Row]:
    """Measure everything, write the table and the picture, and return the rows of the limits."""
    place, found = prepared(folder), []
    for times, rounds in TIMES.items():
        grow(place, times)
        found += least(one for _ in range(rounds) for one in all_of(place, times, ENGINES))
        KEPT.write_text(json.dumps([asdict(one) for one in found], indent=0) + "\n", encoding="utf-8")
        for used in (place.source(times), *(place.workspace(engine, times) for engine in (OURS, SPARK))):
            shutil.rmtree(used)
    return report(found)


def report(found: Sequence[Measured]) -> list[Row]:
    """Write the table and the picture, and return a row for each limit of ours."""
    from large_report import draw, table

    (HERE / "large.md").write_text(table(found), encoding="utf-8", newline="\n")
    draw(found, HERE / "large.svg")
    by = {(one.engine, one.task, one.times): one for one in found}
    rows = []
    for task in TASKS:
        small, large = by[OURS, task, 10], by[OURS, task, 100]
        memory, growth = large.peak_bytes, large.cpu_seconds / small.cpu_seconds
        result = f"peak memory {memory / 2**30:.2f} GiB, {growth:.1f} times the processor time of ten times"
        kept = memory <= LIMIT_BYTES and growth <= LINEAR
        rows.append(Row(f"{task}, 100 times the flights", result, f"at most 2 GiB, {LINEAR} times", kept))
    return rows


def prepared(folder: Path) -> Place:
    """Make both projects and the others' environment, and a version that is live."""
    project = bake_and_install(folder)
    for verb in ("etl", "train", "promote"):
        run(project.command, verb, cwd=project.path)
    on_spark = bake_and_install(folder / "spark", "compute=spark")
    return Place(project, on_spark, environment(folder, "frames", *FRAMES) / "python", folder)


def grow(place: Place, times: int) -> None:
    """Write a folder of raw tables with `times` times the flights; the other tables are linked."""
    target = place.source(times)
    target.mkdir()
    for file in place.project.source.glob("*.csv"):
        (target / file.name).symlink_to(file)
    with zipfile.ZipFile(place.project.source / "flights.csv.zip") as archive:
        one = archive.extract("flights.csv", place.folder)
    run(place.project.python, "-c", REPEAT, one, target / "flights.csv", str(times), cwd=target)


def all_of(place: Place, times: int, engines: Sequence[str]) -> Iterator[Measured]:
    """Run every task on every engine in turn; ours comes first, as the others read what it has made."""
    for engine in engines:
        tasks = tasks_of_ours if engine in (OURS, SPARK) else tasks_by_hand
        for one in tasks(place, engine, times):
            told = f"{one.cpu_seconds:.1f} s of processor time, {one.peak_bytes / 2**30:.2f} GiB {one.note}"
            print(f"  {times} x {one.task}, {engine}: {one.wall_seconds:.1f} s, {told}", file=sys.stderr)
            yield one


def tasks_of_ours(place: Place, engine: str, times: int) -> Iterator[Measured]:
    """Run the project's commands in a workspace of their own, and see that nothing was lost."""
    workspace = place.workspace(engine, times)
    shutil.rmtree(workspace, ignore_errors=True)
    shutil.copytree(place.models, workspace / "models")
    project = place.project if engine == OURS else place.on_spark
    there = {
        "LATE_FLIGHTS_WORKSPACE": str(workspace),
        "LATE_FLIGHTS_DATA__SOURCE": str(place.source(times)),
    }
    for task in TASKS:
        command = (project.command, task, *(WHOLE if task == "score" else ()))
        used = watch_process(command, project.path, MOST_BYTES, MOST_SECONDS, **there)
        yield measured(engine, task, times, used)
        if used.stopped:
            return
        if task != "monitor" and f"{LOADED * times:,}" not in used.output:
            raise RuntimeError(f"{engine}: {task}: not {LOADED * times:,} rows\n{used.output}")
    if engine == SPARK:
        ours, theirs = (
            auc(one, place.workspace(name, times))
            for one, name in ((place.project, OURS), (place.on_spark, SPARK))
        )
        refuse_difference(engine, ours, theirs)


def tasks_by_hand(place: Place, engine: str, times: int) -> Iterator[Measured]:
    """Run a program that was written by hand, and see that it finds what ours does."""
    table, predictions = place.table(times), place.predictions(times)
    loaded, scored = (place.folder / f"by-hand-{name}.parquet" for name in ("loaded", "scored"))
    given: dict[str, tuple[Any, ...]] = {
        "etl": (place.source(times), loaded),
        "score": (table, place.version, scored),
        "monitor": (table, predictions, place.version),
    }
    for task in TASKS:
        command = (place.frames, HERE / PROGRAMS[engine], task, *given[task])
        used = watch_process(command, place.folder, MOST_BYTES, MOST_SECONDS)
        yield measured(engine, task, times, used)
        if used.stopped:
            continue
        if task == "monitor":
            told = json.loads(used.output.splitlines()[-1])
            ours = auc(place.project, place.workspace(OURS, times))
            refuse_difference(engine, ours, (told["rows"], told["roc_auc"]))
        else:
            sums = "sum(late), sum(distance_km), sum(temperature_c)" if task == "etl" else "avg(prediction)"
            both = (table, loaded) if task == "etl" else (predictions, scored)
            refuse_difference(engine, *(facts(place.project, file, sums) for file in both))
        for file in (loaded, scored):
            file.unlink(missing_ok=True)


def measured(engine: str, task: str, times: int, used: Watched) -> Measured:
    """Return what a run has taken."""
    return Measured(engine, task, times, used.wall_seconds, used.cpu_seconds, used.peak_bytes, used.stopped)


def least(found: Iterator[Measured]) -> list[Measured]:
    """Return one of each task: the least seconds of its rounds, and the largest peak."""
    by: dict[tuple[str, str, int], list[Measured]] = {}
    for one in found:
        by.setdefault((one.engine, one.task, one.times), []).append(one)
    return [
        Measured(
            *key,
            min(one.wall_seconds for one in rounds),
            min(one.cpu_seconds for one in rounds),
            max(one.peak_bytes for one in rounds),
            rounds[-1].note,
        )
        for key, rounds in by.items()
    ]


def facts(project: Installed, file: Path, sums: str) -> tuple[float, ...]:
    """Return the rows of a file, and some sums."""
    told = run(project.python, "-c", FACTS, file, sums, cwd=project.path)
    return tuple(float(each) for each in told.strip().strip("()").split(","))


def auc(project: Installed, workspace: Path) -> tuple[float, ...]:
    """Return the rows and the ROC AUC of the last look in a workspace."""
    told = run(project.python, "-c", FIGURE, cwd=project.path, LATE_FLIGHTS_WORKSPACE=str(workspace))
    return tuple(map(float, told.split()))


def refuse_difference(engine: str, ours: Sequence[float], theirs: Sequence[float]) -> None:
    """Raise RuntimeError where another has found something else."""
    pairs = zip(ours, theirs, strict=True)
    if any(abs(one - other) > 1e-5 * max(abs(one), abs(other)) for one, other in pairs):
        raise RuntimeError(f"{engine}: found {theirs}, ours {ours}")
