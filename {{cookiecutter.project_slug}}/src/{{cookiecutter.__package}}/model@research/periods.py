"""The three periods of the table, in time order: to learn from, to decide on, to measure on."""

from dataclasses import dataclass
from datetime import date

from ..contract import CONTRACT
from ..engine import Connection
from ..errors import ProjectError
from ..sections import Split
from .features import Dataset, Encoding, learn_encoding, period, read_dataset


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
    learning = rows_between(table, None, split.validation_from)
    encoding = encoding or learn_encoding(connection, learning, CONTRACT)
    bounds = {
        "training": (None, split.validation_from),
        "validation": (split.validation_from, split.test_from),
        "test": (split.test_from, split.live_from),
    }
    found = {
        name: read_dataset(connection, rows_between(table, *dates), CONTRACT, encoding, baseline_by)
        for name, dates in bounds.items()
    }
    problems = [
        f"{name} period: {len(data)} rows with {len(set(data.target.tolist()))} different outcomes before "
        f"{bounds[name][1]}; see split in project.yaml"
        for name, data in found.items()
        if len(set(data.target[:100_000].tolist())) < 2
    ]
    if problems:
        raise ProjectError(problems)
    return Periods(encoding, *found.values())


def rows_between(table: str, start: date | None, end: date | None) -> str:
    """Return the FROM item for the rows of `table` from `start` on and before `end`."""
    return f"(SELECT * FROM {table} WHERE {period(CONTRACT, start, end)})"
