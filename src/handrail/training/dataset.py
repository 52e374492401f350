"""The rows of a period as arrays, ready to learn from or to measure on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Floats
from handrail.compute.duckdb import Connection, identifier
from handrail.contract.schema import Record, Role, of_role, one_of_role
from handrail.errors import ProjectError
from handrail.training.encoding import UNKNOWN, Encoding

if TYPE_CHECKING:
    from handrail.project import Project


@dataclass(frozen=True)
class Dataset:
    """A period of the table, in the order of time and key; n rows, k features.

    features (n, k) float32 · target (n) float32 · times (n), to the second · slices: column -> (n) names.
    baseline_by (n): the value of the column that the simple technique goes by, as text
    """

    features: Floats
    target: Floats
    times: NDArray[np.datetime64]
    slices: Mapping[str, NDArray[np.str_]]
    baseline_by: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.target)

    @cached_property
    def months(self) -> NDArray[np.str_]:
        """The month of each row, as 'YYYY-MM'."""
        return self.times.astype("datetime64[M]").astype(np.str_)

    def rows(self, chosen: Any) -> "Dataset":
        """Return the rows at places, by a mask, or of a slice, of which nothing is copied."""
        return replace(
            self,
            features=self.features[chosen],
            target=self.target[chosen],
            times=self.times[chosen],
            slices={name: values[chosen] for name, values in self.slices.items()},
            baseline_by=self.baseline_by[chosen],
        )


def period(contract: type[Record], start: date | None, end: date | None) -> str:
    """Return the SQL condition for rows from `start` on and before `end`; None is open.

    Raises ProjectError where no day lies between them.
    """
    if start and end and start >= end:
        raise ProjectError(f"from {start} on and before {end}: no day lies between them")
    time = identifier(one_of_role(contract, Role.TIME).name)
    bounds = [f"{time} >= TIMESTAMP '{start}'"] if start else []
    bounds += [f"{time} < TIMESTAMP '{end}'"] if end else []
    return " AND ".join(bounds) or "TRUE"


def read_dataset(
    connection: Connection, source: str, project: "Project", encoding: Encoding, baseline_by: str
) -> Dataset:
    """Read the rows of `source` whose target is known; raises ProjectError if `baseline_by` is no feature."""
    contract = project.contract
    if baseline_by not in {column.name for column in of_role(contract, Role.FEATURE)}:
        raise ProjectError(
            f"project.yaml: accuracy.baseline_by: {baseline_by} is no feature of contract.py; features are "
            f"{', '.join(column.name for column in of_role(contract, Role.FEATURE))}"
        )
    slices = [c.name for c in of_role(contract, *Role) if c.sliced]
    chosen = [f"{expression} AS _f{number}" for number, expression in enumerate(encoding.select())]
    chosen += [
        f"coalesce(CAST({identifier(name)} AS VARCHAR), '{UNKNOWN}') AS _s{number}"
        for number, name in enumerate(slices)
    ]
    key, time, target = map(identifier, (project.key, project.time, project.target))
    table = connection.execute(
        f"SELECT {', '.join(chosen)}, CAST({target} AS FLOAT) AS _target, {time} AS _time, "
        f"coalesce(CAST({identifier(baseline_by)} AS VARCHAR), '{UNKNOWN}') AS _baseline_by "
        f"FROM {source} WHERE {target} IS NOT NULL ORDER BY {time}, {key}"
    ).fetchnumpy()
    return Dataset(
        features=np.column_stack([_filled(table[f"_f{n}"]) for n in range(len(encoding.features))]),
        target=_filled(table["_target"]),
        times=_filled(table["_time"]).astype("datetime64[s]"),
        slices={name: _filled(table[f"_s{n}"]).astype(np.str_) for n, name in enumerate(slices)},
        baseline_by=_filled(table["_baseline_by"]).astype(np.str_),
    )


def _filled(values: Any) -> Any:
    """Return a plain array; the queries above leave nothing masked."""
    return np.ma.getdata(values)
