"""What a tuning leaves: a round in the log of research, and the hyperparameters where they are better."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ..settings import Settings
from .chosen import Chosen, Tuned, checksum, write_chosen
from .comparison import Comparison
from .ground import Ground
from .hyperparameters import Hyperparameters
from .rounds import code_state, rounded
from .trials import Log


def adopt(settings: Settings, log: Log, comparison: Comparison, ground: Ground, today: date) -> Path:
    """Write the best hyperparameters where `train` reads them, and return the file."""
    best = Hyperparameters.model_validate(comparison.best.values)
    gain = {"gain" if name == "value" else name: figure for name, figure in rounded(comparison.gain).items()}
    tuned = Tuned(on=today, trials=len(log.trials), metric=ground.metric, checksum=checksum(best), **gain)
    return write_chosen(settings, Chosen(hyperparameters=best, tuned=tuned))


def describe_tuning(
    root: Path, version: str, log: Log, comparison: Comparison, ground: Ground
) -> dict[str, Any]:
    """Return a round of tuning: figures of the best on the validation rows, its cost, the code, the trials.

    `version` is the model that there was; the time is that of all trials that no round has yet.
    """
    metric, better = ground.metric, "better" if comparison.better else "no better"
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "note": f"tuning: {len(log.trials)} trials, {better} than before",
        "metric": metric,
        **rounded(comparison.model),
        "baseline": round(comparison.baseline, 6),
        "gain_low": round(comparison.gain_over_baseline["low"], 6),
        "seconds": round(log.unbooked_seconds + comparison.seconds, 1),
        "rows": {"training": len(ground.learning), "validation": len(ground.validation)},
        "version": version,
        **code_state(root),
        "tuning": {
            "scores": [round(trial.score, 6) for trial in log.measured if trial.score is not None],
            "failed": len(log.trials) - len(log.measured),
            "hyperparameters": comparison.best.values,
            "features": ground.encoding.features,
            "gain": rounded(comparison.gain),
            "adopted": comparison.better,
        },
    }
