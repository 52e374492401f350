"""Records made up from the rules of a contract: good ones, and one for each rule to break."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import count as counted
from itertools import islice, zip_longest
from math import ceil, floor, inf, nan
from typing import Any

from pydantic import TypeAdapter, ValidationError

from handrail.contract.gaps import unsaid
from handrail.contract.schema import Column, Record, Role, columns
from handrail.errors import ProjectError

DIGITS, LETTERS = "0123456789", ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
MOST_TRIES = 100_000
# Texts of which a pattern, or a list of names, refuses one or the other.
STRANGE = ("?", "", " ", "0", "a", "A", "\n", "never seen before " * 20)


@dataclass(frozen=True)
class BrokenRecord:
    """A record that breaks one rule: in which column, how (`missing`, `below 0`), and the whole of it."""

    column: str
    rule: str
    record: dict[str, Any]


def made_up_records(contract: type[Record], count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return `count` records that keep `contract`, no key twice; the same ones for the same seed.

    Raises ProjectError that names every column of which the contract says too little.
    """
    missing = [f"contract.py: {c.name} needs {lack}" for c in columns(contract) if (lack := unsaid(c))]
    if missing:
        raise ProjectError(missing)
    rng = _random(seed)
    keys = {c.name: _keys(contract, c, count) for c in columns(contract) if c.role is Role.KEY}
    return [
        {
            c.name: keys[c.name][number] if c.name in keys else _value(c, number, rng)
            for c in columns(contract)
        }
        for number in range(count)
    ]


def records_at_ends(contract: type[Record], count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return made-up records whose amounts all lie at one end of what the contract allows, or are missing."""
    rng = _random(seed)
    amounts = [c for c in columns(contract) if c.kind in (int, float) and c.role is not Role.KEY]
    return [
        record | {c.name: None if c.nullable and rng.random() < 0.1 else _end(c, rng) for c in amounts}
        for record in made_up_records(contract, count, seed)
    ]


def broken_records(contract: type[Record]) -> Iterator[BrokenRecord]:
    """Yield a made-up record for each rule of `contract` that breaks this rule only."""
    bad = [(column, *each) for column in columns(contract) for each in _broken_values(contract, column)]
    records = made_up_records(contract, len(bad))
    for (column, rule, value), record in zip(bad, records, strict=True):
        yield BrokenRecord(column.name, rule, record | {column.name: value})


def _random(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 (nothing is kept secret by it)


def _end(column: Column, rng: random.Random) -> float:
    """Return one of the two ends of what an amount may be."""
    low, high = (column.ge or 0, column.le or 0)
    if column.kind is int:
        low, high = ceil(low), floor(high)
    return rng.choice([low, high])


def _value(column: Column, number: int, rng: random.Random) -> Any:
    """Return a value for the record of this number."""
    if column.kind is datetime:
        return column.examples[0] + timedelta(hours=number)
    if column.kind is str:
        return rng.choice(column.choices or column.examples)
    low, high = column.ge or 0, column.le or 0
    if column.role is Role.KEY:
        return ceil(low) + number
    return rng.randint(ceil(low), floor(high)) if column.kind is int else rng.uniform(low, high)


def _keys(contract: type[Record], column: Column, count: int) -> list[Any]:
    """Return `count` different keys; texts are like the first example, and keep the column's rules."""
    if column.kind is not str:
        return [_value(column, number, _random(0)) for number in range(count)]
    example = str((column.examples or column.choices)[0])
    keys: dict[str, None] = {}
    for text in islice(_texts_like(example), MOST_TRIES):
        if len(keys) == count:
            break
        if _keeps(contract, column, text):
            keys[text] = None
    if len(keys) < count:
        raise ProjectError(
            f"contract.py: {column.name}: only {len(keys)} keys like its example keep its rules; give "
            "another one, in which more digits or letters may change"
        )
    return list(keys)


def _texts_like(example: str) -> Iterator[str]:
    """Yield texts like the example, which is the first.

    Its digits are counted up; when they are used up, its last number grows, and its letters change, in turns.
    """
    places = list(reversed(range(len(example))))
    digits = [place for place in places if example[place] in DIGITS]
    letters = [place for place in places if any(example[place] in kind for kind in LETTERS)]
    yield from _counted_up(example, digits)
    for pair in zip_longest(_with_longer_numbers(example), _counted_up(example, letters + digits)):
        yield from (text for text in pair if text is not None)


def _counted_up(example: str, places: Sequence[int]) -> Iterator[str]:
    """Yield the example with all combinations of characters of their kinds at `places`, the first fastest."""
    for number in counted():
        text, left = list(example), number
        for place in places:
            (kind,) = [kind for kind in (DIGITS, *LETTERS) if example[place] in kind]
            text[place] = kind[(kind.index(example[place]) + left) % len(kind)]
            left //= len(kind)
        if left:
            return
        yield "".join(text)


def _with_longer_numbers(example: str) -> Iterator[str]:
    """Yield the example with ever greater numbers in place of its last one, each longer than that."""
    parts = re.split("([0-9]+)", example)
    *before, number, after = parts if len(parts) > 1 else (example, "", "")
    for longer in counted(10 ** len(number)):
        yield f"{''.join(before)}{longer}{after}"


def _broken_values(contract: type[Record], column: Column) -> Iterator[tuple[str, Any]]:
    """Yield each rule that a column has, and a value that breaks it."""
    if not column.nullable:
        yield "missing", None
    if column.ge is not None:
        yield f"below {column.ge:.15g}", _beyond(column, column.ge, -1)
    if column.le is not None:
        yield f"above {column.le:.15g}", _beyond(column, column.le, 1)
    if column.kind is int and not column.holds_64_bits:
        yield "beyond 64 bits", -(2.0**64) if column.ge is None else 2.0**64
    if column.kind is int:
        yield "not a whole number", (column.le or 0) - 0.5
    if column.kind is float:
        yield "not a number", nan
        yield "not a number", inf
    if column.max_length is not None:
        yield f"longer than {column.max_length} characters", "x" * (column.max_length + 1)
    if column.pattern or column.choices:
        strange = [text for text in STRANGE if not _keeps(contract, column, text)]
        rule = f"not like {column.pattern}" if column.pattern else f"not one of {', '.join(column.choices)}"
        yield from ((rule, text) for text in strange[:1])  # a pattern may be one that any text is like


def _beyond(column: Column, end: float, direction: int) -> float:
    """Return a value beyond an end of the range, of the column's kind."""
    step = direction * max(1.0, abs(end) / 1000)
    if column.kind is int:
        return (ceil(end) if direction < 0 else floor(end)) + int(step)
    return end + step


def _keeps(contract: type[Record], column: Column, value: Any) -> bool:
    """Tell whether a single column of a record may have `value`."""
    try:
        _alone(contract, column.name).validate_python(value)
    except ValidationError:
        return False
    return True


@cache
def _alone(contract: type[Record], name: str) -> TypeAdapter[Any]:
    """Return what checks a single value of a column."""
    return TypeAdapter(contract.model_fields[name].rebuild_annotation())
