"""What is known of the example's labels for certain: replace it by what you know of yours."""

import importlib
import re
import shutil
import sys
from argparse import Namespace
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from {{ cookiecutter.__package }} import commands, contract, errors
from {{ cookiecutter.__package }}.labelling import keep, stage, task, task_file
from {{ cookiecutter.__package }}.stages import fresh_start, gates

from .conftest import ROOT
from .evidence import write

ADDITION = re.compile(r"^In `([^`\n]+)`, below `([^`\n]+)`:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
FOLDER = ROOT / "2-research" / "labelling"


@pytest.fixture(scope="session")
def labelled(trained, tmp_path_factory):
    """Return settings of a copy of the trained workspace that has the example's labels; read only."""
    workspace = tmp_path_factory.mktemp("labelled") / "workspace"
    shutil.copytree(trained.workspace, workspace)
    own = trained.model_copy(update={"workspace": workspace, "root": workspace})
    shutil.copytree(FOLDER, workspace / "2-research" / "labelling")
    importlib.import_module(f"{commands.__name__}.labels").run(Namespace(export=None), own)
    return own


def test_three_people_agree_on_the_kinds_of_planes(labelled):
    found = keep.read_found(labelled)
    assert found["agreement"] == "0.926 (0.873 to 0.969)"
    assert (found["items"], found["labelled"], found["decided"]) == (127, 127, 1)
    finding = stage.labels_agreed(labelled)
    assert (finding.state, finding.by) == (gates.State.DONE, "Amelia")
    assert finding.evidence == "alpha 0.926 (0.873 to 0.969), minimum 0.8; 127 of 127 items have a label"


def test_every_plane_has_its_kind(labelled):
    path = labelled.workspace / "data" / "raw" / "planes_labelled.parquet"
    planes = duckdb.sql(f"SELECT labelled_as, model FROM '{path}'").fetchall()
    assert len(planes) == 3322
    assert Counter(label for label, _ in planes) == {
        "narrow-body": 2397,
        "regional jet": 676,
        "wide-body": 206,
        "propeller": 32,
        "business jet": 5,
        "helicopter": 5,
        "other": 1,
    }
    assert {label for label, model in planes if model == "ERJ 190-100 IGW"} == {"regional jet"}


def test_reading_the_example_again_leaves_its_files_as_they_are(labelled):
    for path in FOLDER.rglob("*.*"):
        copy = labelled.root / "2-research" / "labelling" / path.relative_to(FOLDER)
        assert copy.read_bytes() == path.read_bytes(), path.name


def test_the_lines_of_the_readme_bring_the_labels_into_the_table(labelled, tmp_path, monkeypatch):
    """The package with the lines that the README adds, as a package of another name."""
    package = tmp_path / "extended"
    shutil.copytree(Path(contract.__file__).parent, package)
    additions = ADDITION.findall((FOLDER / "README.md").read_text(encoding="utf-8"))
    assert [name for name, _, _ in additions][:2] == ["contract.py", "etl/transform.sql"]
    for name, line, added in additions:
        text = (package / name).read_text(encoding="utf-8")
        lines = text.replace(added, "").splitlines(keepends=True)  # as they were, if they are in already
        (place,) = [number for number, each in enumerate(lines) if each.strip() == line]
        lines.insert(place + 1, added)
        (package / name).write_text("".join(lines), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    workspace = tmp_path / "workspace"
    shutil.copytree(labelled.workspace, workspace)
    pipeline = importlib.import_module("extended.etl.pipeline")
    result = pipeline.run_etl(labelled.model_copy(update={"workspace": workspace}), lambda step: None)
    column = re.search(r"^ +(\w+): ", additions[0][2], re.MULTILINE)[1]
    known = f"SELECT count({column}), count(DISTINCT {column}), count(*) FROM '{result.path}'"
    ((with_label, kinds, rows),) = duckdb.sql(known).fetchall()
    assert rows == result.loaded
    assert with_label > 0.8 * rows
    assert kinds > 5
    for name in [name for name in sys.modules if name.split(".")[0] == "extended"]:
        monkeypatch.delitem(sys.modules, name)


def test_starting_over_leaves_a_blank_form_and_no_answers(labelled, tmp_path):
    texts = fresh_start.blank_texts((ROOT / "project.yaml").read_text(encoding="utf-8"))
    here = {name: text for name, text in texts.items() if name.startswith("2-research/labelling/")}
    shutil.copytree(FOLDER, tmp_path / "2-research" / "labelling")
    emptied = [path for path in (tmp_path / "2-research" / "labelling").rglob("*.*") if path.suffix != ".md"]
    assert {path.relative_to(tmp_path).as_posix() for path in emptied} == here.keys()
    assert [name for name, text in here.items() if text] == [task.FILE]
    write(tmp_path, task.FILE, here[task.FILE])
    assert not task_file.is_asked(labelled.model_copy(update={"root": tmp_path}))
    filled = re.sub(r"^# (?=[a-z_]+:| )", "", here[task.FILE], flags=re.MULTILINE)
    write(tmp_path, task.FILE, filled.replace('"?"', "Which?"))
    with pytest.raises(errors.ProjectError) as refused:
        task_file.read_task(labelled.model_copy(update={"root": tmp_path}))
    (only,) = refused.value.problems
    assert "items.table: name_of_a_raw_table is no raw table; take one of " in only
