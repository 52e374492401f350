"""From columns to the one float32 matrix that every model reads; the same rule for a row and a table.

Amounts stay as they are, names become codes, and what is missing or was never seen becomes NaN. A project's
model/features.py says which columns the model sees, and which are coded otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from handrail.arrays import Floats
from handrail.compute.duckdb import Connection, identifier, literal
from handrail.contract.schema import Record, Role, of_role
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.project import Project

NAN = float("nan")
UNKNOWN = "unknown"
FEW = 8  # records that are encoded one by one: a column has to be long to be worth it
NAN_SQL = "CAST('NaN' AS FLOAT)"
EXACT_IN_FLOAT32 = 2**24  # beyond it, whole numbers that differ are one number to the model


@dataclass(frozen=True)
class Coding:
    """How a column becomes a number: `amount`, `logarithm` (of 1 + the amount, for long tails) or `names`.

    names: the order of the names in a project's own words; without it, that of the contract, or sorted
    """

    kind: Literal["amount", "logarithm", "names"]
    names: tuple[str, ...] = ()


def amount() -> Coding:
    """Return the coding of an amount that stays as it is; what is missing becomes NaN."""
    return Coding("amount")


def logarithm() -> Coding:
    """Return the coding of an amount (above -1) by the natural logarithm of 1 + it."""
    return Coding("logarithm")


def names(*order: str) -> Coding:
    """Return the coding of names, or of whole numbers that are names, by a code; given an order, in that."""
    return Coding("names", order)


def features_of(contract: type[Record], leave_out: Iterable[str] = (), **coded: Coding) -> dict[str, Coding]:
    """Return the coding of every feature of `contract`, in its order, but for those of `leave_out`.

    Names are coded as names, amounts as amounts, unless `coded` says otherwise (`distance_km=logarithm()`).
    Raises ProjectError where a name is no feature.
    """
    features = {column.name: column for column in of_role(contract, Role.FEATURE)}
    left = set(leave_out)
    unknown = sorted({*left, *coded} - set(features))
    if unknown:
        raise ProjectError(
            f"model/features.py: {', '.join(unknown)}: no feature of contract.py; features are "
            f"{', '.join(features)}"
        )
    usual = {name: names() if column.categorical else amount() for name, column in features.items()}
    return {name: coded.get(name, coding) for name, coding in usual.items() if name not in left}


def inexact_features(project: Project) -> list[str]:
    """Return a sentence for each whole number that the model sees as an amount, and not exactly.

    The model reads float32, which holds whole numbers up to 2**24: by the contract's bounds, greater ones may
    come. To an amount that is no matter, to a number that is a name it is: they are told, and not refused.
    """
    amounts = {name for name, coding in project.features.items() if coding.kind == "amount"}
    return [
        f"contract.py: {c.name}: from {EXACT_IN_FLOAT32:,} on, the model can't tell neighbouring numbers "
        "apart; if it is a name, code it with names() in model/features.py or make it a text, if it is an "
        "amount, take a larger unit"
        for c in of_role(project.contract, Role.FEATURE)
        if c.kind is int
        and c.name in amounts
        and any(end is not None and abs(end) > EXACT_IN_FLOAT32 for end in (c.ge, c.le))
    ]


def calendar_features(
    project: Project, names: Sequence[str], features: Floats, months: NDArray[np.str_]
) -> list[str]:
    """Return a sentence for each amount that all rows of a month share, as the month of the year.

    features (n, k), in the order of `names` · months (n): the month of each row. A month is never as all that
    was learnt from, so such a feature drifts by itself.
    """
    watched = {c.name for c in of_role(project.contract, Role.FEATURE) if c.drift and not c.categorical}
    _, numbers = np.unique(months, return_inverse=True)
    order, found = np.argsort(numbers, kind="stable"), []
    begins = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    for place, name in enumerate(names):
        values = features[order, place]
        if name not in watched or np.isnan(values).any():
            continue
        lowest, highest = np.minimum.reduceat(values, begins), np.maximum.reduceat(values, begins)
        returns = bool((np.diff(lowest) < 0).any())  # one that never does is told by growing_features
        if (lowest == highest).all() and returns and len(np.unique(lowest)) > 2:
            found.append(
                f"contract.py: {name}: all rows of a month share its value, and the next month has another; "
                "say drift=False so that it raises no warning by itself"
            )
    return found


def growing_features(project: Project, names: Sequence[str], earlier: Floats, later: Floats) -> list[str]:
    """Return a sentence for each amount that only grows: all its later values lie beyond all earlier ones.

    earlier, later (n, k): features of rows that follow one another in time, in the order of `names`. Trees
    know nothing of values that they have not met, and such a feature drifts by itself.
    """
    watched = {c.name for c in of_role(project.contract, Role.FEATURE) if c.drift and not c.categorical}
    amounts = {name for name, coding in project.features.items() if coding.kind != "names"} & watched
    found = []
    for place, name in enumerate(names):
        before, after = (each[:, place][~np.isnan(each[:, place])] for each in (earlier, later))
        if name in amounts and len(before) and len(after) and before.max() < after.min():
            found.append(
                f"contract.py: {name}: every value of the validation period is above all that were learnt "
                "from; if it is a counter or a date, make a difference of it in transform.sql, or say "
                "drift=False so that it raises no warning by itself"
            )
    return found


@dataclass(frozen=True)
class Encoding:
    """The order of the features, for each that holds names the names in the order of their codes.

    `logarithms` are the amounts that are coded as such.
    """

    features: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    logarithms: tuple[str, ...] = field(default=())

    @property
    def name_places(self) -> list[int]:
        """The columns of the matrix that hold codes of names."""
        return [place for place, name in enumerate(self.features) if name in self.categories]

    @property
    def amount_places(self) -> list[int]:
        """The columns of the matrix that hold amounts."""
        return [place for place, name in enumerate(self.features) if name not in self.categories]

    def select(self) -> list[str]:
        """Return one SQL expression per feature, of type FLOAT and never NULL."""
        return [self._expression(name) for name in self.features]

    def matrix(self, records: Sequence[Mapping[str, Any]]) -> Floats:
        """Return the features of `records`, shape (records, features)."""
        if len(records) < FEW:
            found = [[_number(record[name], *how) for name, how in self._plan] for record in records]
            return np.array(found, dtype=np.float32).reshape(len(records), len(self.features))
        found = np.empty((len(records), len(self.features)), dtype=np.float32)
        for place, name in enumerate(self.features):
            found[:, place] = self._numbers(name, values_of(records, name))
        return found

    def numbers(self, name: str, values: list[Any]) -> Floats:
        """Return what the model sees of the values of a feature."""
        return np.array(self._numbers(name, values), dtype=np.float32)

    def _numbers(self, name: str, values: list[Any]) -> list[float]:
        """Return the numbers of a whole column, each as `_number` does."""
        codes = self._codes.get(name)
        if codes is not None:
            found = {each: NAN if each is None else codes.get(str(each), NAN) for each in set(values)}
            return [found[value] for value in values]
        if name in self.logarithms:
            return [_number(value, None, logged=True) for value in values]
        return [NAN if value is None else value for value in values] if None in values else values

    @cached_property
    def _plan(self) -> list[tuple[str, tuple[dict[str, int] | None, bool]]]:
        """How each feature becomes a number: the codes of its names, and whether it is the logarithm."""
        return [(name, (self._codes.get(name), name in self.logarithms)) for name in self.features]

    @cached_property
    def _codes(self) -> dict[str, dict[str, int]]:
        return {
            name: {text: code for code, text in enumerate(known)} for name, known in self.categories.items()
        }

    def _expression(self, name: str) -> str:
        column = identifier(name)
        if name not in self.categories:
            value = f"CAST({column} AS FLOAT)"
            if name in self.logarithms:
                logged = f"CASE WHEN {column} > -1 THEN ln(1 + CAST({column} AS DOUBLE)) ELSE {column} END"
                value = f"CAST({logged} AS FLOAT)"
            return f"coalesce({value}, {NAN_SQL})"
        cases = " ".join(
            f"WHEN {literal(text)} THEN {code}.0" for code, text in enumerate(self.categories[name])
        )
        if not cases:
            return NAN_SQL
        return f"CAST(CASE CAST({column} AS VARCHAR) {cases} ELSE {NAN_SQL} END AS FLOAT)"


def values_of(records: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    """Return the values of a column of records, some of which are kept by column."""
    columns = getattr(records, "columns", None)
    return [record[name] for record in records] if columns is None else columns[name]


def _number(value: Any, codes: Mapping[str, int] | None, logged: bool) -> float:
    if value is None:
        return NAN
    if codes is not None:
        return codes.get(str(value), NAN)
    return float(np.log(1 + float(value))) if logged and value > -1 else value


def learn_encoding(connection: Connection, source: str, project: Project) -> Encoding:
    """Return the encoding for `source`: codes follow the given order, the contract's, or the alphabet."""
    columns = {column.name: column for column in of_role(project.contract, Role.FEATURE)}
    categories = {}
    for name, coding in project.features.items():
        if coding.kind == "names":
            known = coding.names or columns[name].choices
            categories[name] = known or _seen(connection, source, name)
    logarithms = tuple(name for name, coding in project.features.items() if coding.kind == "logarithm")
    return Encoding(tuple(project.features), categories, logarithms)


def _seen(connection: Connection, source: str, name: str) -> tuple[str, ...]:
    column = identifier(name)
    query = f"SELECT DISTINCT {column} AS _seen FROM {source} WHERE {column} IS NOT NULL ORDER BY _seen"
    return tuple(str(value) for (value,) in connection.execute(query).fetchall())


def encoding_of(recorded: Mapping[str, Any]) -> Encoding:
    """Return the encoding that a version's record holds."""
    return Encoding(
        tuple(recorded["features"]),
        {name: tuple(known) for name, known in recorded["categories"].items()},
        tuple(recorded.get("logarithms", ())),
    )
