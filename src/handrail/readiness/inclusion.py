"""Is anybody served worse for who they are? Groups of sensitive columns are compared, or their proxies.

A right that a group gets is to be at least four fifths of what all get, the rule of thumb of the Uniform
Guidelines on Employee Selection Procedures (1978).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from TWIN_model_metrics import KIND, measure, rows_of

from handrail.arrays import Floats
from handrail.compute.duckdb import connect
from handrail.contract.schema import Role, of_role, one_of_role
from handrail.errors import ProjectError
from handrail.etl.load import require_table
from handrail.readiness.context import ReadinessContext, chosen
from handrail.readiness.paired_bootstrap import units
from handrail.training.dataset import Dataset
from handrail.training.encoding import UNKNOWN
from handrail.training.evaluation import SMALLEST_PART_ROWS
from handrail.training.splits import rows_between

FOUR_FIFTHS = 0.8
DRAWS = 100
RATES = (
    ("recall", "precision") if KIND == "classification" else ("within", "covered")
)  # shares that went right


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
    test = context.periods.test
    prediction = context.predictor.predict(test.features)
    columns = _sensitive(context, sensitive) if sensitive else test.slices
    groups = list(_groups(test, prediction, columns, context.version.decision))
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
    key, time, target = (
        one_of_role(context.settings.project.contract, role).name
        for role in (Role.KEY, Role.TIME, Role.TARGET)
    )
    chosen_columns = ", ".join(f"coalesce(CAST({name} AS VARCHAR), '{UNKNOWN}') AS {name}" for name in names)
    with connect(context.settings) as connection:
        rows = rows_between(
            require_table(context.settings, context.settings.project.table_name),
            context.split.test_from,
            context.split.live_from,
        )
        found = connection.execute(
            f"SELECT {chosen_columns} FROM {rows} WHERE {target} IS NOT NULL ORDER BY {time}, {key}"
        ).fetchnumpy()
    return {name: np.ma.getdata(found[name]).astype(np.str_) for name in names}


def _groups(
    test: Dataset, prediction: Floats, columns: Mapping[str, NDArray[np.str_]], decision: Mapping[str, float]
) -> Iterator[Group]:
    for column, values in columns.items():
        for value, count in zip(*np.unique(values, return_counts=True), strict=True):
            if count >= SMALLEST_PART_ROWS:
                yield from _compared(f"{column} {value}", test, prediction, values == value, decision)


def _compared(
    name: str, test: Dataset, prediction: Floats, inside: NDArray[np.bool_], decision: Mapping[str, float]
) -> Iterator[Group]:
    whole, part = rows_of(test.target, prediction), rows_of(test.target[inside], prediction[inside])
    of_all, of_part = measure(whole, decision), measure(part, decision)
    drawn = {rate: [] for rate in RATES}
    days = units(chosen(test, inside))
    rng, number = np.random.default_rng(0), int(days.max()) + 1
    for _ in range(DRAWS):
        times = np.bincount(rng.integers(0, number, number), minlength=number)
        found = measure(part, decision, times[days].astype(np.float64))
        for rate in RATES:
            drawn[rate].append(found[rate] / of_all[rate] if of_all[rate] else np.nan)
    for rate in RATES:
        if of_all[rate] and not np.isnan(of_part[rate]):
            yield Group(name, rate, of_part[rate] / of_all[rate], float(np.nanstd(drawn[rate])))
