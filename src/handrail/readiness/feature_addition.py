"""Can a feature be added quickly? One is: in a copy of the project, from the raw tables to a prediction."""

import ast
import time
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from handrail.compute.duckdb import connect, identifier, rows
from handrail.console import quietly
from handrail.contract.schema import columns
from handrail.errors import ProjectError
from handrail.etl.load import require_table
from handrail.etl.pipeline import run_etl
from handrail.project import Project
from handrail.readiness.context import ReadinessContext
from handrail.readiness.subprocesses import in_process
from handrail.readiness.workspaces import copy_code
from handrail.registry.live import make_live
from handrail.serving.inference import LiveModel
from handrail.training.run import train

NAME = "day_of_month_tried"
BEFORE = "transformed_before"
ROWS = 5_000  # of each table that a small run may cut
MOST_SECONDS = 600
FILES = ("contract.py", "etl/transform.sql")  # of the package
IMPORTED = "from handrail.contract import Role as role_tried, column as column_tried\n\n\n"
DECLARED = f'    {NAME}: int | None = column_tried(role_tried.FEATURE, "Day of the month", ge=1, le=31)\n'


def feature_added(context: ReadinessContext) -> str:
    """Add the day of the month as a feature, in two files, and let the copy predict with it."""
    begun, project = time.perf_counter(), context.settings.project
    with TemporaryDirectory(prefix="readiness-") as folder:
        copy = Path(folder)
        environment = copy_code(context.settings, copy)
        add_feature(project, copy / "src" / project.package)
        loaded, source, features = in_process(
            learn_and_predict,
            project.package,
            folder=copy,
            seconds=MOST_SECONDS,
            failed=f"a feature more, {NAME}, was declared and selected; then:",
            environment=environment,
        )
    where = f"src/{project.package}"
    if NAME not in features:
        raise ProjectError(f"{where}/model/features.py: a new feature of the contract is not learnt from")
    if source != "model":
        raise ProjectError(
            f"{where}/{FILES[0]}: with a new feature, the {source} answers in the model's place"
        )
    seconds = time.perf_counter() - begun
    return (
        f"a feature more in {len(FILES)} files, {' and '.join(Path(name).name for name in FILES)}: loaded in "
        f"{loaded:,} rows, learnt from and predicted with after {seconds:.0f} s"
    )


def add_feature(project: Project, package: Path) -> None:
    """Declare the column at the end of the contract's class, and select it around the transformation.

    `package`: the folder of the package, whose files are changed
    """
    contract, transform = (package / name for name in FILES)
    shown, wanted = f"src/{project.package}/{FILES[0]}", project.contract.__name__
    text = contract.read_text(encoding="utf-8").rstrip() + "\n" if contract.is_file() else ""
    found = [each for each in ast.parse(text).body if isinstance(each, ast.ClassDef) and each.name == wanted]
    if not found:
        raise ProjectError(f"{shown}: no class {wanted} in it; CONTRACT has to be a class of that file")
    begin = min([found[-1].lineno, *(each.lineno for each in found[-1].decorator_list)])
    lines = text.splitlines(keepends=True)
    lines.insert(found[-1].end_lineno or begin, DECLARED)
    lines.insert(begin - 1, IMPORTED)
    contract.write_text("".join(lines), encoding="utf-8")
    query = transform.read_text(encoding="utf-8").rstrip().rstrip(";")
    made = f"EXTRACT(day FROM {identifier(project.time)})" if project.time else _from_row()
    day = f"CAST({made} AS INTEGER) AS {NAME}"
    transform.write_text(f"SELECT *, {day}\nFROM (\n{query}\n) AS {BEFORE}\n", encoding="utf-8")


def _from_row() -> str:
    """Return an SQL expression from 1 to 31 of the whole row, where rows have no time to take a day of."""
    return f"1 + md5_number_lower(CAST({BEFORE} AS VARCHAR)) % 31"


def learn_and_predict(package: str) -> tuple[int, str, list[str]]:
    """Load few rows, learn and predict; return the rows loaded, what answered, and the features learnt.

    It is called in a process of its own, in the folder of the project.
    """
    settings = import_module(package).project.settings(ROWS)
    loaded = run_etl(settings, quietly).loaded
    make_live(settings, train(settings, settings.parted, quietly).version)
    names = ", ".join(identifier(column.name) for column in columns(settings.project.request))
    with connect(settings) as connection:
        table = require_table(settings, settings.project.table_name)
        asked = rows(connection, f"SELECT {names} FROM {table} LIMIT 1")
    model = LiveModel(settings)
    return loaded, model.answer(asked).source, list(model.version.encoding.features)
