"""The tables that figures of the dashboard are computed from: views of files, in an engine in memory.

`predictions` has a row for each key that was predicted, archived or not: its latest prediction as it was
logged (`predicted_at`, `version`, `source`, `prediction`, `baseline`, what was told beside it), what was
asked, and the outcome, NULL until it is known. `monitoring` has the readings of every look, `alerts` those
that were raised. The loaded table has its own name.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import RLock
from typing import Any, TypeVar

from handrail.compute.duckdb import Connection, connect, identifier, literal, parquet, rows
from handrail.config.settings import Settings
from handrail.dashboard.alert_log import raised
from handrail.errors import ProjectError
from handrail.etl.load import table_path
from handrail.monitoring.outcomes import live_predictions, prediction_files, with_outcomes
from handrail.monitoring.series import newest_rows, read_series
from handrail.registry.live import read_live
from handrail.registry.versions import model_folder
from handrail.stages.gates import command
from handrail.training.known_outcomes import today_of

PREDICTIONS, MONITORING, ALERTS = "predictions", "monitoring", "alerts"
COLUMNS = {
    MONITORING: "at TIMESTAMP, start DATE, end DATE, version VARCHAR, rows BIGINT, outcomes BIGINT, "
    "figure VARCHAR, value DOUBLE, low DOUBLE, high DOUBLE, state VARCHAR, why VARCHAR, of VARCHAR",
    ALERTS: "at TIMESTAMP, version VARCHAR, text VARCHAR, relived BOOLEAN, back BOOLEAN",
}
Found = TypeVar("Found")
_KEPT: dict[tuple[str, str], tuple[object, Any]] = {}
_LOCK = RLock()


@contextmanager
def tables(settings: Settings) -> Generator[Connection]:
    """Open an engine that has them; raises ProjectError where nothing was predicted yet."""
    with engine(settings) as opened:
        found = live_predictions(settings, archived=True)
        latest = with_outcomes(opened, settings, found, today=today_of(settings))
        opened.execute(f"CREATE VIEW {PREDICTIONS} AS {latest}")
        loaded = table_path(settings, settings.project.table_name)
        if loaded.is_file() and settings.project.table_name not in (PREDICTIONS, MONITORING, ALERTS):
            name = identifier(settings.project.table_name)
            opened.execute(f"CREATE VIEW {name} AS SELECT * FROM {parquet(loaded)}")
        _fill(opened, MONITORING, newest_rows(read_series(settings).rows))
        _fill(opened, ALERTS, raised(settings).alerts)
        yield opened


@contextmanager
def engine(settings: Settings) -> Generator[Connection]:
    """Open an engine that spills to a temporary folder, and leaves the workspace alone.

    Raises ProjectError where nothing was predicted yet: it says what brings the first prediction.
    """
    if not prediction_files(settings, archived=True):
        raise ProjectError(_no_prediction_yet(settings))
    with TemporaryDirectory(ignore_cleanup_errors=True) as spill, connect(settings, Path(spill)) as opened:
        opened.execute("SET autoinstall_known_extensions = false")
        yield opened


def _no_prediction_yet(settings: Settings) -> str:
    project = settings.project
    verb = "score" if project.has("batch") else "serve"
    before = (
        "" if read_live(settings) else f"`{command(settings, 'promote')}` puts a model into staging, then "
    )
    return f"no prediction yet; {before}`{command(settings, verb)}` makes the first"


def query(settings: Settings, statement: str) -> list[dict[str, Any]]:
    """Return what a SELECT finds in the tables, a row each, by name; for summaries, not for whole tables.

    Raises ProjectError where nothing was predicted yet, and in the engine's words where it refuses.
    """
    with tables(settings) as connection:
        return rows(connection, statement)


def _fill(connection: Connection, name: str, items: Sequence[object]) -> None:
    """Make a table of plain data, its columns named as their fields."""
    columns = [each.rsplit(" ", 1) for each in COLUMNS[name].split(", ")]
    typed = ", ".join(f"{identifier(column)} {kind}" for column, kind in columns)
    connection.execute(f"CREATE TABLE {name} ({typed})")
    values = ", ".join(
        f"({', '.join(_value(getattr(item, column)) for column, _ in columns)})" for item in items
    )
    if values:
        connection.execute(f"INSERT INTO {name} VALUES {values}")


def _value(value: object) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(UTC).replace(tzinfo=None)
    return literal(value)


def remembered(read: Callable[[Settings], Found]) -> Callable[[Settings], Found]:
    """Let a function of the settings answer from memory until a file that it follows from has changed."""

    @wraps(read)
    def found(settings: Settings) -> Found:
        name, stamp = (repr(read), str(settings.workspace)), _stamp(settings)
        with _LOCK:  # of several who look at once, one computes
            if _KEPT.get(name, (None,))[0] != stamp:
                _KEPT[name] = stamp, read(settings)
            return _KEPT[name][1]

    return found


def _stamp(settings: Settings) -> tuple[object, ...]:
    """Return what changes with the files that figures follow from, with the settings, and with the day."""
    reports = settings.workspace / "reports"
    files = [*prediction_files(settings, archived=True), table_path(settings, settings.project.table_name)]
    files += [*(reports / "monitoring").glob("*"), reports / "alerts.jsonl"]
    files += [*model_folder(settings).glob("[!.]*/model.json")]
    stamps = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files if path.is_file()]
    return repr(settings), settings.project.kpi_queries, datetime.now(UTC).date(), tuple(sorted(stamps))
