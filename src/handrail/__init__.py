"""Handrail: what every data-science project needs in the same form.

A project makes one `Project` and calls the library; the packages here are its parts.
"""

import os
from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.errors import ProjectError
    from handrail.project import Project

# onnxruntime reads it when it is imported, by whomever: without it, a session looks up its maker's host and
# leaves a number of this machine in the user's folder.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__all__ = ["Project", "ProjectError"]

__getattr__ = lazy_names(
    __name__,
    {
        "Project": "project",
        "ProjectError": "errors",
    },
)
