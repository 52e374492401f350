"""What is different in a window: features beside what was learnt from, slices beside the test period."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan, nan

from handrail.compute.duckdb import Connection, identifier, literal
from handrail.config.settings import Settings
from handrail.contract.schema import columns
from handrail.etl.load import loaded_table
from handrail.monitoring.drift import population_stability
from handrail.monitoring.live_metrics import decision_of, live_metrics
from handrail.registry.acceptance import agreed_metric
from handrail.registry.drift_reference import PREDICTION, Bins, shares
from handrail.registry.versions import Version
from handrail.training.encoding import UNKNOWN
from handrail.training.evaluation import SMALLEST_PART_ROWS
from handrail.training.horizons import step_in_sql

log = logging.getLogger(__name__)
NOT_MEASURED = {"value": nan, "low": nan, "high": nan}


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
    """The agreed metric where a column has one value: in the test period, with its 95% interval, and now.

    Where the version was trained before it was a metric, what it was in the test period is NaN.
    """

    name: str
    rows: int
    before: float
    low: float
    high: float
    now: float
    worse: bool

    @property
    def gained(self) -> float:
        """How much more it is now than in the test period; nothing where it was not measured then."""
        return 0.0 if isnan(self.before) else self.now - self.before


def feature_drift(connection: Connection, source: str, version: Version) -> tuple[FeatureDrift, ...]:
    """Return each feature that is watched and the prediction, the furthest moved first."""
    counted = shares(connection, source, version.watched)
    found = []
    for item in version.watched:
        before, now = version.info["reference"][item.column]["shares"], counted[item.column]
        place = max(range(len(now)), key=lambda number: abs(now[number] - before[number]))
        stability = population_stability(before, now)
        found.append(FeatureDrift(item.column, stability, label(item, place), before[place], now[place]))
    return tuple(sorted(found, key=lambda feature: -feature.stability))


def slice_changes(
    connection: Connection, settings: Settings, source: str, version: Version
) -> tuple[SliceChange, ...]:
    """Return the whole and each slice with enough known outcomes, the one that lost most first."""
    metric = settings.project.metrics[agreed_metric(settings)]
    connection.execute(f"CREATE OR REPLACE TEMP VIEW cut AS {_with_slices(connection, settings, source)}")
    decision, found = decision_of(connection, source, version), []
    for name, (condition, evaluated) in _slices(version).items():
        rows_of_part = f"(SELECT * FROM cut WHERE {condition})"
        measured = live_metrics(
            connection, settings.project, rows_of_part, PREDICTION, decision, as_told=True
        )
        now, before = measured.metrics[metric.name], evaluated.get(metric.name, NOT_MEASURED)
        if measured.outcomes >= SMALLEST_PART_ROWS and not isnan(now):
            end = before["low"] if metric.greater_is_better else before["high"]
            worse = not isnan(end) and metric.worse(now, than=end)
            figures = (before["value"], before["low"], before["high"], now)
            found.append(SliceChange(name, measured.outcomes, *figures, worse))
        if measured.note:
            log.warning("%s: %s", name, measured.note)
    return tuple(sorted(found, key=lambda part: (part.name != "all", metric.sign * part.gained)))


def _slices(version: Version) -> dict[str, tuple[str, Mapping[str, Mapping[str, float]]]]:
    """Return the SQL condition of the whole and of each slice, and what the test period showed of it."""
    evaluation, present = version.info["evaluation"], version.project.contract.model_fields
    found = {"all": ("TRUE", evaluation["model"])}
    unit = evaluation.get("step_unit")
    for column, values in evaluation["parts"].items():
        if column == "step" and unit and column not in present:
            step = step_in_sql(version.project, unit)
            found |= {f"step: {value}": (f"{step} = {value}", each) for value, each in values.items()}
        if column in present:  # the months of the test period are none of the window's
            for value, figures in values.items():
                named = (
                    f"coalesce(CAST({identifier(column)} AS VARCHAR), {literal(UNKNOWN)}) = {literal(value)}"
                )
                found[f"{column}: {value}"] = (named, figures)
    return found


def _with_slices(connection: Connection, settings: Settings, source: str) -> str:
    """Return a query of `source` with those sliced columns that only the loaded table has."""
    project, asked = settings.project, settings.project.request.model_fields
    others = [c.name for c in columns(project.contract) if c.sliced and c.name not in asked]
    if not others:
        return f"SELECT * FROM {source}"
    table = loaded_table(connection, settings)
    if table is None:
        return f"SELECT *, {', '.join(f'NULL AS {identifier(name)}' for name in others)} FROM {source}"
    picked, key = ", ".join(f"t.{identifier(name)}" for name in others), identifier(project.key)
    joined = f"{source} AS w LEFT JOIN {table} AS t ON t.{key} = w.{key}"
    return f"SELECT w.*, {picked} FROM {joined}"


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
