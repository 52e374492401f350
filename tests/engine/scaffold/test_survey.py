"""What is in a repository: by reading its files."""

import json

import pytest

from handrail.scaffold.survey import KINDS, imported, is_data, made_anew, surveyed
from tests.engine.scaffold.made_up_repository import of
from tests.template.histories import commit, git


def notebook(*sources: str) -> str:
    """Return a notebook with cells of code."""
    return json.dumps({"cells": [{"cell_type": "code", "source": list(source)} for source in sources]})


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"pyproject.toml": "[tool.kedro]\npackage_name = 'x'\n", "src/x/a.py": ""}, "kedro"),
        ({"churn/dataset.py": "", "churn/modeling/train.py": "", "churn/modeling/__init__.py": ""}, "ccds"),
        ({"data/raw/a.csv": "", "references/.gitkeep": "", "src/data/make_dataset.py": ""}, "ccds"),
        ({"a.ipynb": "{}", "b.ipynb": "{}", "plots.py": ""}, "notebooks"),
        ({"a.ipynb": "{}", "fit.py": "", "plots.py": ""}, "scripts"),
        ({"a.py": "import marimo\n\napp = marimo.App()\n"}, "notebooks"),
        ({"pyproject.toml": "not [ toml", "a.py": ""}, "scripts"),
        ({}, "scripts"),
    ],
)
def test_the_layout_is_known_by_its_files(tmp_path, files, kind):
    assert of(tmp_path, files).kind == kind
    assert kind in KINDS


def test_what_a_line_does_is_told_with_its_place(tmp_path):
    code = "import pandas as pd\n# pd.read_csv(x)\na = pd.read_csv(y)\nm.fit(a)\nm.fit(a)\n"
    found = of(tmp_path, {"a.py": code, "b.ipynb": notebook(["x = 1\n"], ["y.merge(z)\n", "f1_score(a, b)"])})
    script, cells = found.by_name["a.py"], found.by_name["b.ipynb"]
    assert script.hints == {"reads": ["line 3"], "fits": ["line 4", "line 5"]}
    assert cells.hints == {"joins": ["cell 2"], "measures": ["cell 2"]}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        (
            "import numpy as np, pandas\nfrom sklearn.svm import SVC\nfrom . import own\n",
            "numpy pandas sklearn",
        ),
        ('"""Settings, taken\nfrom the documentation."""\n', ""),
        ("print 'two'\nimport scipy.stats\nfrom requests import get\nfrom here to there\n", "scipy requests"),
    ],
)
def test_imports_are_those_of_python(code, names):
    assert imported(code) == set(names.split())


def test_a_notebook_with_magics_has_its_imports(tmp_path):
    found = of(
        tmp_path, {"a.ipynb": notebook(["%matplotlib inline\n", "!pip install x\n", "import polars\n"])}
    )
    assert set(found.imports) == {"polars"}


def test_a_broken_notebook_has_no_code(tmp_path):
    found = of(
        tmp_path, {"a.ipynb": "{", "b.ipynb": "[]", "c.ipynb": '{"cells": [3, {"cell_type": "code"}]}'}
    )
    assert [file.code for file in found.files] == [[], [], []]


def test_folders_that_all_modules_share_say_nothing(tmp_path):
    found = of(tmp_path, {"src/data_tool/fit.py": "", "src/data_tool/io/read.py": "", "tests/test_a.py": ""})
    assert found.shared_folders == 2
    assert found.words(found.by_name["src/data_tool/io/read.py"]) == ["read", "io"]
    assert found.words(found.by_name["src/data_tool/fit.py"]) == ["fit"]


def test_raw_data_is_told_from_what_is_made_of_it(tmp_path):
    names = "data/01_raw/a.csv data/02_intermediate/b.parquet data/external/c.json docs/d.csv conf/e.json"
    found = of(tmp_path, dict.fromkeys(names.split(), ""))
    assert [file.name for file in found.files if is_data(file)] == [
        *names.split()[:2],
        "data/external/c.json",
    ]
    assert [made_anew(found.by_name[name]) for name in names.split()[:2]] == ["", "made anew by `etl`"]
    assert found.raw_folder == "data"


def test_what_git_does_not_know_counts_if_it_is_data_or_code(tmp_path):
    of(tmp_path, {"a.py": "", ".gitignore": "data/\nenv/\n*.log\n"})
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "begin")
    names = (
        "data/raw/a.csv",
        "b.log",
        "env/pyvenv.cfg",
        "env/lib/c.py",
        "__pycache__/d.py",
        "notes.md",
        "e.ipynb",
    )
    of(tmp_path, dict.fromkeys(names, ""))
    found = surveyed(tmp_path)
    assert [(file.name, file.tracked) for file in found.files] == [
        (".gitignore", True),
        ("a.py", True),
        ("data/raw/a.csv", False),
        ("e.ipynb", False),
    ]
