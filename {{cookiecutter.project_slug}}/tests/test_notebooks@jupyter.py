"""Every notebook runs from top to bottom, on few rows, changes nothing, and is committed without outputs."""

import json
from pathlib import Path

import duckdb
import nbformat
import pytest
from nbclient import NotebookClient

from {{ cookiecutter.__package }} import contract, settings
from {{ cookiecutter.__package }}.etl import load

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "2-research" / "notebooks").glob("*.ipynb"))
ROWS = 5000
SAID = {
    "first_look": f"{ROWS:,} {contract.TABLE}",
    "experiment": f"measured by {settings.read_settings(root=ROOT).accuracy.metric}",
}
PICTURES = {"first_look": 2, "experiment": 1}


@pytest.fixture
def few_rows(trained, tmp_path, monkeypatch):
    """Return a workspace with few rows, in which the notebooks are going to run."""
    table = load.table_path(trained, contract.TABLE)
    copy = tmp_path / "data" / table.name
    copy.parent.mkdir()
    duckdb.sql(f"SELECT * FROM '{table}' USING SAMPLE {ROWS} (reservoir, 1)").write_parquet(str(copy))
    monkeypatch.setenv(f"{settings.ENV_PREFIX}WORKSPACE", str(tmp_path))
    return tmp_path


def of_notebooks(test):
    """Run a test on each notebook."""
    return pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)(test)


@of_notebooks
def test_runs_from_top_to_bottom_and_changes_nothing(path, few_rows):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": ROOT}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    said = "".join(output.get("text", "") for output in outputs)
    assert SAID.get(path.stem, "") in said
    assert sum("image/png" in output.get("data", {}) for output in outputs) == PICTURES.get(path.stem, 0)
    files = [file.relative_to(few_rows).as_posix() for file in few_rows.rglob("*") if file.is_file()]
    assert files == [f"data/{contract.TABLE}.parquet"]


@of_notebooks
def test_is_committed_without_outputs(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    nbformat.validate(content, version=4, version_minor=5)
    made = [cell["id"] for cell in content["cells"] if cell.get("outputs") or cell.get("execution_count")]
    assert made == [], f"{path.name}: clear the outputs of these cells"
