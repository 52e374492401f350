"""What is known of the example's labels for certain: replace it by what you know of yours."""

import shutil
from collections import Counter

import duckdb
import pytest
from handrail.cli import run
from handrail.labelling import FOLDER, labels_agreed, read_found
from handrail.testing import small_run

from . import ROOT, project


@pytest.fixture(scope="module")
def labelled():
    """Return settings of a copy of the small run, in which the answers that came back were read."""
    folder = small_run(project).copy().workspace
    shutil.copytree(ROOT / FOLDER, folder / FOLDER)
    shutil.copy(ROOT / "project.yaml", folder)
    there = project.at(folder)
    assert run(there, ["labels"]) == 0
    return there.settings()


def test_three_people_agree_on_the_kinds_of_planes(labelled):
    found = read_found(labelled)
    assert found["agreement"] == "0.926 (0.873 to 0.969)"
    assert (found["items"], found["labelled"], found["decided"]) == (127, 127, 1)
    assert labels_agreed(labelled).by == "Amelia"


def test_every_plane_has_its_kind(labelled):
    path = labelled.workspace / "data" / "raw" / "planes_labelled.parquet"
    planes = duckdb.sql(f"SELECT labelled_as, model FROM '{path}'").fetchall()
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
