"""What goes where: by name, folder and code; like ones together, and nothing over another."""

import pytest

from handrail.scaffold.moves import STEPS, moves
from tests.engine.scaffold.made_up_repository import DISCOVERY, PRODUCTION, RESEARCH, layout, of

FIT = "from sklearn.svm import SVC\nSVC().fit(x, y)\n"


def told(folder, files, there=PRODUCTION):
    """Return step and target of each row, by what is there."""
    return {move.name: (move.step, move.target) for move in moves(of(folder, files), layout(there))}


@pytest.mark.parametrize(
    ("name", "code", "target"),
    [
        ("load_orders.py", "", "src/churn/etl/extract.py"),
        ("clean.py", "", "src/churn/etl/transform.sql"),
        ("src/data/make_dataset.py", "", "src/churn/etl/transform.sql"),
        ("src/features/build_features.py", "", "src/churn/model/features.py"),
        ("src/models/train_model.py", "", "src/churn/model/train.py"),
        ("src/models/predict_model.py", "", "src/churn/serve/batch.py"),
        ("TrainForest.py", "", "src/churn/model/train.py"),
        ("evaluation.py", "", "src/churn/model/metrics.py"),
        ("data_science/nodes.py", FIT, "src/churn/model/train.py"),
        ("abc.py", FIT, "src/churn/model/estimator.py"),
        ("abc.py", "x = pd.read_sql('select 1', c)\n", "src/churn/etl/extract.py"),
        ("abc.py", "y = model.predict(x)\n", "src/churn/serve/batch.py"),
        ("settings.py", "", "project.yaml"),
        ("main.py", "", "src/churn/commands.py"),
        ("geo-tools.py", "def near(): ...\n", "src/churn/geo_tools.py"),
        ("q.sql", "select 1", "src/churn/etl/transform.sql"),
        ("conf.d/requirements.txt", "numpy", "pyproject.toml"),
        ("Dockerfile.train", "", "3-production/Dockerfile"),
        ("img/pipeline_plot.py", "import matplotlib\n", "2-research/notebooks/pipeline_plot.py"),
    ],
)
def test_a_file_has_its_place(tmp_path, name, code, target):
    assert told(tmp_path, {name: code, "b/x.md": ""})[name][1] == target


@pytest.mark.parametrize(
    ("there", "name", "code", "answer"),
    [
        (
            RESEARCH,
            "app.py",
            "import fastapi\n",
            "serve/api.py, comes with `handrail update stage=production api=fastapi`",
        ),
        (PRODUCTION, "app.py", "import flask\n", "serve/api.py, comes with `handrail update api=fastapi`"),
        (
            PRODUCTION,
            "ui.py",
            "import streamlit\n",
            "dashboard/app.py, comes with `handrail update stage=operation dash",
        ),
        (DISCOVERY, "fit.py", FIT, "model/train.py, comes with `handrail update stage=research`"),
        (
            RESEARCH,
            "Dockerfile",
            "",
            "3-production/Dockerfile, comes with `handrail update stage=production`",
        ),
        (
            PRODUCTION,
            "dags/daily.py",
            "import airflow\n",
            "dags/, comes with `handrail update scheduler=airflow`",
        ),
    ],
)
def test_a_place_that_is_not_there_is_told_with_the_answer_that_brings_it(
    tmp_path, there, name, code, answer
):
    (move,) = moves(of(tmp_path, {name: code}), layout(there))
    assert (move.step, move.target, move.whole) == ("stays", "", False)
    assert answer in move.how


def test_nothing_is_moved_over_another(tmp_path):
    files = {
        "a/first_look.ipynb": "{}",
        "b/first_look.ipynb": "{}",
        "c/first_look.ipynb": "{}",
        "d/geo.py": "",
        "e/geo.py": "",
    }
    targets = [target for _, target in told(tmp_path, files).values()]
    assert sorted(targets) == [
        "2-research/notebooks/a-first_look.ipynb",
        "2-research/notebooks/b-first_look.ipynb",
        "2-research/notebooks/c-first_look.ipynb",
        "src/churn/e_geo.py",
        "src/churn/geo.py",
    ]


def test_many_alike_are_one_row(tmp_path):
    files = {f"data/sales_{year}.csv": "" for year in range(2010, 2020)}
    files |= {"data/shops.csv": "", "a/__init__.py": "", "b/__init__.py": ""}
    rows = {move.name: (move.files, move.how) for move in moves(of(tmp_path, files), layout())}
    assert rows["data/s*.csv"] == (
        11,
        'stays where it is; `RawTable("s*.csv", ...)`, with `data.source: ../data` in project.yaml',
    )
    assert rows["**/__init__.py"][0] == 2
    assert len(rows) == 2


def test_a_row_for_many_names_no_other_file(tmp_path):
    files = {f"conf/base/parameters_{name}.yml": "" for name in "abcd"} | {"conf/base/catalog.yml": ""}
    files["pyproject.toml"] = "[tool.kedro]\n"
    assert "conf/base/parameters_*.yml" in told(tmp_path, files)
    assert told(tmp_path, files)["conf/base/catalog.yml"][1] == "src/churn/etl/extract.py"


def test_what_is_never_moved(tmp_path):
    files = {
        ".env": "KEY=1",
        "LICENSE": "MIT License",
        "models/a.pkl": "",
        "docs/mkdocs.yml": "",
        "docs/a.md": "",
    }
    rows = told(tmp_path, files | {"what.is.this": ""})
    assert {step for step, _ in rows.values()} == {"stays"}
    assert [move.how for move in moves(of(tmp_path, {"what.is.this": ""}), layout())] == [
        "no place in the layout: yours to say"
    ]


def test_rows_come_in_the_order_of_the_steps(tmp_path):
    files = {
        "z.ipynb": "{}",
        "README.md": "# A\n",
        "data/raw/a.csv": "",
        "fit.py": FIT,
        "tests/test_a.py": "",
        "Makefile": "",
    }
    found = [move.step for move in moves(of(tmp_path, files), layout())]
    assert found == sorted(found, key=list(STEPS).index)
    assert found == ["discovery", "data", "research", "model", "tests", "last"]
