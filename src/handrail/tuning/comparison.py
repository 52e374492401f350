"""Compares the best trial with the hyperparameters in use, on rows that no trial has seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import nan
from pathlib import Path
from time import perf_counter
from typing import Any

from handrail.config.settings import Settings
from handrail.registry.acceptance import clearly_better
from handrail.training.evaluation import compare
from handrail.training.experiment_log import code_state, rounded
from handrail.training.hyperparameters import Tuned, checksum, parameters_type, write_parameters
from handrail.tuning.trial_log import Log, Trial, Values
from handrail.tuning.tuning_data import TuningData


@dataclass(frozen=True)
class Comparison:
    """The best trial beside the present hyperparameters, on the validation rows.

    model, gain, gain_over_baseline: value with the ends of its 95% interval · gain: above 0 is better
    """

    best: Trial
    present: Values
    model: Mapping[str, float]
    before: float
    baseline: float
    gain: Mapping[str, float]
    gain_over_baseline: Mapping[str, float]
    seconds: float

    @property
    def same(self) -> bool:
        """Whether the best are the present ones."""
        return self.best.values == self.present

    @property
    def better(self) -> bool:
        """Whether the best is clearly better than the present ones."""
        return clearly_better(self.gain)


def compare_best(settings: Settings, data: TuningData, present: Values, best: Trial) -> Comparison:
    """Fit the best and the present ones on all training rows, measure both on the validation rows."""
    began, metric, later = perf_counter(), data.metric.name, data.validation
    metrics, task = settings.project.metrics, settings.project.task
    old = data.fitted(present, data.training, later)
    new = old if best.values == present else data.fitted(best.values, data.training, later)
    simple = data.simple(data.training, later)
    decision, other = (task.decide(later.target, each, settings.error_costs) for each in (old, simple))
    model, before, gain = compare(metrics, later.target, new, old, decision, later.groups)
    _, baseline, over = compare(metrics, later.target, new, simple, decision, later.groups, other)
    return Comparison(
        best=best,
        present=present,
        model=model[metric],
        before=before[metric]["value"],
        baseline=baseline[metric]["value"],
        gain=gain[metric],
        gain_over_baseline=over[metric],
        seconds=perf_counter() - began,
    )


def adopt(settings: Settings, log: Log, comparison: Comparison, data: TuningData, today: date) -> Path:
    """Write the best hyperparameters where `train` reads them, and return the file."""
    best = settings.project.estimator.Hyperparameters.model_validate(comparison.best.values)
    known = {name: nan if figure is None else figure for name, figure in rounded(comparison.gain).items()}
    gain = {"gain" if name == "value" else name: figure for name, figure in known.items()}
    tuned = Tuned(on=today, trials=len(log.trials), metric=data.metric.name, checksum=checksum(best), **gain)
    return write_parameters(settings, parameters_type(settings.project)(hyperparameters=best, tuned=tuned))


def describe_tuning(
    root: Path, version: str, log: Log, comparison: Comparison, data: TuningData
) -> dict[str, Any]:
    """Return a round of tuning: figures of the best on the validation rows, its cost, the code, the trials.

    `version` is the model that there was; the time is that of all trials that no round has yet.
    """
    metric, better = data.metric.name, "better" if comparison.better else "no better"
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "note": f"tuning: {len(log.trials)} trials, {better} than before",
        "metric": metric,
        **rounded(comparison.model),
        "baseline": round(comparison.baseline, 6),
        "gain_low": rounded(comparison.gain_over_baseline)["low"],
        "seconds": round(log.unbooked_seconds + comparison.seconds, 1),
        "rows": {"training": len(data.training), "validation": len(data.validation)},
        "version": version,
        **code_state(root),
        "tuning": {
            "scores": [round(trial.score, 6) for trial in log.measured if trial.score is not None],
            "failed": len(log.trials) - len(log.measured),
            "hyperparameters": comparison.best.values,
            "features": data.encoding.features,
            "gain": rounded(comparison.gain),
            "adopted": comparison.better,
        },
    }
