"""The facts of a project: `project.yaml` and the environment, typed."""

from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.config.sections import Accuracy, ErrorCosts, Section, Split
    from handrail.config.settings import Settings, read_settings

__all__ = ["Accuracy", "ErrorCosts", "Section", "Settings", "Split", "read_settings"]

__getattr__ = lazy_names(
    __name__,
    {
        "Accuracy": "sections",
        "ErrorCosts": "sections",
        "Section": "sections",
        "Settings": "settings",
        "Split": "sections",
        "read_settings": "settings",
    },
)
