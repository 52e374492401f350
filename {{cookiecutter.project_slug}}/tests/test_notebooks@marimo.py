"""Every notebook runs from top to bottom, on few rows, and changes nothing."""

import runpy

import pytest
from matplotlib.figure import Figure

from .notebook_runs import FOLDER, check_run, use_few_rows


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_runs_from_top_to_bottom_and_changes_nothing(path, trained, tmp_path, monkeypatch, capsys):
    workspace = use_few_rows(trained, tmp_path, monkeypatch)
    outputs, _ = runpy.run_path(str(path))["app"].run()
    drawn = sum(isinstance(output, Figure) for output in outputs)
    check_run(path, capsys.readouterr().out, drawn, workspace)
