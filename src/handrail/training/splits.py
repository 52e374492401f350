"""The three periods of the table: to learn from, to decide on, to measure on.

By time they follow one another, and each holds the rows whose outcome was known when it was over: what
came to light later may not be learnt from or decided on by a model of that day. By chance, each row or each
subject is drawn into one of them by a hash of its own, so that it never moves: rows of one person in two of
them would let a model pass that only knows her again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from handrail.compute.duckdb import Connection, identifier, row
from handrail.config.sections import Shares, Split
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.training.dataset import Dataset, period, read_dataset
from handrail.training.encoding import Encoding, learn_encoding
from handrail.training.known_outcomes import DAY, comes_late, known_on, today_of, told_until


@dataclass(frozen=True)
class Period:
    """A part of the rows, by time or by chance.

    name: what it is for · start, end: its first day (None: there is no earlier period), and the first after
    it; both None where chance parts the rows · shares: then, between which shares of all draws it lies
    """

    name: str
    start: date | None = None
    end: date | None = None
    shares: tuple[float, float] | None = None


@dataclass(frozen=True)
class Splits:
    """The rows of the three periods, in time order, and the encoding learnt from the first."""

    encoding: Encoding
    training: Dataset
    validation: Dataset
    test: Dataset


def split_of(record: Mapping[str, Any]) -> Split | Shares:
    """Return the split that the record of a version tells of."""
    return Shares.model_validate(record) if "by" in record else Split.model_validate(record)


def periods(split: Split | Shares) -> tuple[Period, Period, Period]:
    """Return what is for training, validation and test."""
    if isinstance(split, Shares):
        tested = split.test_share
        decided = tested + split.validation_share
        return (
            Period("training", shares=(decided, 1.0)),
            Period("validation", shares=(tested, decided)),
            Period("test", shares=(0.0, tested)),
        )
    return (
        Period("training", None, split.validation_from),
        Period("validation", split.validation_from, split.test_from),
        Period("test", split.test_from, split.live_from),
    )


def inside(settings: Settings, split: Split | Shares, one: Period) -> str:
    """Return the SQL condition for the rows of a period, whether or not their outcome is known.

    Forecasts belong to it if they were made from its first day on: earlier ones are not those of a model that
    has learnt until then.
    """
    if isinstance(split, Shares):
        return _drawn_between(_unit(settings, split), one.shares or (0.0, 1.0))
    if settings.project.time is None:
        raise ProjectError(
            "project.yaml: split: days part the rows, and no column of contract.py has the role TIME; write "
            "by: random or by: subject below split, with validation_share and test_share"
        )
    begun = period(settings.project.contract, one.start, None, settings.project.made)
    over = period(settings.project.contract, None, one.end)
    return f"{begun} AND {over}"


def known(connection: Connection, settings: Settings, table: str, split: Split | Shares, one: Period) -> str:
    """Return the same for those whose outcome was known when the period was over; by chance, is known."""
    day = one.end or (today_of(settings) + DAY if comes_late(settings) else None)
    there = f"{identifier(settings.project.target)} IS NOT NULL"
    outcome = known_on(connection, settings, table, day) if day else there
    return f"{inside(settings, split, one)} AND {outcome}"


def the_period(split: Mapping[str, Any], name: str) -> str:
    """Return what a part of the rows is called: a period where time parts them, a part where chance does."""
    return f"the {name} {'part' if 'by' in split else 'period'}"


def told_by(split: Mapping[str, Any], name: str, unknown: Mapping[str, int] | None = None) -> str:
    """Say which rows a period has, behind their number, by the record of a split and the period's name.

    As "from 2013-07-01 on and before 2013-09-01", or "drawn by chance, 20% of all". With `unknown`, how many
    rows each period had besides, of which the outcome was not known, it says that these are left out.
    """
    left = (unknown or {}).get(name, 0)
    known = "is not known" if "by" in split else "was not known then"
    without = f", without {left:,} whose outcome {known}" if left else ""
    return f"{_told(split, name)}{without}"


def _told(split: Mapping[str, Any], name: str) -> str:
    if "by" in split:
        chosen = next(each for each in periods(Shares.model_validate(split)) if each.name == name)
        low, high = chosen.shares or (0.0, 1.0)
        return f"drawn by chance, {high - low:.0%} of all{' subjects' if split['by'] == 'subject' else ''}"
    start, end = {
        "training": (None, split["validation_from"]),
        "validation": (split["validation_from"], split["test_from"]),
        "test": (split["test_from"], split["live_from"]),
    }[name]
    return f"from {start} on and before {end}" if start else f"before {end}"


def _unit(settings: Settings, split: Shares) -> str:
    """Return the SQL expression of what is drawn; raises ProjectError where the contract has no subject.

    Rows that nothing tells apart are drawn together: in two parts, one would be known from the other.
    """
    project = settings.project
    if split.by == "random":
        return project.shared_key
    if project.subject is None:
        raise ProjectError(
            "project.yaml: split.by: subject: no column of contract.py has the role SUBJECT; name the one "
            "that says whom or what a row is about, or take by: random"
        )
    return f"CAST({identifier(project.subject)} AS VARCHAR)"


def draw(unit: str) -> str:
    """Return the SQL expression of the draw that decides on the part of a row: eight digits of a hash.

    Rows with the same value of the expression `unit`, a text, are drawn together, always in the same way.
    """
    return f"substr(md5(coalesce({unit}, '') || 'split'), 1, 8)"


def _drawn_between(unit: str, shares: tuple[float, float]) -> str:
    low, high = (round(share * 16**8) for share in shares)
    bounds = [f"{draw(unit)} >= '{low:08x}'"] if low else []
    bounds += [f"{draw(unit)} < '{high:08x}'"] if high < 16**8 else []
    return " AND ".join(bounds) or "TRUE"


def read_splits(
    connection: Connection,
    settings: Settings,
    table: str,
    split: Split | Shares,
    baseline_by: str,
    encoding: Encoding | None = None,
) -> Splits:
    """Read the training, validation and test rows of the FROM item `table`.

    The model sees nothing later than the first. They are encoded by `encoding`, or by what is learnt of the
    first. Raises ProjectError where a period has no two different outcomes, or a feature no value in it.
    """
    encoding = encoding or _learnt(connection, settings, table, split)
    return Splits(encoding, *_read(connection, settings, table, split, baseline_by, encoding, periods(split)))


def read_before_test(
    connection: Connection, settings: Settings, table: str, split: Split | Shares, baseline_by: str
) -> tuple[Encoding, Dataset, Dataset]:
    """Read the training and validation rows of `table` only; no query asks for a later one."""
    encoding, before_test = _learnt(connection, settings, table, split), periods(split)[:2]
    training, validation = _read(connection, settings, table, split, baseline_by, encoding, before_test)
    return encoding, training, validation


def _learnt(connection: Connection, settings: Settings, table: str, split: Split | Shares) -> Encoding:
    training = rows_in(settings, table, split, periods(split)[0])
    return learn_encoding(connection, training, settings.project)


def _read(
    connection: Connection,
    settings: Settings,
    table: str,
    split: Split | Shares,
    baseline_by: str,
    encoding: Encoding,
    chosen: Sequence[Period],
) -> list[Dataset]:
    order = in_order(settings, split)
    found = [
        read_dataset(
            connection,
            rows_of(connection, settings, table, split, each),
            settings,
            encoding,
            baseline_by,
            order,
        )
        for each in chosen
    ]
    problems = [
        _too_few(connection, settings, table, split, each, data)
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


def in_order(settings: Settings, split: Split | Shares) -> str:
    """Return the SQL of the order of the rows of a period: in time, or as drawn, so that any part is, too."""
    if isinstance(split, Shares):
        return f"{draw(_unit(settings, split))}, {identifier(settings.project.key)}"
    return ", ".join(map(identifier, settings.project.ordered_by))


def _too_few(
    connection: Connection,
    settings: Settings,
    table: str,
    split: Split | Shares,
    one: Period,
    data: Dataset,
) -> str:
    """Return why a period can't be used, and what to change: its days, where outcomes come late."""
    outcomes = f"{len(np.unique(data.target))} different outcomes"
    if one.end is None:
        part = told_by(split.model_dump(mode="json"), one.name)
        return f"{one.name} part: {len(data):,} rows with {outcomes} {part}; see split in project.yaml"
    every = rows_in(settings, table, split, one)
    count = row(connection, f"SELECT count(*) AS n FROM {every}")["n"]
    if count == len(data) or not comes_late(settings):
        return (
            f"{one.name} period: {len(data)} rows with {outcomes} before {one.end}; see split in project.yaml"
        )
    newest = f"SELECT CAST(max({identifier(settings.project.time or '')}) AS DATE) AS day FROM {table}"
    day = row(connection, f"{newest} WHERE {known_on(connection, settings, table, one.end)}")["day"]
    days = settings.outcome.known_after_days
    takes = f", as it takes {days} days" if days else ""
    half = told_until(connection, settings, table, one.end)
    if half:
        takes += f" and those of rows from {half} on are known only where they are the same"
    begin = (
        f"let it begin on {day} or before, as no later row's was known, or" if one.start and day else "let it"
    )
    return (
        f"{one.name} period: of its {count:,} rows before {one.end}, {len(data):,} had a known outcome by "
        f"then ({outcomes}){takes}; {begin} end later: see split and outcome.known_after_days in project.yaml"
    )


def rows_in(settings: Settings, table: str, split: Split | Shares, one: Period) -> str:
    """Return the FROM item for the rows of `table` in a period."""
    return f"(SELECT * FROM {table} WHERE {inside(settings, split, one)})"


def rows_of(
    connection: Connection, settings: Settings, table: str, split: Split | Shares, one: Period
) -> str:
    """Return the same for those whose outcome was known when the period was over."""
    return f"(SELECT * FROM {table} WHERE {known(connection, settings, table, split, one)})"


def unknown_outcomes(
    connection: Connection, settings: Settings, table: str, split: Split | Shares
) -> dict[str, int]:
    """Return how many rows of each period are left out, as their outcome was not known when it was over."""
    counted = ", ".join(
        f"count(*) FILTER (({inside(settings, split, each)}) AND NOT coalesce("
        f"{known(connection, settings, table, split, each)}, FALSE)) AS {each.name}"
        for each in periods(split)
    )
    return row(connection, f"SELECT {counted} FROM {table}")


def half_told_periods(connection: Connection, settings: Settings, table: str, split: Split) -> list[str]:
    """Say of which periods the newest outcomes were half told, and from which row on they are left out."""
    found = {
        each.name: told_until(connection, settings, table, each.end) for each in periods(split) if each.end
    }
    return [
        f"{name} period: outcomes of rows from {day} on were known only where they were the same, and not "
        "known else: all these rows are left out. Leave an outcome empty in transform.sql until it can be "
        "told of every row of that day"
        for name, day in found.items()
        if day
    ]
