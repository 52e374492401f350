"""Measure what the packages of each answer take once installed, and write src/handrail/scaffold/sizes.json.

python benchmarks/environment_sizes.py

Projects are baked and locked, each with one answer that another has not: what only its lock names is what the
answer brings. Then some of them, which have every answer between them, are installed and their files counted.
Needs the package index, some gigabytes of it. No bytecode is counted, and no Python.
"""

import csv
import json
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[1]
TABLE = TEMPLATE / "src" / "handrail" / "scaffold" / "sizes.json"
SMALLEST = {  # with `none` wherever that is an answer
    **{"stage": "discovery", "ci": "none", "compute": "duckdb", "model": "sklearn", "tracking": "none"},
    **{"notebooks": "none", "labelling": "none", "api": "fastapi", "batch": "none", "scheduler": "none"},
    **{"cloud": "none", "dashboard": "none"},
}
RESEARCH, PRODUCTION, OPERATION = ({"stage": each} for each in ("research", "production", "operation"))
MODELS = ("sklearn", "lightgbm", "xgboost", "keras")
PARTS = {  # by word, the question that it answers, and the stage from which on
    **dict.fromkeys(("postgres", "spark"), ("compute", RESEARCH)),
    **{"mlflow": ("tracking", RESEARCH), "labelling": ("labelling", RESEARCH)},
    **dict.fromkeys(("jupyter", "marimo"), ("notebooks", RESEARCH)),
    **dict.fromkeys(("aws", "gcp"), ("cloud", PRODUCTION)),
    **{"airflow": ("scheduler", PRODUCTION), "streamlit": ("dashboard", OPERATION)},
}
INSTALLED = (  # every word between them
    {
        **OPERATION,
        **{"compute": "spark", "model": "sklearn", "tracking": "mlflow", "notebooks": "jupyter"},
        **{"labelling": "labelling", "batch": "batch", "cloud": "aws", "dashboard": "streamlit"},
        "scheduler": "airflow",
    },
    {**OPERATION, "model": "keras", "compute": "postgres", "notebooks": "marimo", "cloud": "gcp"},
    {**RESEARCH, "model": "lightgbm"},
    {**RESEARCH, "model": "xgboost"},
)


def main() -> int:
    """Measure, and write the table."""
    with tempfile.TemporaryDirectory(prefix="handrail-sizes-") as temporary:
        folder = Path(temporary).resolve()
        parts = packages_of_parts(folder)
        packages: dict[str, int] = {}
        for number, answers in enumerate(INSTALLED):
            print(f"installing {answers}", file=sys.stderr)
            project = baked(answers, folder / f"installed-{number}")
            uv(project, "sync", "--quiet")
            packages = installed_bytes(project) | packages
    missing = {name for names in parts.values() for name in names} - packages.keys()
    if missing:
        print(f"not measured: {', '.join(sorted(missing))}", file=sys.stderr)
        return 1
    named = {name for names in parts.values() for name in names}
    table = {
        "measured": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "megabytes": {name: round(packages[name] / 1e6, 2) for name in sorted(named)},
        "parts": {word: sorted(names) for word, names in parts.items()},
    }
    TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8", newline="\n")
    return 0


def packages_of_parts(folder: Path) -> dict[str, set[str]]:
    """Return which packages each word brings, beyond those of what it needs to be asked."""

    def locked(name: str, **answers: str) -> set[str]:
        print(f"locking {name}", file=sys.stderr)
        return locked_packages(baked(answers, folder / name))

    discovery = locked("discovery")
    models = {word: locked(word, **RESEARCH, model=word) for word in MODELS}
    research = set.intersection(*models.values())
    api = locked("fastapi", **PRODUCTION)
    batch = locked("batch", **PRODUCTION, api="none", batch="batch")
    production = api & batch | models["sklearn"]
    operation = locked("operation", **OPERATION)
    base = {"research": models["sklearn"], "production": api, "operation": operation}
    return {
        "discovery": discovery,
        "research": research - discovery,
        **{word: found - research for word, found in models.items()},
        **{
            word: locked(word, **at, **{question: word}) - base[at["stage"]]
            for word, (question, at) in PARTS.items()
        },
        "production": production - models["sklearn"],
        "fastapi": api - production,
        "batch": batch - production,
        "operation": operation - api,
    }


def baked(answers: Mapping[str, str], folder: Path) -> Path:
    """Bake a project without a repository; return its folder."""
    (folder / ".git").mkdir(parents=True)
    given = [f"{key}={answer}" for key, answer in (SMALLEST | dict(answers)).items()]
    line = ("-m", "cookiecutter", str(TEMPLATE), "--no-input", "--default-config", *given)
    subprocess.run([sys.executable, *line], cwd=folder, check=True, capture_output=True)
    return folder / "late-flights"


def uv(project: Path, *arguments: str) -> str:
    """Run uv in a project; return what it printed."""
    line = ["uv", *arguments, "--python", sys.executable]
    return subprocess.run(line, cwd=project, check=True, capture_output=True, text=True).stdout


def locked_packages(project: Path) -> set[str]:
    """Return the packages that a project's lock installs on this machine, without itself and the engine."""
    uv(project, "lock", "--quiet")
    said = uv(project, "sync", "--dry-run", "--output-format", "json", "--quiet")
    return {normal(each) for each in re.findall(r'"name": "([^"]+)"', said)} - {"late-flights", "handrail"}


def installed_bytes(project: Path) -> dict[str, int]:
    """Return the size of each package in a project's environment, of the files that its RECORD names."""
    found = {}
    for record in (project / ".venv").rglob("*.dist-info/RECORD"):
        site = record.parent.parent
        rows = csv.reader(record.read_text(encoding="utf-8").splitlines())
        paths = [site / row[0] for row in rows if row and not row[0].endswith(".pyc")]
        name = normal(record.parent.name.removesuffix(".dist-info").rpartition("-")[0])
        found[name] = sum(path.stat().st_size for path in paths if path.is_file())
    return found


def normal(name: str) -> str:
    """Return the name of a package as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
