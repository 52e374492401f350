"""Rebuilds what production saw in a window, in a folder of its own, to look for the cause of an alert.

The folder is a whole workspace: the predictions, the rows and outcomes of the loaded table, the rejected rows
and the versions that answered. Any command works in it, here or on another machine.
"""

import shutil
from dataclasses import asdict, dataclass
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Any

from handrail.compute.data_engine import connect_data
from handrail.compute.duckdb import Connection, identifier, parquet, rows, write_parquet
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.load import loaded_table, rejected_path, table_path
from handrail.monitoring.drift_report import FeatureDrift, SliceChange, feature_drift, slice_changes
from handrail.monitoring.monitoring_run import choose_window
from handrail.monitoring.outcomes import answered_by, join_outcomes, rejected_files
from handrail.monitoring.reproduce import Reproduction, reproduce_predictions
from handrail.registry.live import make_live, read_live
from handrail.registry.versions import load_version, model_folder
from handrail.serving.prediction_log import prediction_folder
from handrail.training.dataset import period
from handrail.training.known_outcomes import today_of


@dataclass(frozen=True)
class Replay:
    """What was seen in a window (end: first day after it), whether it comes out again, and what moved.

    version: the one that answered most, of whose predictions `features` and `parts` are
    """

    folder: Path
    start: date
    end: date
    version: str
    again: tuple[Reproduction, ...]
    features: tuple[FeatureDrift, ...]
    parts: tuple[SliceChange, ...]

    def record(self) -> dict[str, Any]:
        """Return everything as plain data; a figure that is not known is None."""
        return {name: _known(value) for name, value in asdict(self).items() if name != "folder"}


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _known(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_known(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def replay(settings: Settings, start: date | None, end: date | None, today: date | None = None) -> Replay:
    """Rebuild the window from `start` on and before `end`; by default, the one that `monitor` looks at.

    Raises ProjectError where it has no prediction, or a version that answered in it is no longer kept.
    """
    today = today or today_of(settings)
    with connect_data(settings) as connection:
        start, end = choose_window(connection, settings, start, end, today)
        live = read_live(settings)
        watched = (live.versions[-1], *([live.canary.name] if live.canary else [])) if live else ()
        source = join_outcomes(connection, settings, (start, end), today=today, watched=watched)
        answered = _versions(connection, source)
        if not answered:
            raise ProjectError(f"no prediction from {start} on and before {end}; choose another window")
        found = [load_version(settings, name) for name in answered]
        again = tuple(reproduce_predictions(connection, source, version) for version in found)
        folder = settings.workspace / "data" / "replays" / f"{start}-{end}"
        there = settings.model_copy(update={"workspace": folder})
        _rebuild(connection, settings, there, source, answered)
        _copy_rejected(connection, settings, there, start, end)
        main = found[0]
        own = answered_by(source, main.name)
        features = feature_drift(connection, own, main)
        parts = slice_changes(connection, settings, own, main)
    return Replay(folder, start, end, main.name, again, features, parts)


def _versions(connection: Connection, source: str) -> list[str]:
    """Return the versions that answered, the one with the most answers first."""
    found = rows(connection, f"SELECT version, count(*) AS n FROM {source} GROUP BY 1 ORDER BY n DESC, 1")
    return [item["version"] for item in found]


def _rebuild(
    connection: Connection, settings: Settings, there: Settings, source: str, versions: list[str]
) -> None:
    """Fill the workspace `there` anew; the version with the most answers is live in it."""
    project = settings.project
    shutil.rmtree(there.workspace, ignore_errors=True)
    predictions = prediction_folder(there) / "seen.parquet"
    write_parquet(connection, f"SELECT * EXCLUDE ({identifier(project.target)}) FROM {source}", predictions)
    table = loaded_table(connection, settings)
    if table:
        key = identifier(project.key)
        seen = f"{key} IN (SELECT {key} FROM {source})"
        query = f"SELECT * FROM {table} WHERE {seen}"
        write_parquet(connection, query, table_path(there, project.table_name))
    for name in versions:
        shutil.copytree(model_folder(settings) / name, model_folder(there) / name)
    make_live(there, versions[0])


def _copy_rejected(
    connection: Connection, settings: Settings, there: Settings, start: date, end: date
) -> None:
    """Write what was sent for scoring in the window and broke the contract."""
    files = rejected_files(settings)
    if files:
        inside = period(settings.project.contract, start, end) if settings.project.time else "TRUE"
        query = f"SELECT * FROM {parquet(*files)} WHERE {inside}"
        write_parquet(connection, query, rejected_path(there, "scored-seen"))
