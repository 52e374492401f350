"""Records that nobody has seen, made up from the contract."""

import random
import re
from datetime import datetime, timedelta

from handrail.contract.schema import Role, columns
from handrail.errors import ProjectError


def records(contract, count, seed=0):
    """Return `count` records that keep every rule of `contract`, the same ones for the same seed.

    Raises ProjectError that names every column of which the contract says too little.
    """
    missing = [f"contract.py: {c.name} needs {lack}" for c in columns(contract) if (lack := unsaid(c))]
    if missing:
        raise ProjectError(missing)
    rng = random.Random(seed)
    return [{c.name: a_value(c, number, rng) for c in columns(contract)} for number in range(count)]


def unsaid(column):
    """Return what the contract would have to say of a column for a value to be made up, if anything."""
    if column.kind in (str, datetime):
        return None if column.choices or column.examples else "examples"
    return "both ge and le" if None in (column.ge, column.le) else None


def a_value(column, number, rng):
    """Return a value for a record."""
    if column.role is Role.KEY and column.kind is str:
        return re.sub(r"\d+$", lambda digits: f"{number:0{len(digits[0])}}", column.examples[0])
    if column.kind is datetime:
        return column.examples[0] + timedelta(hours=number)
    if column.kind is str:
        return rng.choice(column.choices or column.examples)
    low, high = column.ge, column.le
    if column.role is Role.KEY:
        return int(low) + number
    return rng.randint(int(low), int(high)) if column.kind is int else rng.uniform(low, high)
