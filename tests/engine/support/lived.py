"""What the tests of serving and monitoring share: a live model, rows of the live period, commands."""

import json
from datetime import timedelta

from onnx import parser

from handrail import cli
from handrail.compute import duckdb as engine
from handrail.contract import schema
from handrail.etl import load
from handrail.registry import live as registry
from handrail.registry import versions
from handrail.serving import inference as live
from handrail.serving import prediction_log
from tests.engine.support.names import contract
from tests.engine.support.workspaces import SECRET, copied

CONTRACT = contract.CONTRACT
ASKED = [column.name for column in schema.columns(schema.request_model(CONTRACT))]
ROLES = (schema.Role.KEY, schema.Role.TIME, schema.Role.TARGET)
KEY, TIME, TARGET = (schema.one_of_role(CONTRACT, role).name for role in ROLES)
GO = {"DECISION__GO": "go", "DECISION__DECIDED_BY": "Ada", "DECISION__DECIDED_ON": "2026-01-16"}

# Linear: it can do nothing with a value that is missing.
NAN_WHERE_MISSING = """
<ir_version: 10, opset_import: ["" : 18]>
linear (float[N, WIDTH] x) => (float[N, 1] y)
{
    axes = Constant <value = int64[1] {1}> ()
    y = ReduceMean <keepdims = 1> (x, axes)
}
"""
# A root of what is below 0.
NEVER_A_NUMBER = """
<ir_version: 10, opset_import: ["" : 18]>
rooted (float[N, WIDTH] x) => (float[N, 1] y)
{
    axes = Constant <value = int64[1] {1}> ()
    mean = ReduceMean <keepdims = 1> (x, axes)
    size = Abs (mean)
    below = Neg (size)
    one = Constant <value = float[1] {1.0}> ()
    far_below = Sub (below, one)
    y = Sqrt (far_below)
}
"""
# A table with one place: it fails where the first feature asks for another.
FAILS_BEYOND_ZERO = """
<ir_version: 10, opset_import: ["" : 18]>
lookup (float[N, WIDTH] x) => (float[N, 1] y)
{
    first = Constant <value = int64[1] {0}> ()
    value = Gather <axis = 1> (x, first)
    place = Cast <to = 7> (value)
    table = Constant <value = float[1] {0.5}> ()
    y = Gather (table, place)
}
"""


def promoted(project):
    """Make the version trained last live, and return the settings."""
    registry.make_live(project, versions.newest_version(project))
    return project


def live_version(project):
    """Return the version that is live."""
    return registry.load_live(project)[0]


def rows_asked(project, limit=None, more=(), start=None):
    """Return rows of the live period as a client sends them, in the order of time, with columns `more`."""
    start, its = start or project.dates.live_from, project.project
    table = load.require_table(project, its.table_name)
    query = (
        f"SELECT {', '.join([*its.request.model_fields, *more])} FROM {table} WHERE {its.time} >= '{start}' "
        f"ORDER BY {its.time}, {its.key} LIMIT {limit or 'NULL'}"
    )
    with engine.connect(project) as connection:
        return engine.rows(connection, query)


def first_month(settings, start=None):
    """Return the rows of thirty days from `start`, by default the beginning of the live period."""
    start = start or settings.dates.live_from
    rows = rows_asked(settings, start=start)
    return [row for row in rows if row[settings.project.time].date() < start + timedelta(days=30)]


def keep(settings, rows):
    """Log `rows` as answers are."""
    log = prediction_log.PredictionLog(prediction_log.prediction_folder(settings))
    log.append(rows)
    log.close()


def predict(settings, records):
    """Predict for `records` and log it, as is done live."""
    keep(settings, prediction_log.log_rows(records, live.LiveModel(settings).answer(records)))


def first_month_predicted(trained, folder):
    """Return the settings of a copy in `folder` whose live version has predicted its first month."""
    settings = promoted(copied(trained, folder))
    predict(settings, first_month(settings))
    return settings


def variant(project, change, model=None):
    """Keep a version like the newest one, its record changed by `change`, and return its name."""
    source = versions.load_version(project, versions.newest_version(project))
    files = {path.name: path.read_bytes() for path in source.path.iterdir() if path.name != versions.SUMS}
    info = json.loads(files["model.json"])
    change(info)
    files["model.json"] = json.dumps(info).encode()
    if model is not None:
        files["model.onnx"] = model
    return versions.save_version(project, files, prefix=info["split"]["live_from"])


def in_words(text, width):
    """Return the model of `width` features that is written in `text`, as a file's content."""
    return parser.parse_model(text.replace("WIDTH", str(width))).SerializeToString()


def with_model(project, text):
    """Make a version live whose model is written in `text`, and return its name."""
    width = len(live_version(promoted(project)).encoding.features)
    name = variant(project, lambda info: None, in_words(text, width))
    registry.make_live(project, name)
    return name


def run(monkeypatch, project, *arguments, **environment):
    """Run a verb of the project in its folder on the workspace of `project`, and return its exit status."""
    monkeypatch.chdir(project.root)
    needed = {"ACCURACY__MINIMUM": str(project.accuracy.minimum), "FORGETTING_SECRET": SECRET}
    for name, value in {"WORKSPACE": str(project.workspace), **GO, **needed, **environment}.items():
        monkeypatch.setenv(f"{project.project.env_prefix}{name}", value)
    return cli.run(project.project.at(project.root), list(arguments))
