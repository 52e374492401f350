"""The metrics of what was served: the engine groups the rows, NumPy measures the groups.

The functions are those by which every model is measured. Where there are more than MOST_GROUPS groups, a
sample of as many rows is measured: a row is in it by its key, so that the same window has the same sample.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np

from handrail.compute.duckdb import Connection, identifier, literal, row
from handrail.monitoring.outcomes import sample_by_key
from handrail.project import Project
from handrail.registry.versions import Version
from handrail.tasks.metric import Decision

MOST_GROUPS = 10_000_000


@dataclass(frozen=True)
class LiveMetrics:
    """How many outcomes are known, how many of them were measured, and every metric, NaN where unknown."""

    outcomes: int
    measured: int
    metrics: Mapping[str, float]

    @property
    def note(self) -> str:
        """What has to be said of how it was measured; empty where every outcome was."""
        if self.measured == self.outcomes:
            return ""
        return f"measured on a sample by key, {self.measured:,} of {self.outcomes:,} outcomes"


def live_metrics(
    connection: Connection,
    project: Project,
    source: str,
    prediction: str,
    decision: Decision,
    *,
    as_told: bool = False,
) -> LiveMetrics:
    """Return the metrics of the column `prediction` of the FROM item `source`, where the outcome is known.

    `as_told`: what was told beside each prediction counts, whoever gave it, in place of what `decision` says.
    """
    task, target = project.task, identifier(project.target)
    columns = prediction, target
    as_told = as_told and task.told.keys().isdisjoint(project.contract.model_fields)  # else no range is told
    known = row(connection, f"SELECT count({target}) AS n FROM {source}")["n"]
    query = task.grouped_query(source, *columns, as_told=as_told)
    sampled = known > MOST_GROUPS and _groups(connection, query) > MOST_GROUPS
    if sampled:
        chosen = f"(SELECT * FROM {source} WHERE {sample_by_key(project, known, MOST_GROUPS)})"
        query = task.grouped_query(chosen, *columns, as_told=as_told)
    found = {name: np.ma.getdata(values) for name, values in connection.execute(query).fetchnumpy().items()}
    counted = int(found["n"].sum())
    if not counted:
        return LiveMetrics(known, known, dict.fromkeys(project.metrics, nan))
    acted: dict[str, Any] = dict(decision)  # a number for all rows, or one for each
    if "range" in found:
        acted["reach"] = found["range"]
    measured = project.metrics.measure_rows(task.grouped_outcomes(found), acted)
    return LiveMetrics(known, counted if sampled else known, measured)


def decision_of(connection: Connection, source: str, version: Version) -> Decision:
    """Return how most predictions of `version` in the FROM item `source` were acted on.

    That is by the threshold or margin of its model, or of its baseline where that has answered most of them.
    """
    query = f"SELECT count(*) < 2 * count_if(source = 'fallback') AS simple FROM {source} "
    simple = row(connection, f"{query} WHERE version = {literal(version.name)}")["simple"]
    return version.decision_of("fallback" if simple else "model")


def _groups(connection: Connection, query: str) -> int:
    return row(connection, f"SELECT count(*) AS n FROM ({query})")["n"]
