"""The three periods of the table, in time order: to learn from, to decide on, to measure on."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from handrail.compute.duckdb import Connection
from handrail.config.sections import Split
from handrail.errors import ProjectError
from handrail.training.dataset import Dataset, period, read_dataset
from handrail.training.encoding import Encoding, learn_encoding

if TYPE_CHECKING:
    from handrail.project import Project

Bounds = tuple[str, date | None, date]  # name, first day and the day after the last


@dataclass(frozen=True)
class Splits:
    """The rows of the three periods, in time order, and the encoding learnt from the first."""

    encoding: Encoding
    training: Dataset
    validation: Dataset
    test: Dataset


def read_splits(
    connection: Connection,
    project: "Project",
    table: str,
    split: Split,
    baseline_by: str,
    encoding: Encoding | None = None,
) -> Splits:
    """Read the training, validation and test rows of the FROM item `table`.

    The model sees nothing later than the first. They are encoded by `encoding`, or by what is learnt of the
    first. Raises ProjectError where a period has no two different outcomes, or a feature no value in it.
    """
    encoding = encoding or _learnt(connection, project, table, split)
    periods = (*_before_test(split), ("test", split.test_from, split.live_from))
    return Splits(encoding, *_read(connection, project, table, baseline_by, encoding, periods))


def read_before_test(
    connection: Connection, project: "Project", table: str, split: Split, baseline_by: str
) -> tuple[Encoding, Dataset, Dataset]:
    """Read the training and validation rows of `table` only; no query asks for a later one."""
    encoding = _learnt(connection, project, table, split)
    training, validation = _read(connection, project, table, baseline_by, encoding, _before_test(split))
    return encoding, training, validation


def _learnt(connection: Connection, project: "Project", table: str, split: Split) -> Encoding:
    return learn_encoding(connection, rows_between(project, table, None, split.validation_from), project)


def _before_test(split: Split) -> tuple[Bounds, ...]:
    return (
        ("training", None, split.validation_from),
        ("validation", split.validation_from, split.test_from),
    )


def _read(
    connection: Connection,
    project: "Project",
    table: str,
    baseline_by: str,
    encoding: Encoding,
    periods: tuple[Bounds, ...],
) -> list[Dataset]:
    found = [
        read_dataset(connection, rows_between(project, table, start, end), project, encoding, baseline_by)
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


def rows_between(project: "Project", table: str, start: date | None, end: date | None) -> str:
    """Return the FROM item for the rows of `table` from `start` on and before `end`."""
    return f"(SELECT * FROM {table} WHERE {period(project.contract, start, end)})"
