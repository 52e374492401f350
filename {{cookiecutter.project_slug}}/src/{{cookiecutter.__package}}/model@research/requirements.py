"""What every version has to reach, by its own figures: better than the baseline, at least the minimum."""

from collections.abc import Mapping

from ..errors import ProjectError
from ..settings import Settings
from .metrics import GREATER_IS_BETTER
from .versions import Version


def against_baseline(settings: Settings, version: Version) -> list[str]:
    """Return why `version` is not clearly better than the baseline; an empty list if it is."""
    metric, model, baseline = _figures(settings, version)
    if clearly_beats(metric, model, baseline):
        return []
    return [
        f"{version.name}: {metric} {model['value']:.3f} ({model['low']:.3f} to {model['high']:.3f}) does not "
        f"clearly beat the baseline's {baseline:.3f}"
    ]


def against_minimum(settings: Settings, version: Version) -> list[str]:
    """Return why `version` misses the minimum of project.yaml; an empty list if it doesn't."""
    metric, model, _ = _figures(settings, version)
    if not worse(metric, model["value"], settings.accuracy.minimum):
        return []
    return [
        f"{version.name}: {metric} {model['value']:.3f} misses the minimum {settings.accuracy.minimum:g} "
        "of project.yaml"
    ]


def clearly_beats(metric: str, model: Mapping[str, float], baseline: float) -> bool:
    """Return whether even the bad end of the model's interval is better than `baseline`."""
    return model["low"] > baseline if GREATER_IS_BETTER[metric] else model["high"] < baseline


def worse(metric: str, value: float, than: float, tolerance: float = 0.0) -> bool:
    """Return whether `value` is worse than `than` by more than `tolerance`; NaN is worse than anything."""
    good = value >= than - tolerance if GREATER_IS_BETTER[metric] else value <= than + tolerance
    return not good


def agreed_metric(settings: Settings) -> str:
    """Return the metric that decides; raises ProjectError where project.yaml names none that is known."""
    metric = settings.accuracy.metric
    if metric not in GREATER_IS_BETTER:
        raise ProjectError(
            f"project.yaml: accuracy.metric: {metric} is unknown; known are {', '.join(GREATER_IS_BETTER)}"
        )
    return metric


def _figures(settings: Settings, version: Version) -> tuple[str, Mapping[str, float], float]:
    """Return the metric, the model's figures and the baseline's value."""
    metric, evaluation = agreed_metric(settings), version.info["evaluation"]
    return metric, evaluation["model"][metric], evaluation["baseline"][metric]["value"]
