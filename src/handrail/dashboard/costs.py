"""What it costs: the budget, and the errors, beside those of the simple technique and of doing nothing."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from handrail.compute.duckdb import identifier, literal, rows
from handrail.config.budget import Budget
from handrail.config.settings import Settings
from handrail.dashboard.tables import PREDICTIONS, remembered, tables
from handrail.errors import ProjectError
from handrail.registry.versions import kept_infos
from handrail.stages.research import counted_until
from handrail.tasks.metric import of_baseline
from handrail.training.budget_usage import BudgetUsage, budget_usage, format_usage
from handrail.training.experiment_log import read_experiments

ACTED_ON = ("acting on what was told", "on the simple technique", "doing nothing")


@dataclass(frozen=True)
class Money:
    """The budget that was agreed, with what is spent; research: how much of each of its limits is used."""

    budget: Budget
    research: tuple[BudgetUsage, ...]

    @property
    def left(self) -> float:
        """What is left; below 0 where more was spent than agreed."""
        return self.budget.left

    @property
    def told(self) -> list[str]:
        """What is spent and left, a sentence each."""
        research = [f"Research: {format_usage(self.research)}."] if self.research else []
        return [f"Budget: {self.budget.told}", *research]


def read_budget(settings: Settings) -> Money:
    """Return the budget of project.yaml; raises ProjectError where none is agreed."""
    budget = settings.budget
    if budget is None:
        raise ProjectError("no budget is agreed; `budget` in project.yaml says it")
    used: list[BudgetUsage] = []
    if budget.research:
        rounds, until = read_experiments(settings), counted_until(settings)
        used = budget_usage(budget.research, budget.currency, rounds, until)
    return Money(budget, tuple(used))


@dataclass(frozen=True)
class MonthCosts:
    """What errors cost in a month: of `rows` predictions whose outcome is known.

    told: acting on what was told · simple: on the simple technique in its place, as the fallback would have ·
    nothing: doing nothing; None where that can't be said
    """

    month: date
    rows: int
    told: float
    simple: float
    nothing: float | None


@dataclass(frozen=True)
class ErrorCosts:
    """What errors cost by month, in a currency; notes: what is left out."""

    currency: str
    months: tuple[MonthCosts, ...]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Of how many predictions."""
        return sum(month.rows for month in self.months)

    @property
    def totals(self) -> dict[str, float]:
        """The sums of all months by what is acted on, in words."""
        found: dict[str, float] = {}
        for _, name, cost in self.by_month:
            found[name] = found.get(name, 0.0) + cost
        return found

    @property
    def by_month(self) -> list[tuple[date, str, float]]:
        """What errors cost by month and by what is acted on."""
        return [
            (month.month, name, cost)
            for month in self.months
            for name, cost in zip(ACTED_ON, (month.told, month.simple, month.nothing), strict=True)
            if cost is not None
        ]

    @property
    def told(self) -> str:
        """Of what these are the costs, in a sentence."""
        left_out = "".join(f"; {note}" for note in self.notes)
        return (
            f"What errors cost in {self.rows:,} predictions whose outcome is known, by month: acting on what "
            f"was told, and as it would have been otherwise{left_out}"
        )


@remembered
def read_error_costs(settings: Settings) -> ErrorCosts:
    """Return what errors have cost, by `error_costs` of project.yaml, where the outcome is known.

    Raises ProjectError where nobody has said what an error costs, and without a prediction or an outcome.
    """
    project, costs = settings.project, settings.error_costs
    if not costs.agreed:
        raise ProjectError("nobody has said yet what an error costs; `error_costs` in project.yaml says it")
    task, target = project.task, identifier(project.target)
    told = identifier(next(iter(task.told)))
    simple = _by_version(settings)
    nothing = task.error_cost_in_sql(target, task.idle, costs) if task.idle else "NULL"
    summed = {
        "told": task.error_cost_in_sql(target, told, costs),
        "simple": task.error_cost_in_sql(target, "simple_acts", costs),
        "nothing": nothing,
    }
    sums = ", ".join(f"CAST(sum({cost}) AS DOUBLE) AS {name}" for name, cost in summed.items())
    kept = f"{told} IS NOT NULL AND simple_acts IS NOT NULL"
    with tables(settings) as connection:
        found = rows(
            connection,
            f"SELECT CAST(date_trunc('month', {identifier(project.window)}) AS DATE) AS month, "
            f"{kept} AS kept, count(*) AS rows, {sums} "
            f"FROM (SELECT *, {simple} AS simple_acts FROM {PREDICTIONS} WHERE {target} IS NOT NULL) "
            "GROUP BY 1, 2 ORDER BY 1, 2",
        )
    months = [{k: v for k, v in each.items() if k != "kept"} for each in found if each["kept"]]
    left_out = sum(each["rows"] for each in found if not each["kept"])
    if not months:
        raise ProjectError("no outcome of a prediction is known yet; `etl` loads outcomes")
    said = f"of versions that are not kept any more, left out: {left_out:,}"
    return ErrorCosts(
        costs.currency, tuple(MonthCosts(**each) for each in months), (said,) if left_out else ()
    )


def _by_version(settings: Settings) -> str:
    """Return the SQL of what the simple technique would have had done, as each version's fallback acts."""
    project = settings.project
    cases = "".join(
        f" WHEN {literal(name)} THEN {project.task.acts_in_sql('baseline', of_baseline(decision))}"
        for name, decision in _decisions(settings).items()
    )
    return f"CASE version{cases} ELSE NULL END" if cases else "NULL"


def _decisions(settings: Settings) -> dict[str, Mapping[str, Any]]:
    found = {}
    for name, info in kept_infos(settings):
        with suppress(KeyError, TypeError):  # no version that could have answered
            found[name] = info["evaluation"]["decision"]
    return found
