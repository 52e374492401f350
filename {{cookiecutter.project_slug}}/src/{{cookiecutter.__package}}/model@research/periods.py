"""The three periods of the table, in time order: to learn from, to decide on, to measure on."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from ..contract import CONTRACT
from ..engine import Connection
from ..errors import ProjectError
from ..sections import Split
from .features import Dataset, Encoding, learn_encoding, period, read_dataset

Bounds = tuple[str, date | None, date]  # name, first day and the day after the last


@dataclass(frozen=True)
class Periods:
    """The three periods of the split, in time order, and the encoding learnt from the first."""

    encoding: Encoding
    learning: Dataset
    validation: Dataset
    test: Dataset


def read_periods(
    connection: Connection, table: str, split: Split, baseline_by: str, encoding: Encoding | None = None
) -> Periods:
    """Read the training, validation and test rows of `table`; the model sees nothing later than the first.

    They are encoded by `encoding`, or by what is learnt from the first.
    """
    encoding = encoding or _learnt(connection, table, split)
    periods = (*_before_test(split), ("test", split.test_from, split.live_from))
    return Periods(encoding, *_read(connection, table, baseline_by, encoding, periods))


def read_before_test(
    connection: Connection, table: str, split: Split, baseline_by: str
) -> tuple[Encoding, Dataset, Dataset]:
    """Read the training and validation rows of `table` only; no query asks for a later one."""
    encoding = _learnt(connection, table, split)
    learning, validation = _read(connection, table, baseline_by, encoding, _before_test(split))
    return encoding, learning, validation


def _learnt(connection: Connection, table: str, split: Split) -> Encoding:
    return learn_encoding(connection, rows_between(table, None, split.validation_from), CONTRACT)


def _before_test(split: Split) -> tuple[Bounds, ...]:
    return (
        ("training", None, split.validation_from),
        ("validation", split.validation_from, split.test_from),
    )


def _read(
    connection: Connection, table: str, baseline_by: str, encoding: Encoding, periods: tuple[Bounds, ...]
) -> list[Dataset]:
    """Return the rows of each period.

    Raises ProjectError where one has no two different outcomes, or a feature has no value in the first.
    """
    found = [
        read_dataset(connection, rows_between(table, start, end), CONTRACT, encoding, baseline_by)
        for _, start, end in periods
    ]
    problems = [
        f"{name} period: {len(data)} rows with {len(np.unique(data.target))} different outcomes before "
        f"{end}; see split in project.yaml"
        for (name, _, end), data in zip(periods, found, strict=True)
        if not len(data) or data.target.min() == data.target.max()
    ]
    if problems:
        raise ProjectError(problems)
    missing = np.isnan(found[0].features)
    empty = [name for place, name in enumerate(encoding.features) if missing[:, place].all()]
    if empty:
        raise ProjectError(
            f"{periods[0][0]} period: no value in {', '.join(empty)}: nothing can be learnt of that; bring "
            "values in, or give it another role in contract.py"
        )
    return found


def rows_between(table: str, start: date | None, end: date | None) -> str:
    """Return the FROM item for the rows of `table` from `start` on and before `end`."""
    return f"(SELECT * FROM {table} WHERE {period(CONTRACT, start, end)})"
