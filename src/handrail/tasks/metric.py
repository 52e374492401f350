"""A figure that says how good predictions are, written once and taken everywhere.

Training, gate, tuning, reports, monitoring and the score of readiness measure what `METRICS` of a project's
model/metrics.py lists, and nothing else.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from handrail.arrays import Doubles
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.tasks.task import Task

Decision = Mapping[str, Any]  # numbers by name; of ranges, a list of them
ErrorMeans = tuple[float, float]  # mean error of a row that is too low, and too high, in what each costs by
OF_TARGET = "of the target"  # a metric's unit that is the target's own
OF_BASELINE = "baseline_"  # before what a decision says of the baseline alone
RANGE = ("range", "range_from")
NAME = re.compile("[a-z][a-z0-9_]*")
TAKEN = ("rows",)  # what is kept beside the figures of a part


def of_baseline(decision: Decision) -> Decision:
    """Return how the baseline's predictions are acted on: what is its own takes the place of the model's.

    Where it has no range of its own there is none: the model's says nothing of the baseline's errors. A
    version of before the baseline had a threshold or margin of its own acts on it by the model's.
    """
    own = {
        name.removeprefix(OF_BASELINE): value
        for name, value in decision.items()
        if name.startswith(OF_BASELINE)
    }
    return {name: value for name, value in decision.items() if name not in RANGE} | own


def with_baseline(decision: Decision, simple: Decision) -> Decision:
    """Return how a model's predictions are acted on, and beside it how its baseline's are: `of_baseline`."""
    own = {f"{OF_BASELINE}{name}": value for name, value in simple.items() if value != decision.get(name)}
    return {**decision, **own}


class Outcomes(Protocol):
    """Predictions beside what came, made ready once, to be measured many times with other weights."""

    def weighted(self, weight: Doubles | None = None) -> tuple[Any, ...]:
        """Return what a metric's function is given; each row counts `weight` times (once where None)."""
        ...


@dataclass(frozen=True)
class Metric:
    """A figure of predictions: its name, the function that computes it, and what it means.

    function: for yes or no, of `Counts` (one entry for each distinct prediction, so that ties have no order);
        for amounts, of (target, prediction, weight): arrays of one length, the weights summing to 1. With
        `uses_decision`, the decision comes last: `{"threshold": ...}`, or `{"margin": ..., "tolerable": ...}`
        and what is known of ranges (`handrail.tasks.amounts.ranges`).
        It returns a number, NaN where these rows cannot show it.
    meaning: for people, after the figure in a table.
    greater_is_better: None where it only describes; then it can't be the metric that decides.
    name: small letters, digits and underscores: tables, settings and alerts go by it.
    title: how people write it; without it, the name with spaces.
    unit: empty for a share or a rank; "of the target" where it is the target's own.
    """

    name: str
    function: Callable[..., float]
    meaning: str
    greater_is_better: bool | None = None
    title: str = ""
    unit: str = ""
    uses_decision: bool = False

    @property
    def shown(self) -> str:
        """The name as a person would write it."""
        return self.title or self.name.replace("_", " ")

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self.greater_is_better else -1

    def worse(self, value: float, than: float, tolerance: float = 0.0) -> bool:
        """Return whether `value` is worse than `than` by more than `tolerance`; NaN always is."""
        return not self.sign * value >= self.sign * than - tolerance

    def value(self, rows: tuple[Any, ...], decision: Decision) -> float:
        """Return the figure of prepared rows, NaN where there is none.

        Raises ProjectError that names the metric where its function fails.
        """
        given = (*rows, decision) if self.uses_decision else rows
        try:
            with np.errstate(all="ignore"):
                found = float(self.function(*given))
        except ZeroDivisionError:
            return math.nan
        except Exception as error:  # a metric is a team's own code: whatever goes wrong in it has its name
            said = f"{type(error).__name__}: {error}"
            raise ProjectError(f"model/metrics.py: {self.name} can't be computed ({said})") from error
        return found if math.isfinite(found) else math.nan


class Metrics(Mapping[str, Metric]):
    """The metrics of a project, by name and in their order."""

    def __init__(self, task: "Task", metrics: Iterable[Metric]) -> None:
        """Take them; raises ProjectError where a name can't be, two have the same, or none can decide."""
        listed = tuple(metrics)
        self._by_name = {metric.name: metric for metric in listed}
        self._task = task
        wrong = list(_refusals(listed))
        if not self.goals:
            wrong.append("no metric says greater_is_better; one has to decide")
        if wrong:
            raise ProjectError(f"model/metrics.py: {sentence}" for sentence in wrong)

    def __getitem__(self, name: str) -> Metric:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def goals(self) -> dict[str, Metric]:
        """Those that have a better direction: one of them decides."""
        return {name: each for name, each in self._by_name.items() if each.greater_is_better is not None}

    def outcomes(self, target: Any, prediction: Any) -> Outcomes:
        """Make rows ready to be measured: same length, at least one row."""
        return self._task.outcomes(target, prediction)

    def measure_rows(
        self, outcomes: Outcomes, decision: Decision, weight: Doubles | None = None
    ) -> dict[str, float]:
        """Return every metric of prepared rows, each counted `weight` times (once where None)."""
        rows = outcomes.weighted(weight)
        return {name: metric.value(rows, decision) for name, metric in self._by_name.items()}

    def measure(self, target: Any, prediction: Any, decision: Decision) -> dict[str, float]:
        """Return every metric of predictions beside what came."""
        return self.measure_rows(self.outcomes(target, prediction), decision)


def _refusals(metrics: tuple[Metric, ...]) -> Iterator[str]:
    """Yield what is wrong with their names, each name once."""
    counted = Counter(metric.name for metric in metrics)
    for name, times in counted.items():
        if times > 1:
            yield f"{name}: two metrics of that name; rename one"
        if not NAME.fullmatch(name):
            yield f"{name!r}: no name for a metric; write small letters, digits and underscores"
        if name in TAKEN:
            yield f"{name}: stands for something else beside the figures; rename the metric"
