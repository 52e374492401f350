"""What it costs: the budget, and the errors, beside those of the simple technique and of doing nothing."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from handrail.compute.duckdb import identifier, literal, rows
from handrail.config.budget import Budget
from handrail.config.settings import Settings
from handrail.dashboard.tables import PREDICTIONS, remembered, tables
from handrail.errors import ProjectError
from handrail.registry.versions import kept_infos
from handrail.reports.wording import dearer
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
    """What errors cost by month, in a currency; notes: what is left out.

    dear: says that acting on what was told has cost more than doing without it, where it has; else empty
    """

    currency: str
    months: tuple[MonthCosts, ...]
    notes: tuple[str, ...] = ()
    dear: str = ""

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
        """Of what these are the costs, and in another sentence that acting did not pay, if so."""
        left_out = "".join(f"; {note}" for note in self.notes)
        said = (
            f"What errors cost in {self.rows:,} predictions whose outcome is known, by month: acting on what "
            f"was told, and as it would have been otherwise{left_out}"
        )
        return f"{said}. {self.dear}" if self.dear else said


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
    without = task.without_in_sql(target, costs)
    summed |= {f"without_{name}": task.error_cost_in_sql(target, f"acts_{name}", costs) for name in without}
    acts = "".join(f", {sql} AS acts_{name}" for name, sql in without.items())
    sums = ", ".join(f"CAST(sum({cost}) AS DOUBLE) AS {name}" for name, cost in summed.items())
    kept = f"{told} IS NOT NULL AND simple_acts IS NOT NULL"
    with tables(settings) as connection:
        found = rows(
            connection,
            f"SELECT CAST(date_trunc('month', {identifier(project.window)}) AS DATE) AS month, "
            f"{kept} AS kept, count(*) AS rows, {sums} "
            f"FROM (SELECT *, {simple} AS simple_acts{acts} FROM {PREDICTIONS} WHERE {target} IS NOT NULL) "
            "GROUP BY 1, 2 ORDER BY 1, 2",
        )
    months = [each for each in found if each["kept"]]
    left_out = sum(each["rows"] for each in found if not each["kept"])
    if not months:
        raise ProjectError("no outcome of a prediction is known yet; `etl` loads outcomes")
    said = f"of versions that are not kept any more, left out: {left_out:,}"
    totals = {
        name: sum(each[name] for each in months) for name in ("told", *map("without_{}".format, without))
    }
    instead = {name: totals[f"without_{name}"] for name in without}
    names = [field.name for field in fields(MonthCosts)]
    return ErrorCosts(
        costs.currency,
        tuple(MonthCosts(**{name: each[name] for name in names}) for each in months),
        (said,) if left_out else (),
        dearer(settings, totals["told"], instead),
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
