"""From columns to the one float32 matrix that every model reads; the same rule for a row and a table.

Amounts stay as they are, names become codes, and what is missing or was never seen becomes NaN.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine import Connection, literal
from ..errors import ProjectError
from ..schema import Record, Role, of_role, one_of_role

Floats = NDArray[np.float32]
NAN = float("nan")
UNKNOWN = "unknown"
NAN_SQL = "CAST('NaN' AS FLOAT)"


@dataclass(frozen=True)
class Encoding:
    """The order of the features, and for each that holds names, the names in the order of their codes."""

    features: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]

    def select(self) -> list[str]:
        """Return one SQL expression per feature, of type FLOAT and never NULL."""
        return [self._expression(name) for name in self.features]

    def matrix(self, records: Sequence[Mapping[str, Any]]) -> Floats:
        """Return the features of `records`, shape (records, features)."""
        codes = self._codes
        rows = [
            [
                codes[name].get(record[name], NAN) if name in codes else _amount(record[name])
                for name in self.features
            ]
            for record in records
        ]
        return np.array(rows, dtype=np.float32).reshape(len(records), len(self.features))

    @cached_property
    def _codes(self) -> dict[str, dict[str, int]]:
        return {
            name: {text: code for code, text in enumerate(known)} for name, known in self.categories.items()
        }

    def _expression(self, name: str) -> str:
        if name not in self.categories:
            return f"coalesce(CAST({name} AS FLOAT), {NAN_SQL})"
        cases = " ".join(
            f"WHEN {literal(text)} THEN {code}.0" for code, text in enumerate(self.categories[name])
        )
        return f"CAST(CASE {name} {cases} ELSE {NAN_SQL} END AS FLOAT)" if cases else NAN_SQL


@dataclass(frozen=True)
class Dataset:
    """A period of the table, in the order of time and key; n rows, k features.

    features (n, k) float32 · target (n) float32 · times (n), to the second · slices: column -> (n) names.
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


def period(contract: type[Record], start: date | None, end: date | None) -> str:
    """Return the SQL condition for rows from `start` on and before `end`; None is open.

    Raises ProjectError where no day lies between them.
    """
    if start and end and start >= end:
        raise ProjectError(f"from {start} on and before {end}: no day lies between them")
    time = one_of_role(contract, Role.TIME).name
    bounds = [f"{time} >= TIMESTAMP '{start}'"] if start else []
    bounds += [f"{time} < TIMESTAMP '{end}'"] if end else []
    return " AND ".join(bounds) or "TRUE"


def learn_encoding(connection: Connection, source: str, contract: type[Record]) -> Encoding:
    """Return the encoding for `source`: codes follow the contract's choices, or the names seen, sorted."""
    features = of_role(contract, Role.FEATURE)
    categories = {}
    for column in features:
        if column.categorical:
            query = f"SELECT DISTINCT {column.name} FROM {source} WHERE {column.name} IS NOT NULL ORDER BY 1"
            seen = () if column.choices else (text for (text,) in connection.execute(query).fetchall())
            categories[column.name] = column.choices or tuple(seen)
    return Encoding(tuple(column.name for column in features), categories)


def read_dataset(
    connection: Connection, source: str, contract: type[Record], encoding: Encoding, baseline_by: str
) -> Dataset:
    """Read the rows of `source` whose target is known; raises ProjectError if `baseline_by` is no feature."""
    if baseline_by not in {column.name for column in of_role(contract, Role.FEATURE)}:
        raise ProjectError(
            f"project.yaml: accuracy.baseline_by: {baseline_by} is no feature of contract.py; features are "
            f"{', '.join(column.name for column in of_role(contract, Role.FEATURE))}"
        )
    key, time, target = (one_of_role(contract, role).name for role in (Role.KEY, Role.TIME, Role.TARGET))
    slices = [c.name for c in of_role(contract, *Role) if c.sliced]
    chosen = [f"{expression} AS f{number}" for number, expression in enumerate(encoding.select())]
    chosen += [
        f"coalesce(CAST({name} AS VARCHAR), '{UNKNOWN}') AS s{number}" for number, name in enumerate(slices)
    ]
    table = connection.execute(
        f"SELECT {', '.join(chosen)}, CAST({target} AS FLOAT) AS target, {time} AS time, "
        f"coalesce(CAST({baseline_by} AS VARCHAR), '{UNKNOWN}') AS baseline_by "
        f"FROM {source} WHERE {target} IS NOT NULL ORDER BY {time}, {key}"
    ).fetchnumpy()
    return Dataset(
        features=np.column_stack([_filled(table[f"f{n}"]) for n in range(len(encoding.features))]),
        target=_filled(table["target"]),
        times=_filled(table["time"]).astype("datetime64[s]"),
        slices={name: _filled(table[f"s{n}"]).astype(np.str_) for n, name in enumerate(slices)},
        baseline_by=_filled(table["baseline_by"]).astype(np.str_),
    )


def _amount(value: float | None) -> float:
    return NAN if value is None else float(value)


def _filled(values: Any) -> Any:
    """Return a plain array; the queries above leave nothing masked."""
    return np.ma.getdata(values)
