"""Is anybody served worse for who they are? Groups of sensitive columns are compared, or their proxies.

A right that a group gets is to be at least four fifths of what all get, the rule of thumb of the Uniform
Guidelines on Employee Selection Procedures (1978).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Floats
from handrail.compute.duckdb import connect, identifier
from handrail.contract.schema import Role, of_role
from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext
from handrail.readiness.paired_bootstrap import drawn_days
from handrail.training.dataset import Dataset
from handrail.training.encoding import UNKNOWN
from handrail.training.evaluation import SMALLEST_PART_ROWS
from handrail.training.splits import rows_between

FOUR_FIFTHS = 0.8


@dataclass(frozen=True)
class Group:
    """A group, and a rate of it as a share of that of all, with how far it is off by chance."""

    name: str
    rate: str
    ratio: float
    deviation: float


def inclusion(context: ReadinessContext) -> str:
    """Compare the rates of all groups; where no column is sensitive, somebody must have thought of it."""
    sensitive = [column.name for column in of_role(context.settings.project.contract, Role.SENSITIVE)]
    considered = None if context.settings.borrowed else context.limits.inclusion
    if not sensitive and not considered:
        raise ProjectError(
            "no column of contract.py is sensitive, and readiness.inclusion in project.yaml does not say "
            "why; write who could be served worse, and by which columns it would show"
        )
    test = context.splits.test
    prediction = context.predictor.predict(test.features)
    columns = _sensitive(context, sensitive) if sensitive else test.slices
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
    unfair = [each for each in groups if each.ratio + 1.96 * each.deviation < FOUR_FIFTHS]
    if unfair:
        raise ProjectError(
            f"{each.name}: {each.rate} is {each.ratio:.0%} of what it is for all, at least {FOUR_FIFTHS:.0%} "
            "is fair; look for what the model misses there, and talk to those concerned"
            for each in unfair
        )
    return f"{', '.join(sensitive)}: {found}"


def _sensitive(context: ReadinessContext, names: list[str]) -> Mapping[str, NDArray[np.str_]]:
    """Return the sensitive columns of the test period, in the order of its rows."""
    project = context.settings.project
    chosen = ", ".join(
        f"coalesce(CAST({name} AS VARCHAR), '{UNKNOWN}') AS {name}" for name in map(identifier, names)
    )
    with connect(context.settings) as connection:
        rows = rows_between(project, context.table, context.split.test_from, context.split.live_from)
        found = connection.execute(
            f"SELECT {chosen} FROM {rows} WHERE {identifier(project.target)} IS NOT NULL "
            f"ORDER BY {identifier(project.time)}, {identifier(project.key)}"
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
            weights = [None, *drawn_days(test.times[inside])]
            for rate, overall in of_all.items():
                if overall > 0:
                    found = [rate.value(part.weighted(weight), decision) / overall for weight in weights]
                    deviation = float(np.nanstd(found[1:]))
                    yield Group(f"{column} {value}", rate.name, found[0], deviation)
