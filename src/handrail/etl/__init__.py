"""From the sources to one table that keeps the contract."""

from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.etl.extract import bring_in
    from handrail.etl.load import rejected_path, require_table, table_path
    from handrail.etl.pipeline import EtlResult, run_etl
    from handrail.etl.raw_files import RawRows, RawTable, StoredTable

__all__ = [
    "EtlResult",
    "RawRows",
    "RawTable",
    "StoredTable",
    "bring_in",
    "rejected_path",
    "require_table",
    "run_etl",
    "table_path",
]

__getattr__ = lazy_names(
    __name__,
    {
        "EtlResult": "pipeline",
        "RawRows": "raw_files",
        "RawTable": "raw_files",
        "StoredTable": "raw_files",
        "bring_in": "extract",
        "rejected_path": "load",
        "require_table": "load",
        "run_etl": "pipeline",
        "table_path": "load",
    },
)
