"""What outcomes a version was decided and tested on, as sums that tell how many have changed since.

Each row counts, by a hash of its key, in one of SUMS sums, with a plus or a minus. Where outcomes change, so
do sums, and their squares add up to the number of changes, whichever way these went; of a single row they
tell nothing. Charikar, Chen and Farach-Colton, Finding frequent items in data streams (ICALP 2002).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from handrail.compute.duckdb import Connection, identifier, row, rows
from handrail.project import Project
from handrail.registry.learnt_keys import key_hash

SUMS = 64  # the number of changes is known to about a sixth of itself: the root of 2 / SUMS


@dataclass(frozen=True)
class Changes:
    """How many rows there were and are, and about how many have come or gone, or have another outcome.

    An amount has another where it is as far from what it was as that of any other row.
    """

    before: int
    now: int
    moved: float
    others: float

    @property
    def share(self) -> float:
        """The greater of both, as a share of the rows that there were."""
        return max(self.moved, self.others) / max(self.before, 1)


def sketch(
    connection: Connection, project: Project, source: str, like: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the sums of the rows of the FROM item `source`, all of which have an outcome.

    like: the sums that they are to be compared with; amounts are then counted from the same mean, and in the
    same unit.
    """
    center, unit = (like["center"], like["unit"]) if like else _scale(connection, project, source)
    sign = "CASE WHEN (hashed // 64) % 2 = 0 THEN 1 ELSE -1 END"
    found = rows(
        connection,
        f"SELECT CAST(hashed % {SUMS} AS INTEGER) AS place, count(*) AS n, sum({sign}) AS rows, "
        f"sum({sign} * (outcome - {center!r}) / {unit!r}) AS outcomes FROM (SELECT "
        f"{key_hash(project, 't')} AS hashed, CAST(t.{identifier(project.target)} AS DOUBLE) AS outcome "
        f"FROM {source} AS t) GROUP BY 1",
    )
    by_place = {item["place"]: item for item in found}
    sums = {
        name: [round(float(by_place[n][name]), 6) if n in by_place else 0.0 for n in range(SUMS)]
        for name in ("rows", "outcomes")
    }
    return {"count": sum(item["n"] for item in found), "center": center, "unit": unit, **sums}


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Changes:
    """Return what has changed between two sketches of what should be the same rows."""
    moved, others = (_squared(before[name], now[name]) for name in ("rows", "outcomes"))
    return Changes(before["count"], now["count"], moved, others)


def _squared(before: Sequence[float], now: Sequence[float]) -> float:
    return float(np.square(np.subtract(now, before)).sum())


def _scale(connection: Connection, project: Project, source: str) -> tuple[float, float]:
    """Return from where and in which unit outcomes are counted, so that another outcome is a change of 1."""
    if project.task.predicts == "chance":
        return 0.0, 1.0
    target = identifier(project.target)
    found = row(connection, f"SELECT avg({target}) AS center, 2 * var_pop({target}) AS squared FROM {source}")
    return float(found["center"] or 0.0), float(found["squared"] or 1.0) ** 0.5
