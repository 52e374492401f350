"""What is known only once the plane has left or landed is never shown to those who label."""

import pytest
import yaml

from handrail import errors
from handrail.labelling import task
from tests.engine.labelling.asked import run
from tests.engine.support.evidence import write
from tests.engine.support.example import example
from tests.engine.support.workspaces import copied
from tests.lanes import slow_but

BROUGHT = example(also="labelling").root


def export(settings, folder, channel, **items):
    """Ask about the planes by their tail numbers, and write the forms."""
    asked = yaml.safe_load((BROUGHT / task.FILE).read_text(encoding="utf-8"))
    asked["items"] |= {"table": "flights", "column": "tailnum", **items}
    write(folder, task.FILE, yaml.safe_dump(asked))
    run(settings.model_copy(update={"root": folder}), channel)


@pytest.mark.parametrize(
    ("problem", "column", "role"),
    [
        ("trained", "arr_delay", "target"),
        ("trained", "dep_delay", "target"),  # what never left was cancelled
        ("trained_amounts", "arr_delay", "target"),
        ("trained_amounts", "dep_delay", "forbidden"),
    ],
)
@pytest.mark.parametrize("channel", slow_but({"team"}, ["team", "mturk", "clickworker"]))
def test_a_delay_is_never_exported(request, problem, tmp_path, column, role, channel):
    settings = request.getfixturevalue(problem)
    with pytest.raises(errors.ProjectError) as refused:
        export(settings, tmp_path, channel, show=["dest", column])
    assert f"items.show: {column} must not be shown: contract.py makes " in str(refused.value)
    assert f" of it, whose role is {role}; take it out" in str(refused.value)
    assert not (settings.workspace / "data" / "labels" / channel).exists()


@pytest.mark.parametrize("problem", ["trained", "trained_amounts"])
def test_what_is_known_beforehand_may_be_shown(request, problem, tmp_path):
    settings = copied(request.getfixturevalue(problem), tmp_path)
    export(settings, tmp_path, "mturk", show=["dest"], number=20)
    written = settings.workspace / "data" / "labels" / "mturk" / "input.csv"
    header, *rows = written.read_text(encoding="utf-8").splitlines()
    assert (header, len(rows)) == ("task,item,dest", 20)
