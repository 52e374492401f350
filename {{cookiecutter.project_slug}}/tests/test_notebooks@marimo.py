"""Every notebook runs from top to bottom, on few rows, and changes nothing."""

import runpy
from pathlib import Path

import duckdb
import pytest
from matplotlib.figure import Figure

from {{ cookiecutter.__package }} import contract, settings
from {{ cookiecutter.__package }}.etl import load

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "2-research" / "notebooks").glob("*.py"))
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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_from_top_to_bottom_and_changes_nothing(path, few_rows, capsys):
    outputs, _ = runpy.run_path(str(path))["app"].run()
    assert SAID.get(path.stem, "") in capsys.readouterr().out
    assert sum(isinstance(output, Figure) for output in outputs) == PICTURES.get(path.stem, 0)
    files = [file.relative_to(few_rows).as_posix() for file in few_rows.rglob("*") if file.is_file()]
    assert files == [f"data/{contract.TABLE}.parquet"]
