"""Lives the months after the training again, one by one, until monitoring raises an alert."""

from collections.abc import Iterator
from datetime import date, timedelta

from handrail.compute.duckdb import Connection, connect, identifier, literal, row, rows
from handrail.config.sections import Shares
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.load import require_table
from handrail.monitoring.monitoring_run import MonitoringRun, run_monitoring
from handrail.monitoring.outcomes import all_predictions
from handrail.serving.inference import LiveModel
from handrail.serving.prediction_log import answer_and_log, prediction_folder
from handrail.training.dataset import period
from handrail.training.known_outcomes import DAY, due_before, today_of
from handrail.training.splits import split_of

BATCH_ROWS = 1000


def backtest(settings: Settings, today: date | None = None) -> Iterator[MonitoringRun]:
    """Yield the look at each month from the live version's `live_from`, predicting it first if need be.

    Each is looked at when its outcomes were due: with what was known on that day, and not with what is known
    `today`. The rows go through the same code as requests do, the outcomes are those of the loaded table.
    """
    today = today or today_of(settings)
    model = LiveModel(settings)
    split = split_of(model.version.info["split"])
    if settings.project.time is None or isinstance(split, Shares):
        raise ProjectError(
            "--relive: lives the time after the split again, and chance has parted the rows (split.by in "
            "project.yaml); `score` and `monitor` look at what is predicted from now on"
        )
    live_from = split.live_from
    for start, end in _months(settings, live_from, today):
        with connect(settings) as connection:
            if not _predicted(connection, settings, model, start, end):
                _predict(connection, settings, model, start, end)
        due = end + timedelta(days=settings.outcome.known_after_days) - DAY
        yield run_monitoring(settings, start, end, min(due, today))


def _months(settings: Settings, start: date, today: date) -> list[tuple[date, date]]:
    """Return the months from `start` on that have rows with outcomes due by the end of `today`."""
    time, table = identifier(settings.project.window), require_table(settings, settings.project.table_name)
    before, months = due_before(settings, today + DAY), []
    query = f"SELECT CAST(max({time}) AS DATE) AS day FROM {table} WHERE {time} < TIMESTAMP '{before}'"
    with connect(settings) as connection:
        newest = row(connection, query)["day"]
    while newest and start <= newest:
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
    if project.origin:  # no forecast that was made before the version could exist
        new_from = date.fromisoformat(model.version.info["split"]["live_from"])
        inside += f" AND {period(project.contract, new_from, None, project.origin)}"
    found = rows(connection, f"SELECT {names} FROM {table} WHERE {inside}")
    batches = (found[first : first + BATCH_ROWS] for first in range(0, len(found), BATCH_ROWS))
    answer_and_log(settings, model, batches)
