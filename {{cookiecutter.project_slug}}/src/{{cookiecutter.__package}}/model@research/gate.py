"""Whether a version may go live."""

from collections.abc import Mapping
from datetime import date

from ..contract import CONTRACT, TABLE
from ..engine import connect
from ..etl.load import require_table
from ..settings import Settings
from .features import read_dataset
from .metrics import GREATER_IS_BETTER, measure, ranked
from .predictor import Predictor
from .registry import Version, load_live, read_live
from .train import rows_between


def objections(settings: Settings, version: Version) -> list[str]:
    """Return every reason against making `version` live; an empty list lets it pass."""
    evaluation, metric = version.info["evaluation"], settings.accuracy.metric
    if metric not in GREATER_IS_BETTER:
        return [
            f"project.yaml: accuracy.metric: {metric} is unknown; known are {', '.join(GREATER_IS_BETTER)}"
        ]
    model, baseline = evaluation["model"][metric], evaluation["baseline"][metric]["value"]
    found = []
    if not _beats(metric, model, baseline):
        found.append(
            f"{version.name}: {metric} {model['value']:.3f} ({model['low']:.3f} to {model['high']:.3f}) "
            f"does not clearly beat the baseline's {baseline:.3f}"
        )
    if _worse(metric, model["value"], settings.accuracy.minimum):
        found.append(
            f"{version.name}: {metric} {model['value']:.3f} misses the minimum {settings.accuracy.minimum:g} "
            "of project.yaml"
        )
    return found + _against_live(settings, version)


def _against_live(settings: Settings, version: Version) -> list[str]:
    """Compare with the live version on the latest rows that neither has learnt from."""
    if read_live(settings) is None:
        return []
    live, _ = load_live(settings)
    if live.name == version.name:
        return []
    start = max(date.fromisoformat(each.info["split"]["test_from"]) for each in (version, live))
    end = date.fromisoformat(version.info["split"]["live_from"])
    if start >= end:
        return [f"{version.name}: older than the live {live.name}; use `rollback` to go back"]
    metric = settings.accuracy.metric
    candidate, current = (_measured_between(settings, each, start, end)[metric] for each in (version, live))
    if not _worse(metric, candidate, current, settings.accuracy.tolerance):
        return []
    return [
        f"{version.name}: {metric} {candidate:.3f} from {start} to {end} is worse than the live "
        f"{live.name}'s {current:.3f} on the same rows"
    ]


def _measured_between(settings: Settings, version: Version, start: date, end: date) -> dict[str, float]:
    with connect(settings) as connection:
        source = rows_between(require_table(settings, TABLE), start, end)
        data = read_dataset(connection, source, CONTRACT, version.encoding, version.baseline.column)
    prediction = Predictor(version.model).predict(data.features)
    return measure(ranked(data.target, prediction), version.threshold)


def _beats(metric: str, model: Mapping[str, float], baseline: float) -> bool:
    return model["low"] > baseline if GREATER_IS_BETTER[metric] else model["high"] < baseline


def _worse(metric: str, value: float, than: float, tolerance: float = 0.0) -> bool:
    return value < than - tolerance if GREATER_IS_BETTER[metric] else value > than + tolerance
