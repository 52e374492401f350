"""Where the data is processed."""

from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.compute.data_engine import connect_data
    from handrail.compute.duckdb import Connection, connect, row, rows

__all__ = ["Connection", "connect", "connect_data", "row", "rows"]

__getattr__ = lazy_names(
    __name__,
    {
        "Connection": "duckdb",
        "connect": "duckdb",
        "connect_data": "data_engine",
        "row": "duckdb",
        "rows": "duckdb",
    },
)
