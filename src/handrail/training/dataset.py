"""The rows of a period as arrays, ready to learn from or to measure on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Floats
from handrail.compute.duckdb import Connection, identifier
from handrail.config.settings import Settings
from handrail.contract.schema import Record, Role, of_role, one_of_role
from handrail.errors import ProjectError
from handrail.training.encoding import UNKNOWN, Encoding
from handrail.training.horizons import step_unit, steps_between
from handrail.training.intervals import Groups, groups_of
from handrail.training.known_outcomes import half_told, known_from


@dataclass(frozen=True)
class Dataset:
    """A part of the table, in the order of time and key, or as drawn by chance; n rows, k features.

    features (n, k) float32 · target (n) float32 · times (n), to the second, None where rows have none
    slices: column -> (n) names.
    baseline_by (n): the value of the column that the simple technique goes by, as text
    subjects (n): whom or what each row is about, as text; None where the contract names no subject
    known_from (n): from when on the outcome was known, to the second; without it, from the time of the row on
    origins (n): when the forecast of each row is made, to the second; None where rows have none
    baseline_is_amount: whether those values are amounts, and no names
    """

    features: Floats
    target: Floats
    times: NDArray[np.datetime64] | None
    slices: Mapping[str, NDArray[np.str_]]
    baseline_by: NDArray[np.str_]
    subjects: NDArray[np.str_] | None = None
    known_from: NDArray[np.datetime64] | None = None
    origins: NDArray[np.datetime64] | None = None
    baseline_is_amount: bool = False

    def __len__(self) -> int:
        return len(self.target)

    @cached_property
    def months(self) -> NDArray[np.str_] | None:
        """The month of each row, as 'YYYY-MM'; None where rows have no time."""
        return None if self.times is None else self.times.astype("datetime64[M]").astype(np.str_)

    @cached_property
    def groups(self) -> Groups:
        """Which rows belong together: those of a subject, else those of a day or month."""
        return groups_of(self.times, self.subjects, len(self))

    def rows(self, chosen: Any) -> "Dataset":
        """Return the rows at places, by a mask, or of a slice, of which nothing is copied."""
        return replace(
            self,
            features=self.features[chosen],
            target=self.target[chosen],
            times=None if self.times is None else self.times[chosen],
            slices={name: values[chosen] for name, values in self.slices.items()},
            baseline_by=self.baseline_by[chosen],
            subjects=None if self.subjects is None else self.subjects[chosen],
            known_from=None if self.known_from is None else self.known_from[chosen],
            origins=None if self.origins is None else self.origins[chosen],
        )

    @cached_property
    def steps(self) -> NDArray[np.int64] | None:
        """How many months, days or hours ahead of its origin each row (n) lies; None where rows have none."""
        if self.times is None or self.origins is None or not len(self):
            return None
        return steps_between(self.times, self.origins, step_unit(self.times, self.origins))

    def known_on(self, moment: np.datetime64) -> "Dataset":
        """Return the rows whose outcome was known at `moment`, but for those whose outcomes are half told."""
        moments = self.times if self.known_from is None else self.known_from
        if moments is None:
            return self
        known = moments <= moment
        if self.times is not None and self.known_from is not None and set(np.unique(self.target)) <= {0, 1}:
            days, place = np.unique(self.times.astype("datetime64[D]"), return_inverse=True)
            case, before = self.target == 1, self.times < moment
            counts = (
                np.bincount(place[chosen], minlength=len(days))
                for chosen in (known & case, known & ~case, before & ~known)
            )
            first = half_told(*counts)
            known &= place < (len(days) if first is None else first)
        return self.rows(known)


def period(contract: type[Record], start: date | None, end: date | None, column: str | None = None) -> str:
    """Return the SQL condition for rows from `start` on and before `end`; None is open.

    column: which says when, by default the contract's time. Raises ProjectError where no day lies between, or
    rows have no time.
    """
    if start and end and start >= end:
        raise ProjectError(f"from {start} on and before {end}: no day lies between them")
    if start is None and end is None:
        return "TRUE"
    time = identifier(column or one_of_role(contract, Role.TIME).name)
    bounds = [f"{time} >= TIMESTAMP '{start}'"] if start else []
    bounds += [f"{time} < TIMESTAMP '{end}'"] if end else []
    return " AND ".join(bounds) or "TRUE"


def read_dataset(
    connection: Connection,
    source: str,
    settings: Settings,
    encoding: Encoding,
    baseline_by: str,
    order: str | None = None,
) -> Dataset:
    """Read the rows of `source` that have a target, by default in the order of time and key.

    Raises ProjectError if `baseline_by` is no feature.
    """
    project = settings.project
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
    if project.subject:
        chosen.append(f"coalesce(CAST({identifier(project.subject)} AS VARCHAR), '{UNKNOWN}') AS _subject")
    if project.time:
        chosen.append(f"{identifier(project.time)} AS _time")
        chosen.append(f"CAST({known_from(settings)} AS TIMESTAMP) AS _known_from")
    if project.origin:
        chosen.append(f"{identifier(project.origin)} AS _origin")
    target, order = identifier(project.target), order or ", ".join(map(identifier, project.ordered_by))
    table = connection.execute(
        f"SELECT {', '.join(chosen)}, CAST({target} AS FLOAT) AS _target, "
        f"coalesce(CAST({identifier(baseline_by)} AS VARCHAR), '{UNKNOWN}') AS _baseline_by "
        f"FROM {source} WHERE {target} IS NOT NULL ORDER BY {order}"
    ).fetchnumpy()
    return Dataset(
        features=np.column_stack([_filled(table[f"_f{n}"]) for n in range(len(encoding.features))]),
        target=_filled(table["_target"]),
        times=_seconds(table.get("_time")),
        slices={name: _filled(table[f"_s{n}"]).astype(np.str_) for n, name in enumerate(slices)},
        baseline_by=_filled(table["_baseline_by"]).astype(np.str_),
        subjects=_filled(table["_subject"]).astype(np.str_) if project.subject else None,
        known_from=_seconds(table.get("_known_from")),
        origins=_seconds(table.get("_origin")),
        baseline_is_amount=_is_amount(settings, baseline_by),
    )


def _is_amount(settings: Settings, name: str) -> bool:
    """Return whether a feature is an amount: whole numbers may be names, by model/features.py."""
    (column,) = (each for each in of_role(settings.project.contract, Role.FEATURE) if each.name == name)
    coding = settings.project.features.get(name)
    return column.kind is float or (column.kind is int and (coding is None or coding.kind != "names"))


def _seconds(values: Any) -> NDArray[np.datetime64] | None:
    return None if values is None else _filled(values).astype("datetime64[s]")


def _filled(values: Any) -> Any:
    """Return a plain array; the queries above leave nothing masked."""
    return np.ma.getdata(values)
