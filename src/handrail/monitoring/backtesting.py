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
from handrail.training.known_outcomes import DAY, due_before, newest_known, today_of
from handrail.training.splits import split_of

BATCH_ROWS = 1000


def backtest(settings: Settings, today: date | None = None) -> Iterator[MonitoringRun]:
    """Yield the look at each month from the live version's `live_from`, predicting it first if need be.

    Each is looked at when its outcomes were due: with what was known on that day, and not with what is known
    `today`. Where the table ends earlier, so do the looks. The rows go through the same code as requests do,
    the outcomes are those of the loaded table.
    """
    today = today or today_of(settings)
    model = LiveModel(settings)
    split = split_of(model.version.info["split"])
    if settings.project.time is None or isinstance(split, Shares):
        raise ProjectError(
            "--relive: lives the time after the split again, and chance has parted the rows (split.by in "
            "project.yaml); `score` and `monitor` look at what is predicted from now on"
        )
    today = _lived(settings, today)
    months = _months(settings, split.live_from, today)
    if not months:
        raise ProjectError(
            f"--relive: of no row from {split.live_from} on was the outcome due by {today}, up to which "
            "the table tells; load newer rows with `etl`, or train with `--until` an earlier day"
        )
    for start, end in months:
        with connect(settings) as connection:
            asked = _asked(settings, model, start, end)
            there = row(connection, f"SELECT count(*) AS n FROM ({asked})")["n"]
            if not _predicted(connection, settings, model, start, end, there):
                found = rows(connection, asked)
                batches = (found[first : first + BATCH_ROWS] for first in range(0, len(found), BATCH_ROWS))
                answer_and_log(settings, model, batches)
        due = end + timedelta(days=settings.outcome.known_after_days) - DAY
        yield run_monitoring(settings, start, end, min(due, today))


def _lived(settings: Settings, today: date) -> date:
    """Return the day up to which the table tells what happened: its newest row or outcome, or `today`."""
    project = settings.project
    table, time = require_table(settings, project.table_name), identifier(project.origin or project.window)
    with connect(settings) as connection:
        newest = row(connection, f"SELECT CAST(max({time}) AS DATE) AS day FROM {table}")["day"]
    found = [day for day in (newest, newest_known(settings, today)) if day]
    return min(today, max(found, default=today))


def _months(settings: Settings, start: date, today: date) -> list[tuple[date, date]]:
    """Return the months from `start` on that have rows with outcomes due by the end of `today`.

    Of forecasts, those count that are made from `start` on: six months ahead, the first month has none.
    """
    project = settings.project
    time, table = identifier(project.window), require_table(settings, project.table_name)
    new = f"{time} >= TIMESTAMP '{start}' AND {time} < TIMESTAMP '{due_before(settings, today + DAY)}'"
    new += f" AND {period(project.contract, start, None, project.origin)}" if project.origin else ""
    with connect(settings) as connection:
        found = rows(
            connection,
            f"SELECT DISTINCT CAST(date_trunc('month', {time}) AS DATE) AS first FROM {table} WHERE {new} "
            "ORDER BY first",
        )
    firsts = [item["first"] for item in found]
    return [(max(first, start), (first + timedelta(days=32)).replace(day=1)) for first in firsts]


def _predicted(
    connection: Connection, settings: Settings, model: LiveModel, start: date, end: date, there: int
) -> bool:
    """Return whether the live version has predicted a month of which `there` rows are loaded."""
    folder = prediction_folder(settings)
    if not any(folder.glob("*.parquet")) and not any(folder.glob("*.jsonl")):
        return False
    version = model.follow().version.name
    query = (
        f"SELECT count(*) AS n FROM ({all_predictions(settings)}) "
        f"WHERE version = {literal(version)} AND {period(settings.project.contract, start, end)}"
    )
    # A rehearsal leaves a prediction or two, which is no month.
    return row(connection, query)["n"] > min(BATCH_ROWS // 10, there // 2)


def _asked(settings: Settings, model: LiveModel, start: date, end: date) -> str:
    """Return the query of what is asked for the rows of a month."""
    project = settings.project
    names = ", ".join(map(identifier, project.request.model_fields))
    table = require_table(settings, project.table_name)
    inside = period(project.contract, start, end)
    if project.origin:  # no forecast that was made before the version could exist
        new_from = date.fromisoformat(model.version.info["split"]["live_from"])
        inside += f" AND {period(project.contract, new_from, None, project.origin)}"
    return f"SELECT {names} FROM {table} WHERE {inside}"
