"""Notebooks run on few rows in a workspace of their own, and what they change there is told."""

import json
import os

import pytest

from handrail.testing import cells_with_outputs, notebooks_of, run_notebook, small_run
from tests.engine.testing.made_up_projects import made_up_project, write

# As much of marimo as is asked for.
APP = """
import os
from pathlib import Path
from matplotlib.figure import Figure

class App:
    def run(self):
{body}

app = App()
"""


def with_notebook(folder, body):
    """Return a project, and a notebook of it that runs `body`."""
    path = folder / "2-research" / "notebooks" / "look.py"
    write(path, APP.format(body="".join(f"        {line}\n" for line in body)))
    return made_up_project(folder), path


def test_what_a_notebook_says_and_draws_is_told(tmp_path):
    body = (
        "print(sorted(path.name for path in Path(os.environ['MADE_UP_WORKSPACE'], 'data').iterdir()))",
        "print(Path.cwd())",
        "return (Figure(), None, Figure().subplots()), {}",
    )
    project, path = with_notebook(tmp_path, body)
    found = run_notebook(project, path)
    assert found.said.splitlines() == ["['raw', 'rejected', 'visits.parquet']", str(tmp_path)]
    assert (found.pictures, found.changed) == (2, [])
    assert "MADE_UP_WORKSPACE" not in os.environ


def test_what_a_notebook_leaves_behind_is_told(tmp_path):
    body = (
        "Path(os.environ['MADE_UP_WORKSPACE'], 'left.txt').write_text('here')",
        "Path(os.environ['MADE_UP_WORKSPACE'], 'data', 'visits.parquet').unlink()",
        "return (), {}",
    )
    project, path = with_notebook(tmp_path, body)
    assert run_notebook(project, path).changed == ["data/visits.parquet", "left.txt"]
    assert small_run(project).etl.path.is_file()


def test_a_notebook_that_fails_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("MADE_UP_WORKSPACE", "mine")
    project, path = with_notebook(tmp_path, ("raise ValueError('no such column')",))
    monkeypatch.delenv("MADE_UP_WORKSPACE")
    _ = small_run(project).etl
    monkeypatch.setenv("MADE_UP_WORKSPACE", "mine")
    with pytest.raises(ValueError, match="no such column"):
        run_notebook(project, path)
    assert os.environ["MADE_UP_WORKSPACE"] == "mine"


def test_notebooks_are_found_by_name(tmp_path):
    for name in ("b.ipynb", "a.py", "_hidden.py", "notes.md", ".x.ipynb"):
        write(tmp_path / name, "")
    assert [path.name for path in notebooks_of(tmp_path)] == ["a.py", "b.ipynb"]


def test_cells_that_hold_outputs_are_named(tmp_path):
    cells = [
        {"id": "clean", "outputs": [], "execution_count": None},
        {"id": "printed", "outputs": [{"text": "7"}], "execution_count": None},
        {"id": "counted", "outputs": [], "execution_count": 3},
        {"id": "text"},
    ]
    write(tmp_path / "a.ipynb", json.dumps({"cells": cells}))
    write(tmp_path / "a.py", "")
    assert cells_with_outputs(tmp_path / "a.ipynb") == ["printed", "counted"]
    assert cells_with_outputs(tmp_path / "a.py") == []
