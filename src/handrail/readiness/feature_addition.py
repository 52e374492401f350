"""Can a feature be added quickly? One is: in a copy of the project, from the raw tables to a prediction."""

import ast
import os
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from handrail.config.settings import PACKAGE
from handrail.contract.schema import Role, one_of_role
from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext
from handrail.readiness.subprocesses import answer_of

NAME = "day_of_month_tried"
ROWS = 5_000  # of each table that a small run may cut
MOST_SECONDS = 600
FILES = (f"src/{PACKAGE}/contract.py", f"src/{PACKAGE}/etl/transform.sql")
DECLARED = f'    {NAME}: int | None = column(Role.FEATURE, "Day of the month", ge=1, le=31)\n'
TRIED = f"""
import json
from {PACKAGE}.engine import connect, rows
from {PACKAGE}.contract import CONTRACT, TABLE
from {PACKAGE}.etl.load import require_table
from {PACKAGE}.etl.pipeline import run_etl
from {PACKAGE}.model.registry import make_live
from {PACKAGE}.schema import columns, request_model
from {PACKAGE}.serve.live import LiveModel
from {PACKAGE}.settings import read_settings

settings = read_settings({ROWS})
loaded = run_etl(settings, lambda step: None).loaded
from {PACKAGE}.model.train import train
make_live(settings, train(settings, settings.dates, lambda step: None).version)
names = ", ".join(column.name for column in columns(request_model(CONTRACT)))
with connect(settings) as connection:
    asked = rows(connection, f"SELECT {{names}} FROM {{require_table(settings, TABLE)}} LIMIT 1")
model = LiveModel(settings)
answer = model.answer(asked)
print(json.dumps([loaded, answer.source, list(model.version.encoding.features)]))
"""


def feature_added(context: ReadinessContext) -> str:
    """Add the day of the month as a feature, in two files, and let the copy predict with it."""
    begun = time.perf_counter()
    with TemporaryDirectory(prefix="readiness-") as folder:
        copy = Path(folder)
        _copy(context.settings.root, copy)
        _add_feature(copy)
        loaded, source, features = _try(context, copy)
    if NAME not in features or source != "model":
        raise ProjectError(
            f"{FILES[0]}: a new feature is not learnt from, or the {source} answers in its place"
        )
    seconds = time.perf_counter() - begun
    return (
        f"a feature more in {len(FILES)} files, {' and '.join(Path(name).name for name in FILES)}: loaded in "
        f"{loaded:,} rows, learnt from and predicted with after {seconds:.0f} s"
    )


def _copy(root: Path, copy: Path) -> None:
    """Copy what says what the project is: its code and its facts."""
    shutil.copytree(root / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(root / "project.yaml", copy)


def _add_feature(copy: Path) -> None:
    """Declare the column at the end of the contract's class, and select it around the transformation."""
    contract, transform = (copy / name for name in FILES)
    text = contract.read_text(encoding="utf-8")
    ends = [
        node.end_lineno or 0
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef) and node.name == CONTRACT.__name__
    ]
    if not ends:
        raise ProjectError(
            f"{FILES[0]}: no class {CONTRACT.__name__} in it; CONTRACT has to be a class of that file"
        )
    lines = text.splitlines(keepends=True)
    lines.insert(ends[0], DECLARED)
    contract.write_text("".join(lines), encoding="utf-8")
    query = transform.read_text(encoding="utf-8").rstrip().rstrip(";")
    day = f"CAST(EXTRACT(day FROM {one_of_role(CONTRACT, Role.TIME).name}) AS INTEGER) AS {NAME}"
    transform.write_text(f"SELECT *, {day}\nFROM (\n{query}\n) AS transformed_before\n", encoding="utf-8")


def _try(context: ReadinessContext, copy: Path) -> tuple[int, str, list[str]]:
    """Run the copy from its sources to a prediction, small, in a process of its own."""
    given = {
        name: value
        for name, value in os.environ.items()
        if name != f"{context.settings.project.env_prefix}WORKSPACE"
    }
    if context.settings.source:
        given[f"{context.settings.project.env_prefix}DATA__SOURCE"] = str(context.settings.source)
    loaded, source, features = answer_of(
        TRIED,
        folder=copy,
        seconds=MOST_SECONDS,
        failed=f"a feature more, {NAME}, was declared and selected; then:",
        environment=given | {"PYTHONPATH": str(copy / "src")},
    )
    return loaded, source, features
