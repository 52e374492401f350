"""What is different in a window: features beside what was learnt from, slices beside the test period."""

from collections.abc import Iterator
from dataclasses import dataclass

from TWIN_model_metrics import GREATER_IS_BETTER

from handrail.compute.duckdb import Connection, literal, parquet
from handrail.config.settings import Settings
from handrail.contract.schema import Role, of_role, request_model
from handrail.etl.load import table_path
from handrail.monitoring.drift import population_stability
from handrail.monitoring.outcomes import live_metrics
from handrail.registry.drift_reference import PREDICTION, Bins, shares
from handrail.registry.versions import Version
from handrail.training.encoding import UNKNOWN
from handrail.training.evaluation import SMALLEST_PART_ROWS


@dataclass(frozen=True)
class FeatureDrift:
    """How far a column has moved, and the bin that moved most: its share learnt from, and its share now."""

    name: str
    stability: float
    bin: str
    before: float
    now: float


@dataclass(frozen=True)
class SliceChange:
    """The agreed metric where a column has one value: in the test period, with its 95% interval, and now."""

    name: str
    rows: int
    before: float
    low: float
    high: float
    now: float
    worse: bool


def feature_drift(connection: Connection, source: str, version: Version) -> tuple[FeatureDrift, ...]:
    """Return each feature and the prediction, the furthest moved first."""
    counted = shares(connection, source, version.bins)
    found = []
    for item in version.bins:
        before, now = version.info["reference"][item.column]["shares"], counted[item.column]
        place = max(range(len(now)), key=lambda number: abs(now[number] - before[number]))
        stability = population_stability(before, now)
        found.append(FeatureDrift(item.column, stability, label(item, place), before[place], now[place]))
    return tuple(sorted(found, key=lambda feature: -feature.stability))


def slice_changes(
    connection: Connection, settings: Settings, source: str, version: Version
) -> tuple[SliceChange, ...]:
    """Return the whole and each slice with enough known outcomes, the one that lost most first."""
    metric = settings.accuracy.metric
    sign = 1 if GREATER_IS_BETTER[metric] else -1
    evaluation = version.info["evaluation"]
    connection.execute(f"CREATE OR REPLACE TEMP VIEW cut AS {_with_slices(settings, source)}").fetchall()
    known = {"all": ("TRUE", evaluation["model"][metric])}
    for column, value, figures in _slices(version):
        condition = f"coalesce(CAST({column} AS VARCHAR), {literal(UNKNOWN)}) = {literal(value)}"
        known[f"{column}: {value}"] = (condition, figures[metric])
    found = []
    for name, (condition, before) in known.items():
        rows_of_part = f"(SELECT * FROM cut WHERE {condition})"
        now = live_metrics(connection, rows_of_part, PREDICTION, version.decision)
        if now["outcomes"] >= SMALLEST_PART_ROWS and now[metric] is not None:
            worse = sign * now[metric] < sign * (before["low"] if sign > 0 else before["high"])
            figures = (before["value"], before["low"], before["high"], float(now[metric]))
            found.append(SliceChange(name, now["outcomes"], *figures, bool(worse)))
    return tuple(sorted(found, key=lambda part: (part.name != "all", sign * (part.now - part.before))))


def _slices(version: Version) -> Iterator[tuple[str, str, dict[str, dict[str, float]]]]:
    present = {column.name for column in of_role(CONTRACT, *Role)}
    for column, values in version.info["evaluation"]["parts"].items():
        if column in present:  # the months of the test period are none of the window's
            for value, figures in values.items():
                yield column, value, figures


def _with_slices(settings: Settings, source: str) -> str:
    """Return a query of `source` with those sliced columns that only the loaded table has."""
    asked, table = (
        request_model(settings.project.contract).model_fields,
        table_path(settings, settings.project.table_name),
    )
    others = [c.name for c in of_role(settings.project.contract, *Role) if c.sliced and c.name not in asked]
    if not others:
        return f"SELECT * FROM {source}"
    if not table.is_file():
        return f"SELECT *, {', '.join(f'NULL AS {name}' for name in others)} FROM {source}"
    picked = ", ".join(f"t.{name}" for name in others)
    return f"SELECT w.*, {picked} FROM {source} AS w LEFT JOIN {parquet(table)} AS t ON t.{settings.project.key} = w.{settings.project.key}"


def label(item: Bins, place: int) -> str:
    """Return what a bin holds, in words."""
    if item.names:
        return item.names[place] if place < len(item.names) else "missing or new"
    edges = [f"{edge:.4g}" for edge in item.edges]
    if place > len(edges) or not edges:
        return "missing" if place > len(edges) else "any"
    low = f"above {edges[place - 1]}" if place else ""
    high = f"up to {edges[place]}" if place < len(edges) else ""
    return " ".join(filter(None, (low, high)))
