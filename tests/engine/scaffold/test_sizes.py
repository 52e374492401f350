"""What answers cost, in files and megabytes; `tests/projects` compares the table with what is installed."""

import json

import pytest

from handrail.scaffold.sizes import FOLDER, TABLE, Weight, effects, files, megabytes, weight
from tests.template.answers import TEMPLATE, choices, cookiecutter_json

NO_PACKAGES = {"none", "proprietary", "mit", "apache", "bsd", "github", "gitlab", "duckdb", "devcontainer"}
NO_PACKAGES |= {"classification", "regression", "forecasting"}


@pytest.fixture
def template(tmp_path):
    """A template with two questions, of which one has a part."""
    folder = tmp_path / FOLDER
    (folder / "part@big").mkdir(parents=True)
    for name in ("README.md", "part@big/one.py", "part@big/two.py", "only@small.md"):
        (folder / name).write_text("\n")
    (tmp_path / TABLE).parent.mkdir(parents=True)
    parts = {"discovery": ["click"], "big": ["numpy", "click"], "huge": ["numpy", "torch"]}
    table = {"parts": parts, "megabytes": {"click": 1.0, "numpy": 60.0, "torch": 900.0}}
    (tmp_path / TABLE).write_text(json.dumps(table))
    return tmp_path


QUESTIONS = {"stage": ["discovery"], "size": ["small", "big", "huge"], "_ask_when": {}}


def test_files_are_counted_with_the_record_and_the_wheel(template):
    assert files(template, {"big"}) == 3 + 2
    assert files(template, set()) == 1 + 2
    assert files(template, set(), index=True) == 1 + 1


def test_a_package_that_two_parts_bring_is_counted_once(template):
    assert megabytes(template, set()) == 1.0
    assert megabytes(template, {"big"}) == 61.0
    assert megabytes(template, {"big", "huge"}) == 961.0


def test_what_a_choice_adds_is_beside_the_least(template):
    assert effects(template, QUESTIONS, {}, "size") == {
        "small": "1 file",
        "big": "2 files, 60 MB",
        "huge": "960 MB",
    }


def test_where_nothing_was_measured_no_megabytes_are_told(template):
    (template / TABLE).unlink()
    assert weight(template, QUESTIONS, {"size": "big"}) == Weight(5, None)
    assert effects(template, QUESTIONS, {}, "size")["big"] == "2 files"


def test_a_choice_that_adds_nothing_says_nothing():
    assert Weight(3, 10.2).beyond(Weight(3, 10.0)) == ""
    assert Weight(3, None).beyond(Weight(2, 10.0)) == "1 file"


def test_the_table_has_every_answer_with_packages():
    """A new answer is measured: `python benchmarks/environment_sizes.py`."""
    table = json.loads((TEMPLATE / TABLE).read_text(encoding="utf-8"))
    words = {choice for options in choices().values() for choice in options} - NO_PACKAGES
    assert table["parts"].keys() == words
    named = {name for names in table["parts"].values() for name in names}
    assert named == table["megabytes"].keys()
    assert min(table["megabytes"].values()) >= 0
    assert 300 < megabytes(TEMPLATE, {"research", "sklearn"}) < 1500


def test_the_weight_of_the_default_project_is_that_of_its_parts():
    default = weight(TEMPLATE, cookiecutter_json(), {})
    small = weight(TEMPLATE, cookiecutter_json(), {"stage": "discovery"})
    assert small.files < default.files / 2
    assert small.megabytes < default.megabytes / 4
