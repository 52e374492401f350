"""The tests of features and data."""

from .expectations import expectations
from .rows import Row

ROWS = (
    Row(
        "feature expectations are in a schema",
        "the contract is checked on the live table, and each of its rules is broken once on purpose",
        expectations,
    ),
)
