"""Numbers and times that are written as text: read as the contract asks; a text that is none has a reason."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from handrail.compute.duckdb import identifier
from handrail.compute.strict_casts import OFFSET
from handrail.contract.schema import Column, Record, columns
from handrail.contract.table_check import INSTANT, SQL_TYPES, Rule, rules
from handrail.contract.times import UTC_ZONE

TEXT = "VARCHAR"
EXACT_IN_DOUBLE = 2**53


def read_texts(asked: type[Record], present: Mapping[str, str]) -> dict[str, str]:
    """Return the SQL expression that reads each column of `asked` that is there, by its name.

    present: the SQL type of each column. Beside a text that is read as something else stands the text itself,
    by the name `_text_` and that of the column.
    """
    found = {}
    for column in columns(asked):
        if column.name not in present:
            continue
        value = identifier(column.name)
        found[column.name] = value
        if _is_written(column, present):
            found[column.name] = f"TRY_CAST({value} AS {_kind(column)})"
            found[f"_text_{column.name}"] = value
    return found


def rules_of_texts(asked: type[Record], present: Mapping[str, str], read: Mapping[str, str]) -> list[Rule]:
    """Return the rules of `asked` for columns of the types `read`, which were of those `present`.

    A text that can't be read is not missing: it breaks one rule, which says what it is not.
    """
    written = [column for column in columns(asked) if _is_written(column, present)]
    missing = {f"{column.name}: missing": column for column in written}
    found = []
    for rule in rules(asked, read):
        column = missing.get(rule.text)
        found.append(Rule(rule.text, f"{_text(column)} IS NULL") if column else rule)
    return [*found, *(rule for column in written for rule in _rules_of(column))]


def _is_written(column: Column, present: Mapping[str, str]) -> bool:
    return column.kind is not str and present.get(column.name) == TEXT


def _text(column: Column) -> str:
    return identifier(f"_text_{column.name}")


def _kind(column: Column) -> str:
    """Return the type in which a text is read, in which the contract can refuse what is wrong."""
    if column.kind is int:
        ends: Sequence[float | None] = (column.ge, column.le)
        exact = all(end is not None and abs(end) <= EXACT_IN_DOUBLE for end in ends)
        return "DOUBLE" if exact else "DECIMAL(38,18)"
    return INSTANT if column.zone == UTC_ZONE else SQL_TYPES[column.kind]


def _rules_of(column: Column) -> Iterator[Rule]:
    name, value, text = column.name, identifier(column.name), _text(column)
    if column.kind is datetime:
        yield Rule(f"{name}: not a time", f"{text} IS NOT NULL AND {value} IS NULL")
        if column.zone != UTC_ZONE:
            offset = f"regexp_matches(substr(trim({text}), 11), '{OFFSET}|[Zz]')"
            plain = f"length({text}) = 10 OR (length({text}) = 19 AND substr({text}, 17, 1) = ':')"
            said = "has an offset, and local time has none"
            yield Rule(f"{name}: {said}", f"NOT ({plain}) AND {value} IS NOT NULL AND {offset}")
        return
    number = f"TRY_CAST({text} AS DOUBLE)"
    if _kind(column).startswith("DECIMAL"):
        none = f"({number} IS NULL OR isnan({number}) OR isinf({number}))"
        yield Rule(f"{name}: not a number", f"{text} IS NOT NULL AND {none}")
        yield Rule(f"{name}: beyond 64 bits", f"{text} IS NOT NULL AND {value} IS NULL AND NOT {none}")
    else:
        yield Rule(f"{name}: not a number", f"{text} IS NOT NULL AND {number} IS NULL")
