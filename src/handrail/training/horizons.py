"""How far ahead of the day on which it was made a forecast lies: the step of a row.

A row with an origin (`Role.ORIGIN`) says when its forecast is made and, as its time, what it is for. Errors
grow with the distance, so figures are also told step by step.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handrail.compute.duckdb import identifier
from handrail.project import Project

StepUnit = Literal["month", "day", "hour"]
MOST_STEPS = 60  # with more, each holds too few rows to say anything


def step_unit(times: NDArray[np.datetime64], origins: NDArray[np.datetime64]) -> StepUnit:
    """Return what steps are counted in: months of monthly rows, days where all are one ahead, else hours."""
    days = np.concatenate([times, origins]).astype("datetime64[D]")
    firsts = days == days.astype("datetime64[M]").astype("datetime64[D]")
    if firsts.all():
        return "month"
    return "day" if (times - origins).min() >= np.timedelta64(1, "D") else "hour"


def steps_between(
    times: NDArray[np.datetime64], origins: NDArray[np.datetime64], unit: StepUnit
) -> NDArray[np.int64]:
    """Return the step of each row (n): whole units from its origin to its time."""
    code: Any = {"month": "datetime64[M]", "day": "datetime64[D]", "hour": "datetime64[h]"}[unit]
    return (times.astype(code) - origins.astype(code)).astype(np.int64)


def step_in_sql(project: Project, unit: StepUnit) -> str:
    """Return the same as an SQL expression."""
    if not (project.time and project.origin):
        raise ValueError("rows have no origin")
    return f"datediff('{unit}', {identifier(project.origin)}, {identifier(project.time)})"
