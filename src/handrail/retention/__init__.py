"""How long data is kept, where it goes then, and how what is kept of one key is deleted."""

from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.retention.erasure import erase, find_traces
    from handrail.retention.retirement import archive, purge, to_archive, to_purge

__all__ = ["archive", "erase", "find_traces", "purge", "to_archive", "to_purge"]

__getattr__ = lazy_names(
    __name__,
    {
        "archive": "retirement",
        "erase": "erasure",
        "find_traces": "erasure",
        "purge": "retirement",
        "to_archive": "retirement",
        "to_purge": "retirement",
    },
)
