"""Is anybody served worse for who they are? Groups of sensitive columns are compared, or their proxies.

A right that a group gets is to be at least four fifths of what all get, the rule of thumb of the Uniform
Guidelines on Employee Selection Procedures (1978).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Doubles, Floats
from handrail.compute.duckdb import connect, identifier
from handrail.contract.schema import Role, columns, of_role
from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext
from handrail.readiness.paired_bootstrap import Difference
from handrail.reports.wording import spaced
from handrail.stages.documents import says_something
from handrail.tasks.metric import Decision, Metric, Outcomes
from handrail.training.dataset import Dataset
from handrail.training.encoding import UNKNOWN
from handrail.training.evaluation import SMALLEST_PART_ROWS
from handrail.training.intervals import Groups, deviation, replicated
from handrail.training.splits import in_order, periods, rows_of

FOUR_FIFTHS = 0.8
MOST_NAMED = 5  # columns
OF_EXAMPLES = (  # what the worked examples say; of other data it says nothing
    "no column tells of a person, so airline and airport stand in for those who fly",
    "no column tells of a person, so airports, days and hours stand in for those who wait there",
)


@dataclass(frozen=True)
class Group:
    """A group, a rate of it as a share of that of all, and how far that falls short of FOUR_FIFTHS."""

    name: str
    rate: str
    ratio: float
    short_by: Difference


def inclusion(context: ReadinessContext) -> str:
    """Compare the rates of all groups; where no column is sensitive, somebody must have thought of it."""
    sensitive = [column.name for column in of_role(context.settings.project.contract, Role.SENSITIVE)]
    considered = _considered(context)
    if not sensitive and not considered:
        raise ProjectError(
            "no column of contract.py is sensitive, and readiness.inclusion in project.yaml does not say "
            "why in a sentence on this data; write who could be served worse, and by which of its columns it "
            f"would show, such as {', '.join(_names(context)[:MOST_NAMED])}"
        )
    test = context.splits.test
    prediction = context.predictor.predict(test.features)
    columns = _sensitive(context, sensitive) if sensitive else test.slices
    if not columns:
        raise ProjectError(
            f"contract.py: {considered}; no column is sliced, so nothing can be compared; declare with "
            "sliced=True those by which it would show"
        )
    groups = [group for group in _groups(context, test, prediction, columns) if not np.isnan(group.ratio)]
    if not groups:
        raise ProjectError(
            f"no group has {SMALLEST_PART_ROWS} rows in the test period; nothing can be compared"
        )
    worst = min(groups, key=lambda group: group.ratio)
    least = f"that of {worst.name}, {worst.ratio:.0%} of all's"
    found = f"the lowest {worst.rate} of {len(groups)} compared is {least}"
    if not sensitive:
        return f"{considered}; {found}"
    unfair = [each for each in groups if each.short_by.clearly_above(0)]
    if unfair:
        raise ProjectError(
            f"{each.name}: {each.rate} is {each.ratio:.0%} of what it is for all, at least {FOUR_FIFTHS:.0%} "
            "is fair; look for what the model misses there, and talk to those concerned"
            for each in unfair
        )
    return f"{', '.join(sensitive)}: {found}"


def _considered(context: ReadinessContext) -> str | None:
    """Return what project.yaml says of people, if it is of this data: a sentence that names a column.

    What the worked example says counts for the worked example.
    """
    settings, said = context.settings, context.limits.inclusion or ""
    if settings.example and not settings.borrowed:
        return said or None
    words = spaced(said).casefold()
    named = [
        name for name in _names(context) if re.search(rf"\b{re.escape(spaced(name).casefold())}\b", words)
    ]
    own = not settings.borrowed and said not in OF_EXAMPLES
    return said if own and named and says_something(said) else None


def _names(context: ReadinessContext) -> list[str]:
    """Return the columns by which groups of people may show: all but key, target and what is a time."""
    roles = {Role.KEY, Role.TIME, Role.ORIGIN, Role.KNOWN, Role.TARGET}
    return [each.name for each in columns(context.settings.project.contract) if each.role not in roles]


def _sensitive(context: ReadinessContext, names: list[str]) -> Mapping[str, NDArray[np.str_]]:
    """Return the sensitive columns of the test period, in the order of its rows."""
    project = context.settings.project
    chosen = ", ".join(
        f"coalesce(CAST({name} AS VARCHAR), '{UNKNOWN}') AS {name}" for name in map(identifier, names)
    )
    with connect(context.settings) as connection:
        rows = rows_of(connection, context.settings, context.table, context.split, periods(context.split)[2])
        found = connection.execute(
            f"SELECT {chosen} FROM {rows} WHERE {identifier(project.target)} IS NOT NULL "
            f"ORDER BY {in_order(context.settings, context.split)}"
        ).fetchnumpy()
    return {name: np.ma.getdata(found[name]).astype(np.str_) for name in names}


def _groups(
    context: ReadinessContext, test: Dataset, prediction: Floats, columns: Mapping[str, NDArray[np.str_]]
) -> Iterator[Group]:
    task, decision = context.settings.project.task, context.version.decision
    whole, usual = task.outcomes(test.target, prediction), {metric.name: metric for metric in task.metrics}
    of_all = {usual[name]: usual[name].value(whole.weighted(), decision) for name in task.fair_rates}
    for column, values in columns.items():
        for value, count in zip(*np.unique(values, return_counts=True), strict=True):
            if count < SMALLEST_PART_ROWS:
                continue
            inside = values == value
            part = task.outcomes(test.target[inside], prediction[inside])
            together = test.groups.rows(inside)
            for rate, overall in of_all.items():
                if overall > 0 and together.enough:
                    yield _compared(f"{column} {value}", rate, part, decision, overall, together)


def _compared(
    name: str, rate: Metric, part: Outcomes, decision: Decision, overall: float, rows: Groups
) -> Group:
    """Return a rate of a part as a share of what it is `overall`; `rows`: which of them belong together."""

    def ratio(weight: Doubles | None = None) -> float:
        return rate.value(part.weighted(weight), decision) / overall

    off = deviation(replicated(rows, ratio), rows)
    return Group(name, rate.name, ratio(), Difference(FOUR_FIFTHS - ratio(), off, rows.count))
