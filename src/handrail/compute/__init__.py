"""Where the data is processed."""

from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.compute.duckdb import Connection, connect, row, rows

__all__ = ["Connection", "connect", "row", "rows"]

__getattr__ = lazy_names(
    __name__,
    {
        "Connection": "duckdb",
        "connect": "duckdb",
        "row": "duckdb",
        "rows": "duckdb",
    },
)
