"""The data dictionary: the contract as a page for people."""

from handrail.contract.schema import MAXIMUM_LENGTH, Column, Record, columns
from handrail.contract.times import UTC_ZONE


def data_dictionary(contract: type[Record]) -> str:
    """Return a Markdown page with one row per column of `contract`: meaning, unit, rules, role."""
    record = " ".join((contract.__doc__ or "").split())
    lines = [
        "# Data dictionary",
        "",
        f"{record} Written by `etl` from `contract.py`: change it there.".strip(),
        "",
        "| column | meaning | type | unit | rules | may be empty | role |",
        "|---|---|---|---|---|---|---|",
        *(_row(column) for column in columns(contract)),
    ]
    return "\n".join(lines) + "\n"


def _row(column: Column) -> str:
    kind = "name" if column.categorical else {int: "whole number", float: "number"}.get(column.kind, "time")
    empty = "yes" if column.nullable else "no"
    unit = "UTC" if column.zone == UTC_ZONE else column.unit
    role = column.role.value if column.drift else f"{column.role.value}, not watched for drift"
    cells = (column.description, kind, unit, _rules(column), empty, role)
    return " | ".join([f"| `{column.name}`", *(cell.replace("|", "\\|") for cell in cells)]) + " |"


def _rules(column: Column) -> str:
    if column.choices:
        return ", ".join(column.choices)
    if column.pattern:
        return f"like `{column.pattern}`"
    if column.max_length not in (None, MAXIMUM_LENGTH):
        return f"at most {column.max_length} characters"
    if column.ge is not None and column.le is not None:
        return f"{column.ge:.15g} to {column.le:.15g}"
    if column.ge is not None:
        return f"at least {column.ge:.15g}"
    return "" if column.le is None else f"at most {column.le:.15g}"
