"""What any project must hold, whatever its data, as a list of named checks; and small runs to test on.

A project's tests/test_project.py is one test:

    @parametrize_with_checks(project)
    def test_project(check):
        check()

In the manner of scikit-learn's `parametrize_with_checks`: each check fails under its own name. All of them
follow from the project's contract and its data, and share one small run in a temporary workspace.
"""

from typing import TYPE_CHECKING

from handrail.lazy_imports import lazy_names

if TYPE_CHECKING:
    from handrail.testing.dashboard import dashboard_page
    from handrail.testing.made_up_records import made_up_records
    from handrail.testing.notebooks import NotebookRun, cells_with_outputs, notebooks_of, run_notebook
    from handrail.testing.project_checks import Check, checks_of, parametrize_with_checks
    from handrail.testing.runs import SmallRun, isolated, small_run, whole_run

__all__ = [
    "Check",
    "NotebookRun",
    "SmallRun",
    "cells_with_outputs",
    "checks_of",
    "dashboard_page",
    "isolated",
    "made_up_records",
    "notebooks_of",
    "parametrize_with_checks",
    "run_notebook",
    "small_run",
    "whole_run",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Check": "project_checks",
        "NotebookRun": "notebooks",
        "SmallRun": "runs",
        "cells_with_outputs": "notebooks",
        "checks_of": "project_checks",
        "dashboard_page": "dashboard",
        "isolated": "runs",
        "made_up_records": "made_up_records",
        "notebooks_of": "notebooks",
        "parametrize_with_checks": "project_checks",
        "run_notebook": "notebooks",
        "small_run": "runs",
        "whole_run": "runs",
    },
)
