"""What does each feature cost: time in transform.sql, bytes on the disk, values that are missing?"""

import time
from collections.abc import Mapping
from statistics import median

from handrail.compute.duckdb import Connection, connect, file_name, identifier, parquet, row, rows
from handrail.errors import ProjectError
from handrail.etl.load import raw_path, table_path
from handrail.etl.pipeline import offer_tables, transformed_view
from handrail.readiness.context import ReadinessContext

MOST_RAW_ROWS = 50_000  # of each table that a small run may cut
REPEATS = 3
PER_ROWS = 1_000_000


def cost(context: ReadinessContext) -> str:
    """Measure every feature of the live version against the limits of project.yaml."""
    names, limits = context.version.encoding.features, context.limits
    with connect(context.settings) as connection:
        seconds = _seconds(connection, context, names)
        missing = _missing(connection, context.table, names)
        size = _bytes(connection, context)
    problems = [
        f"{name}: {seconds[name]:.1f} s for a million rows in transform.sql, at most "
        f"{limits.maximum_feature_seconds:g} are agreed (readiness in project.yaml); make it plainer"
        for name in names
        if seconds[name] > limits.maximum_feature_seconds
    ]
    problems += [
        f"{name}: missing in {missing[name]:.0%} of the rows, at most {limits.maximum_missing_share:.0%} are "
        "agreed (readiness in project.yaml); find a better source or drop it"
        for name in names
        if missing[name] > limits.maximum_missing_share
    ]
    if problems:
        raise ProjectError(problems)
    slowest, largest, emptiest = (max(names, key=each.__getitem__) for each in (seconds, size, missing))
    return (
        f"a million rows take at most {seconds[slowest]:.2f} s ({slowest}) and {size[largest] / 1e6:.1f} MB "
        f"({largest}); most often missing is {emptiest}, in {missing[emptiest]:.1%}"
    )


def _seconds(
    connection: Connection, context: ReadinessContext, names: tuple[str, ...]
) -> Mapping[str, float]:
    """Return how much longer transform.sql takes with each feature than with none, for a million rows."""
    _raw_in_memory(connection, context)
    transformed_view(connection, context.settings.project.transform)
    count = row(connection, "SELECT count(*) AS n FROM transformed")["n"]
    without = _time(connection, "count(*)")
    return {
        name: max(0.0, _time(connection, f"max(hash({identifier(name)}))") - without) * PER_ROWS / count
        for name in names
    }


def _raw_in_memory(connection: Connection, context: ReadinessContext) -> None:
    """Make a table of every raw one, cut where a small run may cut it, so that no reading is timed."""
    settings = context.settings
    paths = {name: raw_path(settings, name) for name in settings.project.raw_tables}
    absent = [path for path in paths.values() if not path.is_file()]
    if absent:
        raise ProjectError(f"{path}: no such file; run `etl` again" for path in absent)
    offer_tables(connection, settings)
    for name, path in paths.items():
        limit = f"LIMIT {MOST_RAW_ROWS}" if name in settings.data.sampled else ""
        connection.execute(
            f"DROP VIEW {identifier(name)}; "
            f"CREATE TEMP TABLE {identifier(name)} AS SELECT * FROM {parquet(path)} {limit}"
        ).fetchall()


def _time(connection: Connection, expression: str) -> float:
    taken = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        connection.execute(f"SELECT {expression} FROM transformed").fetchall()
        taken.append(time.perf_counter() - begun)
    return median(taken)


def _missing(connection: Connection, table: str, names: tuple[str, ...]) -> Mapping[str, float]:
    shares = ", ".join(f"1 - count({name}) / count(*) AS {name}" for name in map(identifier, names))
    return row(connection, f"SELECT {shares} FROM {table}")


def _bytes(connection: Connection, context: ReadinessContext) -> Mapping[str, float]:
    """Return what a million rows of each column take in the loaded table, as it is packed there."""
    path = table_path(context.settings, context.settings.project.table_name)
    count = row(connection, f"SELECT count(*) AS n FROM {parquet(path)}")["n"]
    size = "sum(total_compressed_size) AS size"
    query = f"SELECT path_in_schema AS name, {size} FROM parquet_metadata({file_name(path)}) GROUP BY 1"
    return {item["name"]: float(item["size"]) * PER_ROWS / count for item in rows(connection, query)}
