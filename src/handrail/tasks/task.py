"""The whole seam between kinds of problems: what everything else asks of one."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Doubles, Floats
from handrail.config.sections import ErrorCosts, Words
from handrail.contract.schema import Column
from handrail.tasks.metric import Decision, ErrorMeans, Metric, Outcomes

if TYPE_CHECKING:
    from handrail.config.settings import Settings
    from handrail.reports.pictures import Picture
    from handrail.reports.research import Story
    from handrail.reports.tradeoff import Tradeoff
    from handrail.training.run import Training

__all__ = ["Task"]


class Task(Protocol):
    """What is predicted, how it is measured and acted on, and what people are told of it."""

    @property
    def kind(self) -> Literal["classification", "regression", "forecasting"]:
        """The problem's name."""
        ...

    @property
    def predicts(self) -> Literal["chance", "amount"]:
        """What a prediction is: the chance of yes (0 to 1), or an amount in the unit of the target."""
        ...

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that are usual for it."""
        ...

    @property
    def words(self) -> type[Words]:
        """The section `words` of project.yaml."""
        ...

    @property
    def mean_name(self) -> str:
        """What the mean of the target is called."""
        ...

    @property
    def fair_rates(self) -> tuple[str, ...]:
        """The metrics that are shares of what went right, by which groups of people are compared."""
        ...

    @property
    def told(self) -> Mapping[str, str]:
        """What is told beside a prediction: the SQL type of each, by its name."""
        ...

    def outcomes(self, target: Floats, prediction: Floats) -> Outcomes:
        """Make rows ready to be measured; both (n)."""
        ...

    def grouped_query(self, source: str, prediction: str, target: str, *, as_told: bool = False) -> str:
        """Return the SQL that groups the rows of `source` with a known target, for `grouped_outcomes`.

        With `as_told` also by `range`: how far the range reaches that was told beside a prediction, if one
        was. It takes the place of that of the decision.
        """
        ...

    def grouped_outcomes(self, columns: Mapping[str, Any]) -> Outcomes:
        """Make what `grouped_query` found ready to be measured; the columns as arrays, by name."""
        ...

    def decide(self, target: Floats, prediction: Floats, costs: ErrorCosts) -> Decision:
        """Return how predictions are acted on, decided on these rows by what errors cost."""
        ...

    def ranges(
        self, target: Floats, prediction: Floats, simple: Floats | None, level: float, column: Column
    ) -> Decision:
        """Return what a decision says of the ranges in which `level` (0 to 1) of later outcomes are to lie.

        target, prediction (n): rows that the model has not learnt from · simple (n): the baseline's
        predictions, None where not known · column: the target. Empty where a prediction has no range.
        """
        ...

    def act(self, prediction: float, decision: Decision) -> dict[str, Any]:
        """Return what is told beside a prediction, in the order of `told`; what is not known is left out."""
        ...

    def acts(self, prediction: Floats, decision: Decision) -> Mapping[str, NDArray[Any]]:
        """Return the same of many predictions (n): columns (n) by name."""
        ...

    def payoff(self, target: Floats, prediction: Floats, decision: Decision, costs: ErrorCosts) -> Doubles:
        """Return what acting on each prediction brings (n), in the currency of `costs`; losses below 0."""
        ...

    def errors(self, target: Floats, prediction: Floats, decision: Decision) -> ErrorMeans:
        """Return the mean errors to both sides of acting on predictions; target, prediction: (n), n > 0."""
        ...

    def errors_without(self, target: Floats, costs: ErrorCosts) -> Mapping[str, ErrorMeans]:
        """Return the same of what can be done without predictions, by its name in reports/wording.py."""
        ...

    def without_in_sql(self, target: str, costs: ErrorCosts) -> Mapping[str, str]:
        """Return the SQL of the same, as `acts_in_sql`, over rows whose outcome `target` is known."""
        ...

    @property
    def idle(self) -> str | None:
        """The SQL of what is done where nothing is predicted, as `acts_in_sql`; None where nobody can say."""
        ...

    def acts_in_sql(self, prediction: str, decision: Decision) -> str:
        """Return the SQL of what comes first in `told`, of the SQL of a prediction."""
        ...

    def error_cost_in_sql(self, target: str, acts: str, costs: ErrorCosts) -> str:
        """Return the SQL of what an error costs, 0 without one; `acts`: the SQL of what was done."""
        ...

    def tradeoff(self, settings: "Settings", training: "Training") -> "Tradeoff":
        """Return what can be chosen, from the rows that the model was tested on."""
        ...

    def story(self, settings: "Settings", training: "Training", noun: str, period: str) -> "Story":
        """Return what the page for those who build the model says; `noun`: rows, `period`: which."""
        ...

    def does(self, settings: "Settings", tradeoff: "Tradeoff") -> str:
        """Say in plain words what the model does, and for whom."""
        ...

    def pictures(self, settings: "Settings", training: "Training", tradeoff: "Tradeoff") -> "list[Picture]":
        """Return the pictures for everybody: numbers of a hundred."""
        ...

    def compared(self, settings: "Settings", training: "Training", tradeoff: "Tradeoff") -> str:
        """Say in plain words how the simple technique does."""
        ...

    def useless(self, tradeoff: "Tradeoff") -> str:
        """Say why it is best to do without a model, where it is; empty where it isn't."""
        ...

    def limits(self, settings: "Settings", tradeoff: "Tradeoff") -> str:
        """Say in plain words what the model cannot do."""
        ...


def told_beside(task: Task, prediction: Floats, decision: Decision) -> Mapping[str, NDArray[Any]]:
    """Return what is told beside each prediction (n): columns (n) by name.

    It is what `acts` says; or `act`, row by row, where a class of one's own overrides that alone.
    """
    if not _acts_by_row(type(task)):
        return task.acts(prediction, decision)
    told = [task.act(each, decision) for each in prediction]
    return {name: np.array([row[name] for row in told]) for name in (told[0] if told else ())}


@cache
def _acts_by_row(kind: type[Task]) -> bool:
    """Return whether a class overrides `act` alone, of the two."""
    own = next((vars(each) for each in kind.__mro__ if {"act", "acts"} & vars(each).keys()), {})
    return "act" in own and "acts" not in own
