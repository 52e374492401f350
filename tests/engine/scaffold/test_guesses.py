"""The answers that a repository's files give, each with its reason."""

import json

import pytest

from handrail.scaffold import answers as rules
from handrail.scaffold.guesses import UNSAID, folder_of, guesses, slug_near
from tests.engine.scaffold.made_up_repository import of
from tests.template.answers import TEMPLATE
from tests.template.histories import commit, git

QUESTIONS = json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))


def guessed(folder, files):
    """Return the answers, by question."""
    return {key: guess.answer for key, guess in guesses(of(folder, files), QUESTIONS).items()}


@pytest.mark.parametrize(
    ("files", "key", "answer"),
    [
        ({"a.py": "import xgboost\n"}, "model", "xgboost"),
        ({"a.py": "import tensorflow as tf\n"}, "model", "keras"),
        ({"a.py": ""}, "model", "sklearn"),
        ({"a.py": "from pyspark.sql import SparkSession\n"}, "compute", "spark"),
        ({"a.py": "import mlflow\n"}, "tracking", "mlflow"),
        ({"a.py": "import flask\n"}, "stage", "production"),
        ({"a.py": "import flask\n"}, "api", "fastapi"),
        ({"docker/Dockerfile": ""}, "stage", "production"),
        ({"a.py": ""}, "stage", "research"),
        ({".gitlab-ci.yml": ""}, "ci", "gitlab"),
        ({"LICENSE": "Apache License\nVersion 2.0\n"}, "license", "apache"),
        ({"LICENSE": "All rights reserved\n"}, "license", "proprietary"),
        (
            {"a.py": "m = RandomForestRegressor()\nr2_score(a, b)\nLogisticRegression()\n"},
            "problem",
            "regression",
        ),
        ({"a.py": "m = LogisticRegression()\n"}, "problem", "classification"),
        ({"a.py": "m = Prophet()\nm.forecast()\n"}, "problem", "forecasting"),
        ({"pyproject.toml": "[project]\nname = 'my_churn'\n"}, "project_name", "My Churn"),
        ({"pyproject.toml": "[project]\nname = 'my_churn'\n"}, "project_slug", "my-churn"),
        ({"README.md": "# Bread orders\n"}, "project_slug", "bread-orders"),
        ({"README.md": "# ![badge](x) Bread\n\nOrders. More.\n"}, "description", "Orders"),
        ({"README.md": "# A\n\nThis is your new Kedro project.\n"}, "description", UNSAID),
        ({"pyproject.toml": "[project]\ndescription = 'Who leaves'\n"}, "description", "Who leaves"),
        (
            {"pyproject.toml": "[project]\nauthors = [{name = 'A B', email = 'a@b.cd'}]\n"},
            "author",
            "A B <a@b.cd>",
        ),
    ],
)
def test_the_files_answer(tmp_path, files, key, answer):
    assert guessed(tmp_path, files)[key] == answer


def test_whoever_made_the_newest_commit_is_the_author_where_nobody_else_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    of(tmp_path, {"a.py": ""})
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "begin")
    assert guessed(tmp_path, {"a.py": ""})["author"] == "Me <me@example.com>"
    git(tmp_path, "remote", "add", "origin", "git@gitlab.example.com:team/churn.git")
    assert guessed(tmp_path, {"a.py": ""})["ci"] == "gitlab"


@pytest.mark.parametrize("name", ["pandas", "Test", "1st Try!", "x" * 60, "class", "Öl & Gas", "data"])
def test_a_slug_is_one_that_is_taken(name):
    found = slug_near(name)
    assert rules.problems({"project_slug": found}) == []


def test_every_guess_is_an_answer_of_the_template(tmp_path):
    files = {"a.py": "import flask, mlflow, airflow, streamlit, marimo\n", "README.md": "# A b\n"}
    found = guessed(tmp_path, files)
    assert rules.unknown_choices(QUESTIONS, found) == []
    assert rules.unknown_questions(rules.questions(QUESTIONS), found) == []


def test_the_folder_is_one_that_is_free(tmp_path):
    survey = of(tmp_path, {"churn/a.py": "", "churn-project/b.py": ""})
    assert folder_of(survey, "sales").as_posix() == "sales"
    assert folder_of(survey, "churn").as_posix() == "churn-2"
