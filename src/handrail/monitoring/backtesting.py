"""Lives the months after the training again, one by one, until monitoring raises an alert."""

from collections.abc import Iterator
from datetime import date, timedelta

from handrail.compute.duckdb import Connection, connect, identifier, literal, row, rows
from handrail.config.settings import Settings
from handrail.etl.load import require_table
from handrail.monitoring.monitoring_run import MonitoringRun, run_monitoring
from handrail.monitoring.outcomes import all_predictions
from handrail.serving.inference import LiveModel
from handrail.serving.prediction_log import answer_and_log, prediction_folder
from handrail.training.dataset import period

BATCH_ROWS = 1000


def backtest(settings: Settings) -> Iterator[MonitoringRun]:
    """Yield the look at each month from `live_from`, predicting it first where that was not done yet.

    The rows go through the same code as requests do, and the outcomes are those of the loaded table.
    """
    months = _months(settings)
    if not months:
        return
    model = LiveModel(settings)
    for start, end in months:
        with connect(settings) as connection:
            if not _predicted(connection, settings, model, start, end):
                _predict(connection, settings, model, start, end)
        yield run_monitoring(settings, start, end)


def _months(settings: Settings) -> list[tuple[date, date]]:
    project = settings.project
    table = require_table(settings, project.table_name)
    with connect(settings) as connection:
        newest = row(connection, f"SELECT max({identifier(project.time)}) AS t FROM {table}")["t"].date()
    start, months = settings.dates.live_from, []
    while start <= newest:
        end = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        months.append((start, end))
        start = end
    return months


def _predicted(connection: Connection, settings: Settings, model: LiveModel, start: date, end: date) -> bool:
    folder = prediction_folder(settings)
    if not any(folder.glob("*.parquet")) and not any(folder.glob("*.jsonl")):
        return False
    version = model.follow().version.name
    query = (
        f"SELECT count(*) AS n FROM ({all_predictions(settings)}) "
        f"WHERE version = {literal(version)} AND {period(settings.project.contract, start, end)}"
    )
    # A rehearsal leaves a prediction or two, which is no month.
    return row(connection, query)["n"] > BATCH_ROWS // 10


def _predict(connection: Connection, settings: Settings, model: LiveModel, start: date, end: date) -> None:
    project = settings.project
    names = ", ".join(map(identifier, project.request.model_fields))
    table = require_table(settings, project.table_name)
    inside = period(project.contract, start, end)
    found = rows(connection, f"SELECT {names} FROM {table} WHERE {inside}")
    batches = (found[first : first + BATCH_ROWS] for first in range(0, len(found), BATCH_ROWS))
    answer_and_log(settings, model, batches)
