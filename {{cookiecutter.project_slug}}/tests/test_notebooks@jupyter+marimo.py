"""Every notebook runs from top to bottom, on few rows, changes nothing, and is committed without outputs."""

import pytest
from handrail.testing import cells_with_outputs, notebooks_of, run_notebook

from . import ROOT, project

NOTEBOOKS = notebooks_of(ROOT / "2-research" / "notebooks")
# What those of the example say, and how many pictures they draw.
PICTURES = 2 if project.time else 1  # of the first look, whose months need a time
SHOWN = {"first_look": (f" {project.table_name}", PICTURES), "experiment": ("measured by ", 1)}


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_changes_nothing(path):
    found = run_notebook(project, path)
    said, pictures = SHOWN.get(path.stem, ("", found.pictures))
    assert said in found.said
    assert found.pictures == pictures
    assert found.changed == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path):
    assert cells_with_outputs(path) == []
