"""The three periods of the table, in time order: to learn from, to decide on, to measure on.

Each holds the rows whose outcome was known when it was over: what came to light later may not be learnt from
or decided on by a model of that day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from handrail.compute.duckdb import Connection, row
from handrail.config.sections import Split
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.training.dataset import Dataset, period, read_dataset
from handrail.training.encoding import Encoding, learn_encoding
from handrail.training.known_outcomes import due_before, known_on

if TYPE_CHECKING:
    from handrail.project import Project


@dataclass(frozen=True)
class Period:
    """What it is for, its first day (None: there is no earlier period), and the first day after it."""

    name: str
    start: date | None
    end: date


@dataclass(frozen=True)
class Splits:
    """The rows of the three periods, in time order, and the encoding learnt from the first."""

    encoding: Encoding
    training: Dataset
    validation: Dataset
    test: Dataset


def periods(split: Split) -> tuple[Period, Period, Period]:
    """Return the periods of training, validation and test."""
    return (
        Period("training", None, split.validation_from),
        Period("validation", split.validation_from, split.test_from),
        Period("test", split.test_from, split.live_from),
    )


def read_splits(
    connection: Connection,
    settings: Settings,
    table: str,
    split: Split,
    baseline_by: str,
    encoding: Encoding | None = None,
) -> Splits:
    """Read the training, validation and test rows of the FROM item `table`.

    The model sees nothing later than the first. They are encoded by `encoding`, or by what is learnt of the
    first. Raises ProjectError where a period has no two different outcomes, or a feature no value in it.
    """
    encoding = encoding or _learnt(connection, settings.project, table, split)
    return Splits(encoding, *_read(connection, settings, table, baseline_by, encoding, periods(split)))


def read_before_test(
    connection: Connection, settings: Settings, table: str, split: Split, baseline_by: str
) -> tuple[Encoding, Dataset, Dataset]:
    """Read the training and validation rows of `table` only; no query asks for a later one."""
    encoding, before_test = _learnt(connection, settings.project, table, split), periods(split)[:2]
    training, validation = _read(connection, settings, table, baseline_by, encoding, before_test)
    return encoding, training, validation


def _learnt(connection: Connection, project: "Project", table: str, split: Split) -> Encoding:
    return learn_encoding(connection, rows_between(project, table, None, split.validation_from), project)


def _read(
    connection: Connection,
    settings: Settings,
    table: str,
    baseline_by: str,
    encoding: Encoding,
    chosen: Sequence[Period],
) -> list[Dataset]:
    found = [
        read_dataset(
            connection, rows_known(settings, table, each.start, each.end), settings, encoding, baseline_by
        )
        for each in chosen
    ]
    problems = [
        _too_few(connection, settings, table, each, data)
        for each, data in zip(chosen, found, strict=True)
        if not len(data) or data.target.min() == data.target.max()
    ]
    if problems:
        raise ProjectError(problems)
    missing = np.isnan(found[0].features)
    empty = [name for place, name in enumerate(encoding.features) if missing[:, place].all()]
    if empty:
        raise ProjectError(
            f"{chosen[0].name} period: no value in {', '.join(empty)}: nothing can be learnt of that; bring "
            "values in, or give it another role in contract.py"
        )
    return found


def _too_few(connection: Connection, settings: Settings, table: str, one: Period, data: Dataset) -> str:
    """Return why a period can't be used, and what to change: its days, where outcomes come late."""
    outcomes = f"{len(np.unique(data.target))} different outcomes"
    inside = rows_between(settings.project, table, one.start, one.end)
    count = row(connection, f"SELECT count(*) AS n FROM {inside}")["n"]
    days = settings.outcome.known_after_days
    if count == len(data) or not days:
        return (
            f"{one.name} period: {len(data)} rows with {outcomes} before {one.end}; see split in project.yaml"
        )
    begins = due_before(settings, one.end)
    return (
        f"{one.name} period: of its {count:,} rows before {one.end}, {len(data):,} had a known outcome by "
        f"then ({outcomes}), as it takes {days} days; let it begin well before {begins}, or end later: see "
        "split and outcome.known_after_days in project.yaml"
    )


def rows_between(project: "Project", table: str, start: date | None, end: date | None) -> str:
    """Return the FROM item for the rows of `table` from `start` on and before `end`."""
    return f"(SELECT * FROM {table} WHERE {period(project.contract, start, end)})"


def rows_known(settings: Settings, table: str, start: date | None, end: date, on: date | None = None) -> str:
    """Return the same for those whose outcome was known when the day `on`, by default `end`, began."""
    inside = period(settings.project.contract, start, end)
    return f"(SELECT * FROM {table} WHERE {inside} AND {known_on(settings, on or end)})"
