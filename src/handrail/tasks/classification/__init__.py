"""Yes or no: the model predicts the chance that the target is 1."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Doubles, Floats
from handrail.config.sections import CaseWords, ErrorCosts
from handrail.contract.schema import Column
from handrail.tasks.classification.decision import acts, decide, errors, errors_without, payoff
from handrail.tasks.classification.metrics import METRICS, Cases
from handrail.tasks.metric import Decision, ErrorMeans, Metric

if TYPE_CHECKING:
    from handrail.config.settings import Settings
    from handrail.reports.pictures import Picture
    from handrail.reports.research import Story
    from handrail.reports.tradeoff import Tradeoff
    from handrail.training.run import Training


@dataclass(frozen=True)
class Classification:
    """The target is 0 or 1; a case is a row whose target is 1. See `handrail.tasks.task.Task`."""

    kind: Literal["classification"] = "classification"
    predicts: Literal["chance"] = "chance"
    words: type[CaseWords] = CaseWords
    mean_name: str = "share of cases"
    fair_rates: tuple[str, ...] = ("recall", "precision")
    metrics: tuple[Metric, ...] = METRICS

    @property
    def told(self) -> Mapping[str, str]:
        """Whether it is a warning."""
        return {"flagged": "BOOLEAN"}

    def outcomes(self, target: Floats, prediction: Floats) -> Cases:
        """Make rows ready to be measured, in groups of one prediction."""
        return Cases.of_rows(target, prediction)

    def grouped_query(self, source: str, prediction: str, target: str, *, as_told: bool = False) -> str:
        """Return the SQL that counts rows and cases for each distinct prediction."""
        return (
            f"SELECT {prediction} AS prediction, CAST(sum({target}) AS DOUBLE) AS cases, "
            f"CAST(count(*) AS DOUBLE) AS n FROM {source} "
            f"WHERE {target} IS NOT NULL AND {prediction} IS NOT NULL GROUP BY 1 ORDER BY 1 DESC"
        )

    def grouped_outcomes(self, columns: Mapping[str, Any]) -> Cases:
        """Make counted predictions ready to be measured."""
        return Cases.of_counts(columns["prediction"], columns["cases"], columns["n"])

    def decide(self, target: Floats, prediction: Floats, costs: ErrorCosts) -> Decision:
        """Return the threshold with the greatest payoff on these rows, the lowest of equals."""
        return decide(target, prediction, costs)

    def ranges(
        self, target: Floats, prediction: Floats, simple: Floats | None, level: float, column: Column
    ) -> Decision:
        """Return nothing: a chance says itself how sure it is."""
        return {}

    def act(self, prediction: float, decision: Decision) -> dict[str, bool]:
        """Return whether it is a warning."""
        told = acts(np.array([prediction], dtype=np.float32), decision)
        return {name: values.item() for name, values in told.items()}

    def acts(self, prediction: Floats, decision: Decision) -> dict[str, NDArray[np.bool_]]:
        """Return which are warnings."""
        return acts(prediction, decision)

    def payoff(self, target: Floats, prediction: Floats, decision: Decision, costs: ErrorCosts) -> Doubles:
        """Return what a row saves: a case that is warned of, what it would have cost; a false alarm costs."""
        return payoff(target, prediction, decision, costs)

    def errors(self, target: Floats, prediction: Floats, decision: Decision) -> ErrorMeans:
        """Return the share of rows that are cases and get no warning, and of those warned of for nothing."""
        return errors(target, prediction, decision)

    def errors_without(self, target: Floats, costs: ErrorCosts) -> Mapping[str, ErrorMeans]:
        """Return the same where nobody is warned of, or of every row."""
        return errors_without(target)

    def without_in_sql(self, target: str, costs: ErrorCosts) -> Mapping[str, str]:
        """Return that nobody is warned of, or of every row."""
        return {"never": self.idle, "always": f"(NOT {self.idle})"}

    @property
    def idle(self) -> str:
        """Nobody is warned of anything."""
        return "FALSE"

    def acts_in_sql(self, prediction: str, decision: Decision) -> str:
        """Return whether it is a warning."""
        return f"({prediction} >= CAST({decision['threshold']!r} AS FLOAT))"

    def error_cost_in_sql(self, target: str, acts: str, costs: ErrorCosts) -> str:
        """Return what a case costs that nobody was warned of, or a warning for nothing."""
        return (
            f"CASE WHEN {acts} THEN (1 - {target}) * {costs.too_high!r} ELSE {target} * {costs.too_low!r} END"
        )

    # What follows draws and writes: imported where it is asked for, so that serving never has it.

    def tradeoff(self, settings: "Settings", training: "Training") -> "Tradeoff":
        """Return the thresholds, with what each finds, misses and raises in vain on the test rows."""
        from handrail.tasks.classification.tradeoff import tradeoff_of

        return tradeoff_of(settings, training)

    def story(self, settings: "Settings", training: "Training", noun: str, period: str) -> "Story":
        """Return how well cases are told from the rest, and how many warnings to give."""
        from handrail.tasks.classification import story

        return story.tell(settings, training, noun, period)

    def does(self, settings: "Settings", tradeoff: "Tradeoff") -> str:
        """Say what the model does, and for whom."""
        from handrail.tasks.classification import story

        return story.does(settings, tradeoff)

    def pictures(self, settings: "Settings", training: "Training", tradeoff: "Tradeoff") -> "list[Picture]":
        """Return how many of a hundred are found, and how many warnings are right."""
        from handrail.tasks.classification import story

        return story.pictures(settings, tradeoff)

    def compared(self, settings: "Settings", training: "Training", tradeoff: "Tradeoff") -> str:
        """Say the same of the simple technique, at the threshold that suits it best."""
        from handrail.tasks.classification import story

        return story.compared(settings, tradeoff)

    def useless(self, tradeoff: "Tradeoff") -> str:
        """Say why it is best to do without, where no warning pays."""
        from handrail.tasks.classification import story

        return story.useless(tradeoff)

    def limits(self, settings: "Settings", tradeoff: "Tradeoff") -> str:
        """Say what it cannot do."""
        from handrail.tasks.classification import story

        return story.limits(settings, tradeoff)
