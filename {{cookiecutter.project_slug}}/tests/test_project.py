"""What any project must hold, whatever its data: the library's checks, each under its own name.

They follow from contract and data, and share one small run in a temporary workspace. What is known of the
data for certain stands in test_example.py.
"""

from handrail.testing import parametrize_with_checks

from . import project


@parametrize_with_checks(project)
def test_project(check):
    check()
