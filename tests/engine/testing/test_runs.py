"""The runs that checks share: made once, in temporary workspaces, from wherever the tests are started."""

import os

import duckdb
import pytest

from handrail.errors import ProjectError
from handrail.testing import isolated, small_run, whole_run
from handrail.testing.once import Once
from tests.engine.support.example import example
from tests.engine.testing.made_up_projects import ROWS, Shape, made_up_project


def test_a_run_is_made_once_and_leaves_the_projects_folder_as_it_was(tmp_path):
    project = made_up_project(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    run = small_run(project)
    assert small_run(project) is run
    assert run.etl is run.etl
    assert (run.etl.loaded, run.settings.sample) == (ROWS, 20_000)
    assert run.version.path.is_dir()
    assert not run.settings.workspace.is_relative_to(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_what_failed_once_is_not_tried_again(tmp_path):
    times = []

    def extract(connection, settings):
        times.append(settings)
        raise ProjectError("no source today")

    run = small_run(made_up_project(tmp_path, extract=extract))
    for _ in range(3):
        with pytest.raises(ProjectError, match="no source today"):
            _ = run.training
    assert len(times) == 1


def test_a_property_that_is_worked_out_once_is_the_same_for_all():
    class Numbers:
        @Once
        def first(self):
            """The first."""
            return [1]

    one, other = Numbers(), Numbers()
    assert one.first is one.first
    assert one.first is not other.first
    assert Numbers.first.__doc__ == "The first."


def test_rows_are_the_latest(tmp_path):
    run = small_run(made_up_project(tmp_path))
    assert [row["visit_id"] for row in run.rows(["visit_id"], 3)] == [ROWS, ROWS - 1, ROWS - 2]


def test_a_copy_can_be_broken(tmp_path):
    run = small_run(made_up_project(tmp_path))
    there = run.live_copy()
    (there.workspace / "models" / run.version.name / "model.onnx").unlink()
    assert run.version.model.is_file()
    assert run.live_copy().workspace != there.workspace


def test_all_rows_are_loaded_where_the_small_run_has_a_few(tmp_path):
    settings, result = whole_run(example(), tmp_path)
    assert (settings.sample, settings.workspace, result.loaded) == (None, tmp_path, 336_775)
    assert result.path.is_relative_to(tmp_path)


def test_what_a_project_is_given_is_loaded_by(tmp_path):
    project = made_up_project(tmp_path / "project", Shape())
    project.given["transform"] = f"SELECT * REPLACE (0.0 AS load) FROM ({project.transform})"
    _, result = whole_run(project, tmp_path / "workspace")
    assert duckdb.sql(f"SELECT max(load) FROM '{result.path}'").fetchall() == [(0.0,)]


def test_tests_do_not_see_what_a_shell_has_set(tmp_path, monkeypatch):
    project = made_up_project(tmp_path)
    monkeypatch.setenv("MADE_UP_ACCURACY__MINIMUM", "0.9")
    monkeypatch.setenv("MADE_UPPER", "3")
    assert isolated(project, tmp_path).settings().accuracy.minimum == 0.5
    assert "MADE_UP_ACCURACY__MINIMUM" not in os.environ
    assert os.environ["MADE_UPPER"] == "3"
