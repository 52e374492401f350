"""Compares the live version with what else has answered: the baseline, and the canary."""

from collections.abc import Mapping
from math import isnan
from typing import Any

import numpy as np

from handrail.arrays import Floats
from handrail.compute.duckdb import Connection, identifier
from handrail.config.sections import Live
from handrail.config.settings import Settings
from handrail.monitoring.outcomes import answered_by
from handrail.monitoring.reproduce import predict_rows
from handrail.registry.acceptance import agreed_metric
from handrail.registry.live import Canary
from handrail.registry.versions import Version, load_version
from handrail.tasks.metric import Decision
from handrail.training.evaluation import compare
from handrail.training.intervals import groups_of

ROWS = 100_000


def baseline_is_better(connection: Connection, settings: Settings, version: Version, source: str) -> bool:
    """Compare both where `version` itself has predicted: it doesn't answer for another.

    The baseline is better where the whole interval of the difference on the same rows says so. With too few
    outcomes, or of too few groups (days, subjects) to tell it from chance, nothing is known: False.
    """
    more = _needed(settings) | {"simple": "CAST(baseline AS FLOAT)"}
    chosen = ", ".join(f"{expression} AS {name}" for name, expression in more.items())
    found = connection.sql(f"SELECT {chosen} FROM {_known(settings, version.name, source)}").fetchnumpy()
    beside = {name: np.ma.getdata(values) for name, values in found.items()}
    simple = beside["simple"], version.decision_of("fallback")
    gain = _gain(settings, beside, version.decision, *simple)
    return not isinstance(gain, str) and gain["high"] < 0


def canary_gain(
    connection: Connection, settings: Settings, version: Version, canary: Canary, source: str
) -> Mapping[str, float] | str:
    """Return how much better the canary has predicted than the live version would have, with its interval.

    Both are measured by the agreed metric on the canary's rows, of which chance has chosen at most ROWS. Why
    it is not known with too few outcomes, or of too few days or subjects to tell anything from chance.
    """
    known = _known(settings, canary.name, source)
    live, beside = predict_rows(connection, known, version, **_needed(settings))
    decisions = load_version(settings, canary.name).decision, version.decision
    return _gain(settings, beside, decisions[0], live, decisions[1])


def _needed(settings: Settings) -> dict[str, str]:
    """Return the expressions of what a comparison needs of each row, by name."""
    project = settings.project
    needed = {
        "tried": "prediction",
        "outcome": f"CAST({identifier(project.target)} AS FLOAT)",
    }
    if project.time:
        needed["time"] = f"CAST({identifier(project.time)} AS TIMESTAMP)"
    if project.subject:
        needed["subject"] = f"coalesce(CAST({identifier(project.subject)} AS VARCHAR), '')"
    return needed


def _gain(
    settings: Settings, rows: Mapping[str, Any], decision: Decision, other: Floats, other_decision: Decision
) -> Mapping[str, float] | str:
    """Return how much better was predicted than `other` on the same rows; else why it is not known.

    Each is measured as it is acted on: by its own threshold, margin and range.
    """
    least = settings.section(Live).minimum_outcomes
    if len(other) < least:
        return f"{len(other):,} outcomes of what it answered are known, live.minimum_outcomes is {least:,}"
    groups = groups_of(rows.get("time"), rows.get("subject"), len(other))
    metrics, metric = settings.project.metrics, agreed_metric(settings)
    both = rows["outcome"], rows["tried"], other
    gain = compare(metrics, *both, decision, groups, other_decision)[2][metric]
    if not isnan(gain["high"]):
        return gain
    count, unit = groups.count, groups.unit if groups.count == 1 else f"{groups.unit}s"
    known = f"{len(other):,} outcomes of what it answered are known"
    return f"{known}, of {count} {unit}: too few to tell anything from chance"


def _known(settings: Settings, name: str, source: str) -> str:
    """Return the FROM item of what version `name` itself has answered and came true, at most ROWS of it."""
    project = settings.project
    return (
        f"(SELECT * FROM {answered_by(source, name)} WHERE source = 'model' "
        f"AND {identifier(project.target)} IS NOT NULL "
        f"ORDER BY md5(CAST({identifier(project.key)} AS VARCHAR)) LIMIT {ROWS})"
    )
