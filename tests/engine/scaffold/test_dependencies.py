"""What a repository depends on: from every usual file, and what is to be done about it."""

import pytest

from handrail.scaffold.dependencies import dependencies
from tests.engine.scaffold.made_up_repository import of

BROUGHT = {
    "project": {"dependencies": ["handrail[data]==1", "numpy>=2.4,<2.5"]},
    "dependency-groups": {
        "train": ["scikit-learn>=1.9,<1.10"],
        "notebooks": ["jupyterlab>=4.6"],
        "dev": ["ruff>=0.17"],
    },
    "tool": {"uv": {"constraint-dependencies": ["pandas>=3.1,<3.2"]}},
}


def told(folder, files):
    """Return what is said of each package: how it was asked for, what to do, and the group."""
    found = dependencies(of(folder, files), BROUGHT)
    return {each.name: (each.declared, each.how, each.group) for each in found}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "requirements.txt",
            "# what\n-r other.txt\n--index-url x\nPolars_ds==1.2 ; python_version > '3'\n./own\ngit+ssh://x\n",
        ),
        ("requirements/base.in", "polars.ds==1.2\n"),
        ("pyproject.toml", "[project]\ndependencies = ['polars-ds==1.2']\n"),
        ("pyproject.toml", "[dependency-groups]\nx = ['polars-ds==1.2', {include-group = 'y'}]\n"),
        ("pyproject.toml", "[tool.poetry.dependencies]\npython = '^3.9'\npolars-ds = '==1.2'\n"),
        (
            "pyproject.toml",
            "[tool.poetry.group.x.dependencies]\npolars-ds = {version = '==1.2', optional = true}\n",
        ),
        ("environment.yml", "dependencies:\n  - python=3.9\n  - conda-forge::polars-ds=1.2=py39\n"),
        ("environment.yml", "dependencies:\n  - pip\n  - pip:\n      - polars-ds==1.2\n"),
        ("setup.cfg", "[options]\ninstall_requires =\n    polars-ds==1.2\n\n[x]\ny = 1\n"),
        ("setup.py", "from setuptools import setup\nsetup(install_requires=['polars-ds==1.2'])\n"),
        ("Pipfile", "[packages]\npolars-ds = '==1.2'\n"),
    ],
)
def test_every_usual_file_is_read(tmp_path, name, text):
    found = told(tmp_path, {name: text, "a.py": "import polars_ds\n"})
    assert found["polars-ds"] == ("==1.2", "to declare", "")
    assert set(found) <= {"polars-ds", "setuptools"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "not [ toml"),
        ("environment.yml", "a: [b"),
        ("environment.yml", "- a list"),
        ("setup.py", "print 'two'"),
        ("Pipfile", "packages = 3"),
        ("requirements.txt", "\x00\x01"),
    ],
)
def test_what_can_not_be_read_says_nothing(tmp_path, name, text):
    assert told(tmp_path, {name: text}) == {}


def test_what_is_to_be_done(tmp_path):
    files = {
        "requirements.txt": "scikit-learn==0.24 pandas==1.5 black kedro-viz frozen==1 typer lightfm",
        "fit.py": "import lightfm, sklearn, pandas\nmodel.fit(x)\n",
        "a.ipynb": '{"cells": [{"cell_type": "code", "source": "import seaborn\\nimport helpers"}]}',
        "helpers.py": "import os\nimport cv2\n",
        "tests/test_a.py": "import freezegun\n",
    }
    files["requirements.txt"] = files["requirements.txt"].replace(" ", "\n") + "\npytest-mock"
    assert told(tmp_path, files) == {
        "black": ("any", "not needed: ruff and ty do that", "-"),
        "freezegun": ("-", "to declare", "dev"),
        "frozen": ("==1", "nothing here imports it: declare it where you find that you need it", "-"),
        "kedro-viz": ("any", "not needed: goes with Kedro", "-"),
        "lightfm": ("any", "to declare", "train"),
        "opencv-python": ("-", "to declare", ""),
        "pandas": ("==1.5", "to declare, within >=3.1,<3.2, which is tested", "train"),
        "pytest-mock": ("any", "to declare", "dev"),
        "scikit-learn": ("==0.24", "there already, scikit-learn>=1.9,<1.10", "-"),
        "seaborn": ("-", "to declare", "notebooks"),
        "typer": ("any", "not needed: the commands are there; one of your own is a function", "-"),
    }
