"""Every notebook runs from top to bottom, on few rows, changes nothing, and is committed without outputs."""

import json

import nbformat
import pytest
from nbclient import NotebookClient

from .notebook_runs import FOLDER, ROOT, check_run, use_few_rows


def of_notebooks(test):
    """Run a test on each notebook."""
    return pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)(test)


@pytest.mark.slow
@of_notebooks
def test_runs_from_top_to_bottom_and_changes_nothing(path, trained, tmp_path, monkeypatch):
    workspace = use_few_rows(trained, tmp_path, monkeypatch)
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": ROOT}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    said = "".join(output.get("text", "") for output in outputs)
    check_run(path, said, sum("image/png" in output.get("data", {}) for output in outputs), workspace)


@of_notebooks
def test_is_committed_without_outputs(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    nbformat.validate(content, version=4, version_minor=5)
    made = [cell["id"] for cell in content["cells"] if cell.get("outputs") or cell.get("execution_count")]
    assert made == [], f"{path.name}: clear the outputs of these cells"
