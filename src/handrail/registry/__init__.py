"""The versions of the model: kept, accepted, live."""

from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.registry.acceptance import objections
    from handrail.registry.canary import end_canary, start_canary
    from handrail.registry.live import load_live, make_live, read_live, roll_back
    from handrail.registry.versions import Version, load_version, newest_version

__all__ = [
    "Version",
    "end_canary",
    "load_live",
    "load_version",
    "make_live",
    "newest_version",
    "objections",
    "read_live",
    "roll_back",
    "start_canary",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Version": "versions",
        "end_canary": "canary",
        "load_live": "live",
        "load_version": "versions",
        "make_live": "live",
        "newest_version": "versions",
        "objections": "acceptance",
        "read_live": "live",
        "roll_back": "live",
        "start_canary": "canary",
    },
)
