"""A survey of files that are made up, without git."""

from pathlib import Path

from handrail.scaffold.moves import Layout
from handrail.scaffold.survey import File, Survey

PACKAGE = "src/churn"
DISCOVERY = ("README.md", "project.yaml", "1-discovery/problem.md", "docs/first-day.md")
RESEARCH = (
    *DISCOVERY,
    "2-research/notebooks/first_look.ipynb",
    *(f"{PACKAGE}/etl/{name}" for name in ("extract.py", "transform.sql")),
    *(f"{PACKAGE}/model/{name}.py" for name in ("train", "estimator", "features", "metrics", "baseline")),
    f"{PACKAGE}/commands.py",
    "tests/test_example.py",
)
PRODUCTION = (
    *RESEARCH,
    *("3-production/Dockerfile", f"{PACKAGE}/serve/__init__.py", f"{PACKAGE}/serve/batch.py"),
)


def of(folder: Path, files: dict[str, str]) -> Survey:
    """Write files by their names, and look at them as if all were in git."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return Survey(folder, [File(folder, name, tracked=True) for name in sorted(files)])


def layout(files: tuple[str, ...] = PRODUCTION) -> Layout:
    """Return a project in the folder `churn`, with some files."""
    return Layout("churn", "churn", frozenset(files))
