"""What is known only once a plane has left or landed is never shown to those who label."""

from handrail.compute import connect
from handrail.labelling import forbidden_columns
from handrail.testing import small_run

from . import project


def test_delays_must_not_be_shown():
    with connect(small_run(project).settings) as connection:
        hidden = forbidden_columns(connection, project)
    assert {"arr_delay", "dep_delay"} <= set(hidden)
    assert "dest" not in hidden
