"""What a contract leaves unsaid of a column, so that any value passes or none can be made up."""

from datetime import datetime

from handrail.contract.schema import Column, Record, Role, columns


def gaps(contract: type[Record]) -> list[str]:
    """Return a sentence for each column of which the contract says too little; none where it says enough.

    Nothing that is loaded depends on it, but the checks of the project's tests and the score of readiness do.
    """
    found = [(column.name, needed) for column in columns(contract) for needed in _needed(column)]
    return [f"contract.py: {name} needs {needed}" for name, needed in found]


def unsaid(column: Column) -> str | None:
    """Return what the contract would have to say of a column for a value to be made up, if anything."""
    if column.kind in (str, datetime):
        return None if column.choices or column.examples else "examples"
    return "both ge and le" if None in (column.ge, column.le) else None


def _needed(column: Column) -> list[str]:
    names_anything = column.role is Role.FEATURE and column.categorical
    unbounded = names_anything and not (column.pattern or column.choices)
    found = (unsaid(column), "a pattern, or a Literal of names: any text passes" if unbounded else None)
    return [needed for needed in found if needed]
