"""What any project must hold: the library's checks of all its parts, each under its own name.

They presume nothing of what this one is about. What they run, they run small, in a temporary workspace.
"""

from handrail.testing import parametrize_with_checks

from . import project


@parametrize_with_checks(project)
def test_project(check):
    check()
