"""From a question to labels: ask people, measure how far they agree, settle what is disputed, join."""

from pathlib import Path
from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.labelling.gate import labels_agreed
    from handrail.labelling.leakage import forbidden_columns
    from handrail.labelling.store import read_found

__all__ = ["FOLDER", "forbidden_columns", "is_asked_for", "labels_agreed", "read_found"]

FOLDER = "2-research/labelling"


def is_asked_for(root: Path) -> bool:
    """Return whether the project at `root` asks people for labels: it has the folder for that."""
    return (root / FOLDER).is_dir()


__getattr__ = lazy_names(
    __name__, {"forbidden_columns": "leakage", "labels_agreed": "gate", "read_found": "store"}
)
