"""Compares the best trial with the hyperparameters in use, on rows that no trial has seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

from ..settings import Settings
from .decision import decide
from .evaluate import compare
from .ground import Ground
from .requirements import clearly_better
from .trials import Trial, Values


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


def compare_best(settings: Settings, ground: Ground, present: Values, best: Trial) -> Comparison:
    """Fit the best and the present ones on all training rows, measure both on the validation rows."""
    began, metric, later = perf_counter(), ground.metric, ground.validation
    old = ground.fitted(present, ground.learning, later)
    new = old if best.values == present else ground.fitted(best.values, ground.learning, later)
    decision = decide(later.target, old, settings.error_costs)
    simple = ground.simple(ground.learning, later)
    model, before, gain = compare(later.target, new, old, decision)
    _, baseline, over = compare(later.target, new, simple, decision)
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
