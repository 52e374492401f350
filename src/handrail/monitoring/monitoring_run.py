"""One look at a window of live predictions: every figure beside the range in which it is expected."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from math import isfinite, isnan
from typing import Any

from handrail.compute.duckdb import Connection, connect, row
from handrail.config.sections import Live
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.monitoring.champion_challenger import Reading, State, baseline_is_better, canary_readings
from handrail.monitoring.drift import drifts
from handrail.monitoring.outcomes import all_predictions, count_rejected, join_outcomes, live_metrics
from handrail.registry.drift_reference import PREDICTION
from handrail.registry.live import load_live
from handrail.registry.versions import Version


@dataclass(frozen=True)
class MonitoringRun:
    """All readings of a window (end: first day after it), and who did better or worse than the live model."""

    version: str
    start: date
    end: date
    rows: int
    outcomes: int
    metrics: Mapping[str, float | None]
    readings: tuple[Reading, ...]
    baseline_better: bool
    canary_worse: bool

    @property
    def alerts(self) -> tuple[Reading, ...]:
        """The readings that somebody has to look at now."""
        return tuple(reading for reading in self.readings if reading.state == "alert")

    def record(self) -> dict[str, Any]:
        """Return everything as plain data; a figure that is not known, or a range without end, is None."""
        readings = [
            asdict(r) | {name: None for name in ("value", "high") if not isfinite(getattr(r, name))}
            for r in self.readings
        ]
        return asdict(self) | {"readings": readings, "alerts": [reading.name for reading in self.alerts]}


def run_monitoring(settings: Settings, start: date | None = None, end: date | None = None) -> MonitoringRun:
    """Look at the predictions from `start` on and before `end`; by default, the last 30 days of them.

    Raises ProjectError where the window has no prediction.
    """
    version, live = load_live(settings)
    limits = settings.section(Live)
    with connect(settings) as connection:
        start, end = choose_window(connection, settings, start, end)
        source = join_outcomes(connection, settings, start, end)
        count = row(connection, f"SELECT count(*) AS n FROM {source}")["n"]
        if count == 0:
            raise ProjectError(f"no prediction from {start} on and before {end}; choose another window")
        model = live_metrics(connection, source, PREDICTION, version.decision)
        better = baseline_is_better(connection, settings, version, source)
        canary = canary_readings(connection, settings, version, live.canary, source)
        broken = count_rejected(connection, settings.workspace / "data" / "rejected", start, end)
        readings = (
            *_metric_readings(model, limits),
            *canary,
            _limit("rows that break the contract", broken / (count + broken), limits.maximum_violation_share),
            _limit("age of the model in days", _age_days(version, end), limits.maximum_age_days),
            *_drift_readings(connection, source, version, limits, count),
        )
    outcomes = model.pop("outcomes")
    worse = any(reading.state == "alert" for reading in canary)
    return MonitoringRun(version.name, start, end, count, outcomes, model, readings, better, worse)


def choose_window(
    connection: Connection, settings: Settings, start: date | None, end: date | None
) -> tuple[date, date]:
    """Return the given window, or the last 30 days of predictions; raises ProjectError without any."""
    if start is None or end is None:
        newest = row(
            connection, f"SELECT max({settings.project.time}) AS t FROM ({all_predictions(settings)})"
        )["t"]
        if newest is None:
            raise ProjectError("no prediction yet; monitoring starts with the first")
        end = end or newest.date() + timedelta(days=1)
        start = start or end - timedelta(days=30)
    return start, end


def _metric_readings(model: dict[str, Any], live: Live) -> list[Reading]:
    """Compare the metrics of `live.expected`; with too few outcomes they are unknown."""
    enough = model["outcomes"] >= live.minimum_outcomes
    found = []
    for name, (low, high) in live.expected.items():
        if name not in model:
            raise ProjectError(
                f"project.yaml: live.expected: {name} is unknown; known are {', '.join(model)}"
            )
        value = float("nan") if model[name] is None or not enough else float(model[name])
        inside: State = "ok" if low <= value <= high else "alert"
        found.append(Reading(name, value, low, high, "unknown" if isnan(value) else inside))
    return found


def _drift_readings(
    connection: Connection, source: str, version: Version, live: Live, count: int
) -> list[Reading]:
    """Drift of the prediction is an alert; drift of a feature, which may be the season, a warning.

    Of too few predictions (`count`) it is unknown: one of them alone is far from any distribution.
    """
    if count < live.minimum_outcomes:
        return [
            Reading(f"drift of {name}", float("nan"), 0.0, live.drift_limit, "unknown")
            for name in version.info["reference"]
        ]
    expected = {name: item["shares"] for name, item in version.info["reference"].items()}
    found = drifts(connection, source, version.bins, expected)
    return [
        _limit(f"drift of {name}", value, live.drift_limit, "alert" if name == PREDICTION else "warning")
        for name, value in sorted(found.items(), key=lambda item: -item[1])
    ]


def _limit(name: str, value: float, high: float, state: State = "alert") -> Reading:
    return Reading(name, value, 0.0, high, "ok" if value <= high else state)


def _age_days(version: Version, end: date) -> float:
    """Return the age of the newest row that the model may have learnt from, at the window's end."""
    return float((end - date.fromisoformat(version.info["split"]["live_from"])).days)
