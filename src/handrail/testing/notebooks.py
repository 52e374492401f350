"""Runs a notebook from top to bottom on few rows, and tells what it said, drew and changed."""

import io
import json
import os
import runpy
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from handrail.project import Project
from handrail.testing.runs import SmallRun, contents, small_run, working_in

ROWS = 5000
SECONDS = 600


@dataclass(frozen=True)
class NotebookRun:
    """What a notebook printed, how many pictures it showed, and which files of the workspace it changed."""

    said: str
    pictures: int
    changed: list[str]


def notebooks_of(folder: Path) -> list[Path]:
    """Return the notebooks of a folder, Jupyter's and marimo's, by name."""
    return sorted(path for path in folder.glob("[!._]*") if path.suffix in (".ipynb", ".py"))


def run_notebook(project: Project, path: Path) -> NotebookRun:
    """Run a notebook in the project's folder, on ROWS rows of the small run, in a workspace of its own.

    Raises what a cell raises.
    """
    run = small_run(project)
    with _workspace_of_few_rows(run) as workspace, working_in(run.settings.root):
        before = contents(workspace)
        said, pictures = (_run_marimo if path.suffix == ".py" else _run_jupyter)(path)
        after = contents(workspace)
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return NotebookRun(said, pictures, changed)


def cells_with_outputs(path: Path) -> list[str]:
    """Return the cells of a Jupyter notebook that hold what was printed or counted: it is not for git."""
    if path.suffix != ".ipynb":
        return []
    content = json.loads(path.read_text(encoding="utf-8"))
    return [cell["id"] for cell in content["cells"] if cell.get("outputs") or cell.get("execution_count")]


def _run_jupyter(path: Path) -> tuple[str, int]:
    import nbformat
    from nbclient import NotebookClient  # ty: ignore[import-not-found]

    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": Path.cwd()}}
    # Streamlit, imported by another test, tells every process from here on to draw nothing.
    around = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources=where).execute(env=around)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    said = "".join(output.get("text", "") for output in outputs)
    return said, sum("image/png" in output.get("data", {}) for output in outputs)


def _run_marimo(path: Path) -> tuple[str, int]:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    printed = io.StringIO()
    with redirect_stdout(printed):
        outputs, _ = runpy.run_path(str(path))["app"].run()
    return printed.getvalue(), sum(isinstance(output, Figure | Axes) for output in outputs)


@contextmanager
def _workspace_of_few_rows(run: SmallRun) -> Generator[Path]:
    """Give a workspace with few rows of the run's table, to which the project's settings point."""
    from handrail.compute.duckdb import connect, write_parquet

    variable = f"{run.project.env_prefix}WORKSPACE"
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        shutil.copytree(run.etl.path.parent, workspace / "data")
        with connect(run.settings) as connection:
            few = f"SELECT * FROM {run.table} USING SAMPLE {ROWS} (reservoir, 1)"
            write_parquet(connection, few, workspace / "data" / run.etl.path.name)
        before = os.environ.get(variable)
        os.environ[variable] = folder
        try:
            yield workspace
        finally:
            os.environ.pop(variable)
            os.environ |= {variable: before} if before is not None else {}
