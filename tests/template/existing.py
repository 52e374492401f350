"""Repositories as they are found: notebooks, a cookiecutter-data-science project, a Kedro project.

Rebuilt small, by the layouts of cookiecutter-data-science 2.3 and of Kedro 1.7 with its spaceflights.
"""

import json
from pathlib import Path

from tests.template.histories import commit, git

SALES = "day,shop,amount\n2024-01-01,north,12\n2024-01-02,south,7\n"
EXPLORE = """\
import pandas as pd
import seaborn as sns

sales = pd.read_csv('data/sales.csv')
sns.histplot(sales.amount)
"""
REQUIREMENTS = "loguru\nmkdocs\npandas==2.1.0\npip\npytest\npython-dotenv\nruff\nscikit-learn<1.4\n"
READ = "import pandas as pd\n\nraw = pd.read_csv('a.csv')\n"
CHURN = """\
[project]
name = "churn"
version = "0.0.1"
description = "Who leaves us next month"
authors = [{ name = "Jane Smith", email = "jane@example.com" }]
requires-python = "~=3.10.0"

[tool.ruff]
line-length = 99
"""
HOOKS = """\
repos:
  - repo: local
    hooks:
      - id: own
        name: own
        entry: 'true'
        language: system
"""
TRAIN = """\
import joblib
from sklearn.linear_model import LogisticRegression

model = LogisticRegression().fit([[0]], [0])
joblib.dump(model, f'{MODELS_DIR}/model.pkl')
"""
DAYS = """\
import churn.calendar_days


def test_days():
    assert churn.calendar_days.workdays() == 5
"""
FLIGHTS = """\
[project]
name = "spaceflights"
dynamic = ["version"]
dependencies = [
    "ipython>=8.10",
    "kedro~=1.7.0",
    "kedro-datasets>=3.0",
    "scikit-learn~=1.5.1",
    "seaborn",
]

[project.optional-dependencies]
docs = ["sphinx>=5.3"]
dev = ["pytest-cov>=3,<7", "ruff~=0.12.0"]

[tool.kedro]
package_name = "spaceflights"
project_name = "Space Flights"
kedro_init_version = "1.7.0"
"""
PIPELINE = """\
from kedro.pipeline import Pipeline


def create_pipeline(**kwargs):
    return Pipeline([])
"""
TABLE = """\
import pandas as pd


def table(a, b):
    return a.merge(b)
"""
SCIENCE = """\
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score


def train_model(x, y):
    return LinearRegression().fit(x, y)


def evaluate_model(model, x, y):
    return r2_score(y, model.predict(x))
"""
FIT = (
    "import pandas as pd\nfrom sklearn.ensemble import RandomForestRegressor\n"
    "from sklearn.model_selection import train_test_split\n",
    "rows = pd.read_csv('data/sales.csv').merge(pd.read_csv('data/shops.csv'), on='shop')\n"
    "train, test = train_test_split(rows)\n",
    "model = RandomForestRegressor().fit(train[['day']], train.amount)\n",
)
ENVIRONMENT = """\
name: sales
channels: [conda-forge]
dependencies:
  - python=3.9
  - pandas=1.5.3
  - seaborn
  - pip:
      - holidays==0.20
"""


def written(folder: Path, files: dict[str, str]) -> None:
    """Write texts into a folder, by name."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def repository(folder: Path, files: dict[str, str], ignored: str = "") -> Path:
    """Make a repository with some files, all committed but those that it ignores."""
    folder.mkdir(parents=True)
    written(folder, files | ({".gitignore": ignored} if ignored else {}))
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "what is here")
    return folder


def cells(*sources: str) -> str:
    """Return a notebook with these cells of code, and a cell of text before them."""
    code = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
        for source in sources
    ]
    words = {"cell_type": "markdown", "metadata": {}, "source": "# Sales"}
    return json.dumps({"cells": [words, *code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def notebooks(folder: Path) -> Path:
    """A folder of notebooks, its data in git, its models not."""
    files = {
        "README.md": "# Shop sales\n\nWhat each shop sells tomorrow, so that it orders enough.\n",
        "environment.yml": ENVIRONMENT,
        "explore.ipynb": cells(EXPLORE),
        "models by hand/fit the model.ipynb": cells(*FIT),
        "data/sales.csv": SALES,
        "data/shops.csv": "shop,city\nnorth,Oslo\n",
        "data/weather.xlsx": "not really",
        "queries/daily.sql": "SELECT day, sum(amount) FROM sales GROUP BY day\n",
        "output/forest.pkl": "no pickle",
    }
    return repository(folder, files, "output/\n.ipynb_checkpoints/\n")


def data_science(folder: Path) -> Path:
    """A cookiecutter-data-science project, as its version 2.3 makes it, with a service and checks."""
    app = "import typer\nfrom loguru import logger\n\nfrom churn.config import {}\n\napp = typer.Typer()\n"
    files = {
        "LICENSE": "MIT License\n\nCopyright (c) 2025 Somebody\n",
        "Makefile": "data:\n\tpython churn/dataset.py\n",
        "README.md": "# churn\n\nWho leaves.\n",
        "pyproject.toml": CHURN,
        "requirements.txt": REQUIREMENTS,
        "docs/mkdocs.yml": "site_name: churn\n",
        "docs/docs/index.md": "# churn\n",
        "models/.gitkeep": "",
        "notebooks/1.0-js-first-look.ipynb": cells("import churn\n"),
        "references/contract-with-the-provider.pdf": "%PDF",
        "reports/figures/roc.png": "png",
        "churn/__init__.py": "from churn import config\n",
        "churn/config.py": "RAW_DATA_DIR = 'data/raw'\nMODELS_DIR = 'models'\n",
        "churn/dataset.py": app.format("RAW_DATA_DIR") + READ,
        "churn/features.py": app.format("RAW_DATA_DIR"),
        "churn/plots.py": app.format("RAW_DATA_DIR") + "import matplotlib.pyplot as plt\n",
        "churn/calendar_days.py": "def workdays():\n    return 5\n",
        "churn/modeling/__init__.py": "",
        "churn/modeling/train.py": app.format("MODELS_DIR") + TRAIN,
        "churn/modeling/predict.py": app.format("MODELS_DIR"),
        "churn/app.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
        "tests/test_data.py": DAYS,
        ".github/workflows/tests.yml": "on: push\n",
        ".pre-commit-config.yaml": HOOKS,
        "Dockerfile": "FROM python:3.10\n",
    }
    made = repository(folder, files, "/data/\n__pycache__/\n")
    written(made, {"data/raw/customers.csv": "id\n1\n", "data/processed/features.csv": "id\n1\n"})
    return made


def kedro(folder: Path) -> Path:
    """A Kedro project, as `kedro new` and its starter spaceflights make it."""
    pipelines = "src/spaceflights/pipelines"
    files = {
        "README.md": "# Spaceflights\n\n## Overview\n\nThis is your new Kedro project.\n",
        "pyproject.toml": FLIGHTS,
        "conf/README.md": "# What is this for?\n",
        "conf/base/catalog.yml": "companies:\n  type: pandas.CSVDataset\n",
        "conf/base/parameters.yml": "",
        "conf/base/parameters_data_science.yml": "model_options:\n  test_size: 0.2\n",
        "conf/local/credentials.yml": "# nothing\n",
        "conf/logging.yml": "version: 1\n",
        "data/01_raw/companies.csv": "id,rating\n1,90%\n",
        "data/01_raw/shuttles.xlsx": "not really",
        "data/02_intermediate/companies.parquet": "not really",
        "data/06_models/regressor.pickle": "no pickle",
        "notebooks/.gitkeep": "",
        "src/spaceflights/__init__.py": '"""Spaceflights."""\n\n__version__ = "0.1"\n',
        "src/spaceflights/__main__.py": "from kedro.framework.cli.utils import find_run_command\n",
        "src/spaceflights/pipeline_registry.py": "from kedro.framework.project import find_pipelines\n",
        "src/spaceflights/settings.py": '"""Settings, from the docs."""\n',
        f"{pipelines}/__init__.py": "",
        f"{pipelines}/data_processing/__init__.py": "from .pipeline import create_pipeline\n",
        f"{pipelines}/data_processing/nodes.py": TABLE,
        f"{pipelines}/data_processing/pipeline.py": PIPELINE,
        f"{pipelines}/data_science/__init__.py": "from .pipeline import create_pipeline\n",
        f"{pipelines}/data_science/nodes.py": SCIENCE,
        f"{pipelines}/data_science/pipeline.py": PIPELINE,
        f"{pipelines}/reporting/__init__.py": "",
        f"{pipelines}/reporting/nodes.py": "import plotly.express as px\n",
        "tests/pipelines/data_science/test_pipeline.py": "from kedro.io import DataCatalog\n",
        "tests/test_prices.py": "def test_prices():\n    assert 1 > 0\n",
    }
    return repository(folder, files, "data/**/*.tmp\n")


LAYOUTS = {"notebooks": notebooks, "data_science": data_science, "kedro": kedro}
