"""What every version has to reach, by its own figures: better than the baseline, at least the minimum."""

from collections.abc import Mapping

from ..errors import ProjectError
from ..settings import Settings
from .metrics import GREATER_IS_BETTER
from .versions import Version


def against_baseline(settings: Settings, version: Version) -> list[str]:
    """Return why `version` is not clearly better than the baseline; an empty list if it is."""
    metric, evaluation = agreed_metric(settings), version.info["evaluation"]
    gain = evaluation["gain"][metric]
    model, baseline = (evaluation[name][metric] for name in ("model", "baseline"))
    if clearly_better(gain):
        return []
    return [
        f"{version.name}: {metric} {model['value']:.3f} does not clearly beat the baseline's "
        f"{baseline['value']:.3f}: better by {gain['value']:.3f} ({gain['low']:.3f} to {gain['high']:.3f})"
    ]


def against_minimum(settings: Settings, version: Version) -> list[str]:
    """Return why `version` misses the minimum of project.yaml; an empty list if it doesn't."""
    metric = agreed_metric(settings)
    value = version.info["evaluation"]["model"][metric]["value"]
    if not worse(metric, value, settings.accuracy.minimum):
        return []
    return [
        f"{version.name}: {metric} {value:.3f} misses the minimum {settings.accuracy.minimum:g} "
        "of project.yaml"
    ]


def clearly_better(gain: Mapping[str, float]) -> bool:
    """Return whether even the low end of the gain's interval is one."""
    return gain["low"] > 0


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
