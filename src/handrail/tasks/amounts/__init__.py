"""Amounts: of something (regression), or of a time to come (forecasting)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from handrail.arrays import Doubles, Floats
from handrail.config.sections import AmountWords, ErrorCosts
from handrail.contract.schema import Column
from handrail.tasks.amounts.decision import acts, decide, errors, errors_without, payoff
from handrail.tasks.amounts.metrics import METRICS, Amounts
from handrail.tasks.amounts.ranges import ranges
from handrail.tasks.metric import Decision, ErrorMeans, Metric

if TYPE_CHECKING:
    from handrail.config.settings import Settings
    from handrail.reports.pictures import Picture
    from handrail.reports.research import Story
    from handrail.reports.tradeoff import Tradeoff
    from handrail.training.run import Training


@dataclass(frozen=True)
class _AmountTask:
    """What regression and forecasting share. See `handrail.tasks.task.Task`."""

    predicts: Literal["amount"] = "amount"
    words: type[AmountWords] = AmountWords
    mean_name: str = "mean"
    fair_rates: tuple[str, ...] = ("within", "covered")
    metrics: tuple[Metric, ...] = METRICS

    @property
    def told(self) -> Mapping[str, str]:
        """The amount to plan with, and the ends of the range."""
        return dict.fromkeys(("planned", "low", "high"), "DOUBLE")

    def outcomes(self, target: Floats, prediction: Floats) -> Amounts:
        """Make rows ready to be measured."""
        return Amounts.of_rows(target, prediction)

    def grouped_query(self, source: str, prediction: str, target: str, *, as_told: bool = False) -> str:
        """Return the SQL that counts the rows for each pair of prediction and outcome.

        With `as_told`, for each reach of a range that was told, too, as `range`: to the farther end, as the
        contract may have cut the other.
        """
        farther = f"greatest(high - {prediction}, {prediction} - low)"
        reach = f"coalesce({farther}, CAST('NaN' AS DOUBLE)) AS range, " if as_told else ""
        places = "1, 2, 3" if as_told else "1, 2"
        return (
            f"SELECT CAST({target} AS DOUBLE) AS target, CAST({prediction} AS DOUBLE) AS prediction, {reach}"
            f"CAST(count(*) AS DOUBLE) AS n FROM {source} WHERE {target} IS NOT NULL "
            f"AND {prediction} IS NOT NULL GROUP BY {places} ORDER BY {places}"
        )

    def grouped_outcomes(self, columns: Mapping[str, Any]) -> Amounts:
        """Make counted pairs ready to be measured."""
        return Amounts.of_counts(columns["target"], columns["prediction"], columns["n"])

    def decide(self, target: Floats, prediction: Floats, costs: ErrorCosts) -> Decision:
        """Return the margin above the prediction that costs least on these rows, and the tolerable error."""
        return decide(target, prediction, costs)

    def ranges(
        self, target: Floats, prediction: Floats, simple: Floats | None, level: float, column: Column
    ) -> Decision:
        """Return how far ranges reach in which `level` of the outcomes are to lie."""
        return ranges(target, prediction, simple, level, column)

    def act(self, prediction: float, decision: Decision) -> dict[str, float]:
        """Return the amount to plan with, and the ends of the range."""
        told = acts(np.array([prediction], dtype=np.float32), decision)
        return {name: values.item() for name, values in told.items()}

    def acts(self, prediction: Floats, decision: Decision) -> dict[str, Doubles]:
        """Return the amounts to plan with, and the ends of the ranges."""
        return acts(prediction, decision)

    def payoff(self, target: Floats, prediction: Floats, decision: Decision, costs: ErrorCosts) -> Doubles:
        """Return what planning with prediction and margin costs on each row, as a loss: at most 0."""
        return payoff(target, prediction, decision, costs)

    def errors(self, target: Floats, prediction: Floats, decision: Decision) -> ErrorMeans:
        """Return the mean amount that is short of plans, and the one that is left over."""
        return errors(target, prediction, decision)

    def errors_without(self, target: Floats, costs: ErrorCosts) -> Mapping[str, ErrorMeans]:
        """Return the same where one amount is planned for all, the one that costs least here."""
        return errors_without(target, costs)

    def without_in_sql(self, target: str, costs: ErrorCosts) -> Mapping[str, str]:
        """Return that amount."""
        share = costs.too_low / (costs.too_low + costs.too_high)
        return {"same": f"(quantile_disc(CAST({target} AS DOUBLE), {share!r}) OVER ())"}

    @property
    def idle(self) -> None:
        """Something has to be planned in any case."""

    def acts_in_sql(self, prediction: str, decision: Decision) -> str:
        """Return the amount to plan with."""
        return f"(CAST({prediction} AS DOUBLE) + {decision['margin']!r})"

    def error_cost_in_sql(self, target: str, acts: str, costs: ErrorCosts) -> str:
        """Return what is short, or left over, times what a unit of it costs."""
        short = f"({target} - {acts})"
        return (
            f"CASE WHEN {short} > 0 THEN {short} * {costs.too_low!r} ELSE -{short} * {costs.too_high!r} END"
        )

    # What follows draws and writes: imported where it is asked for, so that serving never has it.

    def tradeoff(self, settings: "Settings", training: "Training") -> "Tradeoff":
        """Return every margin, with how often it is enough, what is short and what is left over."""
        from handrail.tasks.amounts.tradeoff import tradeoff_of

        return tradeoff_of(settings, training)

    def story(self, settings: "Settings", training: "Training", noun: str, period: str) -> "Story":
        """Return how far off the predictions are, and how much to plan with."""
        from handrail.tasks.amounts import story

        return story.tell(settings, training, noun, period, self._first_picture)

    def _first_picture(self, training: "Training", unit: str) -> "Picture":
        """Return the picture that comes first on the page for those who build the model."""
        raise NotImplementedError

    def does(self, settings: "Settings", tradeoff: "Tradeoff") -> str:
        """Say what the model does, and for whom."""
        from handrail.tasks.amounts import story

        return story.does(settings, tradeoff)

    def pictures(self, settings: "Settings", training: "Training", tradeoff: "Tradeoff") -> "list[Picture]":
        """Return how many plans of a hundred are enough, and how many predictions are about right."""
        from handrail.tasks.amounts import story

        return story.pictures(settings, training, tradeoff)

    def compared(self, settings: "Settings", training: "Training", tradeoff: "Tradeoff") -> str:
        """Say how far off the simple technique is on average, beside the model."""
        from handrail.tasks.amounts import story

        return story.compared(settings, training)

    def useless(self, tradeoff: "Tradeoff") -> str:
        """Say why it is best to do without, where it is."""
        from handrail.tasks.amounts import story

        return story.useless(tradeoff)

    def limits(self, settings: "Settings", tradeoff: "Tradeoff") -> str:
        """Say what it cannot do."""
        from handrail.tasks.amounts import story

        return story.limits(settings, tradeoff)


@dataclass(frozen=True)
class Regression(_AmountTask):
    """The target is an amount; all that is known of a row beforehand stands in its features."""

    kind: Literal["regression"] = "regression"

    def _first_picture(self, training: "Training", unit: str) -> "Picture":
        """Return how far the predictions came true."""
        from handrail.tasks.amounts.charts import outcome_picture

        return outcome_picture(training, unit)


@dataclass(frozen=True)
class Forecasting(_AmountTask):
    """The target is an amount of a time to come; its features are known at the horizon."""

    kind: Literal["forecasting"] = "forecasting"

    def _first_picture(self, training: "Training", unit: str) -> "Picture":
        """Return the latest forecasts, and what came."""
        from handrail.tasks.amounts.charts import series_picture

        return series_picture(training, unit)
