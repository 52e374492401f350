"""What is known of the example's labels for certain, and that its README brings them into the table."""

import importlib
import re
import shutil
from collections import Counter

import duckdb
import pytest

from handrail import errors
from handrail.etl import pipeline
from handrail.labelling import FOLDER, gate, store, task
from handrail.stages import gates, start_over
from tests.engine.labelling.asked import run
from tests.engine.support.evidence import write
from tests.engine.support.example import example
from tests.engine.support.workspaces import in_workspace

ADDITION = re.compile(r"^In `([^`\n]+)`, below `([^`\n]+)`:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROJECT = example(also="labelling")
BROUGHT = PROJECT.root / FOLDER


def labelled_in(trained, folder):
    """Return settings of a copy of a trained workspace that has the example's labels."""
    shutil.copytree(trained.workspace, folder)
    shutil.copytree(BROUGHT, folder / FOLDER)
    own = in_workspace(folder, PROJECT, root=folder)
    run(own)
    return own


@pytest.fixture(scope="module")
def labelled(trained, tmp_path_factory):
    """Return settings of a copy of the trained workspace that has the example's labels; read only."""
    return labelled_in(trained, tmp_path_factory.mktemp("labelled") / "workspace")


def test_three_people_agree_on_the_kinds_of_planes(labelled):
    found = store.read_found(labelled)
    assert found["agreement"] == "0.926 (0.873 to 0.969)"
    assert (found["items"], found["labelled"], found["decided"]) == (127, 127, 1)
    finding = gate.labels_agreed(labelled)
    assert (finding.state, finding.by) == (gates.State.DONE, "Amelia")
    assert finding.evidence == "alpha 0.926 (0.873 to 0.969), minimum 0.8; 127 of 127 items have a label"


def test_the_gate_of_research_asks_for_the_labels_only_where_people_are_asked(labelled, trained):
    def titles(settings):
        (found,) = [stage for stage in gates.read_stages(settings) if stage.folder == "2-research"]
        return set(found.findings)

    assert titles(labelled) - titles(trained) == {"labels agreed"}
    assert titles(trained) - titles(labelled) == set()


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
    for path in BROUGHT.rglob("*.*"):
        copy = labelled.root / FOLDER / path.relative_to(BROUGHT)
        assert copy.read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("problem", ["classification", pytest.param("forecasting", marks=pytest.mark.slow)])
def test_the_lines_of_the_readme_bring_the_labels_into_the_table(labelled, problem, tmp_path, monkeypatch):
    """The package with the lines that the README adds, as a package of another name."""
    asking = example(problem, also="labelling")
    name = f"extended_{problem}"
    package = tmp_path / name
    shutil.copytree(asking.root / "src" / asking.package, package)
    additions = ADDITION.findall((asking.root / FOLDER / "README.md").read_text(encoding="utf-8"))
    assert [file for file, _, _ in additions][:2] == ["contract.py", "etl/transform.sql"]
    for file, line, added in additions:
        text = (package / file).read_text(encoding="utf-8")
        lines = text.replace(added, "").splitlines(keepends=True)  # as they were, if they are in already
        (place,) = [number for number, each in enumerate(lines) if each.strip() == line]
        lines.insert(place + 1, added)
        (package / file).write_text("".join(lines), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    workspace = tmp_path / "workspace"
    shutil.copytree(labelled.workspace, workspace)
    extended = importlib.import_module(name).project.at(asking.root)
    settings = in_workspace(workspace, extended, root=workspace)
    result = pipeline.run_etl(settings, lambda step: None)
    column = re.search(r"^ +(\w+): ", additions[0][2], re.MULTILINE)[1]
    known = f"SELECT count({column}), count(DISTINCT {column}), count(*) FROM '{result.path}'"
    ((with_label, kinds, rows),) = duckdb.sql(known).fetchall()
    assert rows == result.loaded
    assert with_label > 0.8 * rows
    assert kinds > 5


def test_starting_over_leaves_a_blank_form_and_no_answers(labelled, tmp_path):
    texts = start_over.blank_texts(PROJECT.settings())
    here = {
        name: text for name, text in texts.items() if name.startswith(f"{FOLDER}/") and name[-3:] != ".md"
    }
    shutil.copytree(BROUGHT, tmp_path / FOLDER)
    emptied = [path for path in (tmp_path / FOLDER).rglob("*.*") if path.suffix != ".md"]
    assert {path.relative_to(tmp_path).as_posix() for path in emptied} == here.keys()
    assert [name for name, text in here.items() if text] == [task.FILE]
    write(tmp_path, task.FILE, here[task.FILE])
    assert not task.is_asked(labelled.model_copy(update={"root": tmp_path}))
    filled = re.sub(r"^# (?=[a-z_]+:| )", "", here[task.FILE], flags=re.MULTILINE)
    write(tmp_path, task.FILE, filled.replace('"?"', "Which?"))
    with pytest.raises(errors.ProjectError) as refused:
        task.read_task(labelled.model_copy(update={"root": tmp_path}))
    (only,) = refused.value.problems
    assert "items.table: name_of_a_raw_table is no raw table; take one of " in only
