"""Every column of the table, said once; what follows from it."""

from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.contract.schema import (
        Column,
        Record,
        Role,
        column,
        columns,
        of_role,
        one_of_role,
        request_model,
    )

__all__ = ["Column", "Record", "Role", "column", "columns", "of_role", "one_of_role", "request_model"]

__getattr__ = lazy_names(
    __name__,
    {
        "Column": "schema",
        "Record": "schema",
        "Role": "schema",
        "column": "schema",
        "columns": "schema",
        "of_role": "schema",
        "one_of_role": "schema",
        "request_model": "schema",
    },
)
