"""Values that a model has not met: those that are missing, and those beyond what it knows."""

from collections.abc import Mapping, Sequence
from typing import Any

from handrail.compute.duckdb import Connection, identifier, row
from handrail.registry.drift_reference import Bins

MOST = 0.5  # of the values of an amount that has few, from which on others are new
BEYOND = 0.1  # of the range of an amount, by which a value is beyond it


def missing_shares(connection: Connection, source: str, bins: Sequence[Bins]) -> dict[str, float]:
    """Return the share of the rows of a FROM item, which has some, in which each column is missing."""
    counted = ", ".join(f"count_if({identifier(item.column)} IS NULL) AS n{n}" for n, item in enumerate(bins))
    found = row(connection, f"SELECT count(*) AS n, {counted or '0'} FROM {source}")
    return {item.column: found[f"n{number}"] / found["n"] for number, item in enumerate(bins)}


def usual_missing(reference: Mapping[str, Any]) -> float:
    """Return the share of the values that were missing in the training or the test rows, the greater of both.

    reference: what a version keeps of a column
    """
    return max(each[-1] for each in (reference["shares"], reference.get("recent")) if each)


def is_beyond(name: str, reference: Mapping[str, Any]) -> str:
    """Return the SQL condition for values of an amount beyond its known range, by more than a tenth of it.

    reference: what a version keeps of the column; of one without a range, none is beyond
    """
    if "range" not in reference:
        return "FALSE"
    low, high = reference["range"]
    more, column = BEYOND * (high - low), identifier(name)
    return f"{column} < {low - more!r} OR {column} > {high + more!r}"


def shares_beyond(
    connection: Connection, source: str, bins: Sequence[Bins], reference: Mapping[str, Mapping[str, Any]]
) -> dict[str, float]:
    """Return the share of the rows of a FROM item in which each amount lies beyond its known range.

    Where an amount has few values, and most are none of them, it is the share of those: so a column changes
    whose unit does, and not one that reaches a little further in another season.
    reference: what a version keeps of each column; `range` and, where they are few, `values`
    """
    counted = {}
    for name in [item.column for item in bins if "range" in reference[item.column]]:
        counted[name, False] = is_beyond(name, reference[name])
        if "values" in reference[name]:
            # As 32 bits: an amount that went through a file or a request may have lost its last digits.
            known = ", ".join(f"CAST({value!r} AS FLOAT)" for value in reference[name]["values"])
            counted[name, True] = f"CAST({identifier(name)} AS FLOAT) NOT IN ({known})"
    conditions = enumerate(counted.values())
    columns = "".join(f", count(*) FILTER (WHERE {other}) AS n{number}" for number, other in conditions)
    found = row(connection, f"SELECT count(*) AS n{columns} FROM {source}")
    beyond: dict[str, float] = {}
    for number, (name, of_few) in enumerate(counted):
        share = found[f"n{number}"] / found["n"]
        if not of_few or share > MOST:
            beyond[name] = max(share, beyond.get(name, 0.0))
    return beyond
