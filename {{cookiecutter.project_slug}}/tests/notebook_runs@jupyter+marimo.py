"""What the tests of the notebooks share: a workspace with few rows, and what each notebook says and shows."""

from pathlib import Path

import duckdb

from {{ cookiecutter.__package }} import contract, settings
from {{ cookiecutter.__package }}.etl import load

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "2-research" / "notebooks"
ROWS = 5000
SAID = {
    "first_look": f"{ROWS:,} {contract.TABLE}",
    "experiment": f"measured by {settings.read_settings(root=ROOT).accuracy.metric}",
}
PICTURES = {"first_look": 2, "experiment": 1}


def use_few_rows(trained, folder, monkeypatch):
    """Make `folder` the workspace, with few rows of the trained one's table, and return it."""
    table = load.table_path(trained, contract.TABLE)
    copy = folder / "data" / table.name
    copy.parent.mkdir()
    duckdb.sql(f"SELECT * FROM '{table}' USING SAMPLE {ROWS} (reservoir, 1)").write_parquet(str(copy))
    monkeypatch.setenv(f"{settings.ENV_PREFIX}WORKSPACE", str(folder))
    return folder


def check_run(path, said, pictures, workspace):
    """Check what a notebook has said and drawn, and that it has left nothing in the workspace."""
    assert SAID.get(path.stem, "") in said
    assert pictures == PICTURES.get(path.stem, 0)
    files = [file.relative_to(workspace).as_posix() for file in workspace.rglob("*") if file.is_file()]
    assert files == [f"data/{contract.TABLE}.parquet"]
