"""Compares the live version with what else has answered: the baseline, and the canary."""

from collections.abc import Mapping
from math import isnan

from handrail.compute.duckdb import Connection, identifier, literal
from handrail.config.sections import Live
from handrail.config.settings import Settings
from handrail.monitoring.live_metrics import live_metrics
from handrail.monitoring.reproduce import predict_rows
from handrail.registry.acceptance import agreed_metric
from handrail.registry.drift_reference import PREDICTION
from handrail.registry.live import Canary
from handrail.registry.versions import Version
from handrail.training.evaluation import gained

ROWS = 100_000


def baseline_is_better(connection: Connection, settings: Settings, version: Version, source: str) -> bool:
    """Compare both where the live version itself has predicted: it doesn't answer for an earlier one."""
    project, own = settings.project, _answered_by(version.name, source)
    metric = project.metrics[agreed_metric(settings)]
    model, simple = (
        live_metrics(connection, project, own, column, version.decision)
        for column in (PREDICTION, "baseline")
    )
    both = model.metrics[metric.name], simple.metrics[metric.name]
    if model.outcomes < settings.section(Live).minimum_outcomes or any(map(isnan, both)):
        return False
    return metric.worse(*both)


def canary_gain(
    connection: Connection, settings: Settings, version: Version, canary: Canary, source: str
) -> Mapping[str, float] | None:
    """Return how much better the canary has predicted than the live version would have, with its interval.

    Both are measured by the agreed metric on the canary's rows, of which chance has chosen at most ROWS. None
    with too few outcomes.
    """
    project, own = settings.project, _answered_by(canary.name, source)
    target = identifier(project.target)
    known = (
        f"(SELECT * FROM {own} WHERE {target} IS NOT NULL "
        f"ORDER BY md5(CAST({identifier(project.key)} AS VARCHAR)) LIMIT {ROWS})"
    )
    live, beside = predict_rows(
        connection, known, version, tried="prediction", outcome=f"CAST({target} AS FLOAT)"
    )
    if len(live) < settings.section(Live).minimum_outcomes:
        return None
    found = gained(project.metrics, beside["outcome"], beside["tried"], live, version.decision)
    return found[agreed_metric(settings)]


def _answered_by(name: str, source: str) -> str:
    return f"(SELECT * FROM {source} WHERE version = {literal(name)} AND source = 'model')"
