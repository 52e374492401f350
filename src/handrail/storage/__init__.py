"""Where data lies that is not in the workspace: a bucket, or a folder that several machines share.

The workspace stays a folder of each machine. What is shared is fetched into it and sent out of it by the few
modules that know of it: raw files, the registry of versions, and the log of predictions.
"""

from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.storage.store import ABSENT, ChangedError, Entry, Store, open_store

__all__ = ["ABSENT", "ChangedError", "Entry", "Store", "open_store"]

__getattr__ = lazy_names(
    __name__,
    {
        "ABSENT": "store",
        "ChangedError": "store",
        "Entry": "store",
        "Store": "store",
        "open_store": "store",
    },
)
