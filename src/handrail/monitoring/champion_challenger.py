"""Compares the live version with what else has answered: the baseline, and the canary."""

from dataclasses import dataclass
from math import inf, nan
from typing import Literal

from TWIN_model_metrics import GREATER_IS_BETTER

from handrail.compute.duckdb import Connection, literal
from handrail.config.sections import Live
from handrail.config.settings import Settings
from handrail.console import figure
from handrail.monitoring.outcomes import live_metrics
from handrail.monitoring.reproduce import predict_rows
from handrail.registry.drift_reference import PREDICTION
from handrail.registry.live import Canary
from handrail.registry.versions import Version
from handrail.training.evaluation import gained

ROWS = 100_000
State = Literal["ok", "warning", "alert", "unknown"]


@dataclass(frozen=True)
class Reading:
    """A figure, the range in which it is expected, and what follows."""

    name: str
    value: float
    low: float
    high: float
    state: State

    @property
    def shown(self) -> str:
        """The value as people read it: whole days without decimals, a dash where it is not known."""
        whole = self.value >= 2 and self.value % 1 == 0
        return f"{self.value:.0f}" if whole else figure(self.value)


def baseline_is_better(connection: Connection, settings: Settings, version: Version, source: str) -> bool:
    """Compare both where the live version itself has predicted: it doesn't answer for an earlier one."""
    own, metric = _answered_by(version.name, source), settings.accuracy.metric
    model, simple = (
        live_metrics(connection, own, column, version.decision) for column in (PREDICTION, "baseline")
    )
    enough = model["outcomes"] >= settings.section(Live).minimum_outcomes
    if not enough or model[metric] is None or simple[metric] is None:
        return False
    return simple[metric] > model[metric] if GREATER_IS_BETTER[metric] else simple[metric] < model[metric]


def canary_readings(
    connection: Connection, settings: Settings, version: Version, canary: Canary | None, source: str
) -> list[Reading]:
    """Return how much better the canary, if there is one, has predicted than the live version would have.

    Both are measured on the canary's rows, of which chance has chosen at most ROWS. It is an alert if it is
    worse by more than `accuracy.tolerance`, and not by chance; with too few outcomes, nothing is known.
    """
    if canary is None:
        return []
    metric, tolerance = settings.accuracy.metric, settings.accuracy.tolerance
    name, own = f"{metric} gained by the canary", _answered_by(canary.name, source)
    known = f"(SELECT * FROM {own} WHERE {settings.project.target} IS NOT NULL ORDER BY md5(CAST({settings.project.key} AS VARCHAR)) LIMIT {ROWS})"
    live, beside = predict_rows(
        connection, known, version, tried="prediction", outcome=f"CAST({settings.project.target} AS FLOAT)"
    )
    if len(live) < settings.section(Live).minimum_outcomes:
        return [Reading(name, nan, -tolerance, inf, "unknown")]
    gain = gained(beside["outcome"], beside["tried"], live, version.decision)[metric]
    worse = gain["value"] < -tolerance and gain["high"] < 0
    return [Reading(name, gain["value"], -tolerance, inf, "alert" if worse else "ok")]


def _answered_by(name: str, source: str) -> str:
    return f"(SELECT * FROM {source} WHERE version = {literal(name)} AND source = 'model')"
