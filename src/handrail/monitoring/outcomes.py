"""What was predicted in a window, joined with what came of it."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from UNRESOLVED_monitor_measures import live_query

from handrail.compute.duckdb import Connection, literal, parquet, row
from handrail.config.settings import Settings
from handrail.contract.schema import columns, request_model
from handrail.contract.table_check import SQL_TYPES
from handrail.errors import ProjectError
from handrail.etl.load import table_path
from handrail.serving.prediction_log import prediction_folder
from handrail.tasks.metric import Decision
from handrail.training.dataset import period

LOGGED = {
    "predicted_at": "TIMESTAMP",
    "version": "VARCHAR",
    "source": "VARCHAR",
    "prediction": "FLOAT",
    "baseline": "FLOAT",
}


def all_predictions(settings: Settings) -> str:
    """Return a query of every prediction, served or scored; raises ProjectError where there is none.

    A column that the contract did not have yet when a prediction was made is empty in it.
    """
    folder = prediction_folder(settings)
    types = LOGGED | {c.name: SQL_TYPES[c.kind] for c in columns(request_model(settings.project.contract))}
    parts = []
    if any(folder.glob("*.parquet")):
        parts.append(_scored(folder / "*.parquet", types))
    if any(folder.glob("*.jsonl")):
        parts.append(_served(folder / "*.jsonl", types))
    if not parts:
        raise ProjectError(f"{folder}: no prediction yet; monitoring starts with the first")
    return " UNION ALL ".join(parts)


def _scored(files: Path, types: Mapping[str, str]) -> str:
    none = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in types.items())
    typed = ", ".join(f"TRY_CAST({name} AS {kind}) AS {name}" for name, kind in types.items())
    found = f"SELECT * FROM read_parquet({literal(files)}, union_by_name = true)"
    return f"SELECT {typed} FROM (SELECT {none} WHERE false UNION ALL BY NAME {found})"


def _served(files: Path, types: Mapping[str, str]) -> str:
    schema = ", ".join(f"{name}: {literal(kind)}" for name, kind in types.items())
    # A line that a killed server left unfinished is skipped: its prediction was never answered.
    return (
        f"SELECT {', '.join(types)} FROM read_json({literal(files)}, format = 'newline_delimited', "
        f"ignore_errors = true, columns = {{{schema}}}) WHERE {KEY} IS NOT NULL"
    )


def join_outcomes(connection: Connection, settings: Settings, start: date | None, end: date | None) -> str:
    """Put the window's predictions with their outcomes into a temporary table and return its name.

    Of several predictions for one key the latest counts; the outcome is empty until it is known.
    """
    outcomes = table_path(settings, settings.project.table_name)
    known = f"SELECT {settings.project.key}, {settings.project.target} FROM {parquet(outcomes)}"
    if not outcomes.is_file():
        known = f"SELECT CAST(NULL AS VARCHAR) AS {settings.project.key}, CAST(NULL AS INTEGER) AS {settings.project.target}"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE watched AS
        SELECT p.* EXCLUDE (place), o.{settings.project.target}
        FROM (
            SELECT *, row_number() OVER (PARTITION BY {settings.project.key} ORDER BY predicted_at DESC) AS place
            FROM ({all_predictions(settings)}) WHERE {period(settings.project.contract, start, end)}
        ) AS p LEFT JOIN ({known}) AS o ON o.{settings.project.key} = p.{settings.project.key}
        WHERE place = 1
    """)
    return "watched"


def live_metrics(connection: Connection, source: str, prediction: str, decision: Decision) -> dict[str, Any]:
    """Return `outcomes` (rows whose outcome is known) and the metrics of the column `prediction`."""
    return row(connection, live_query(source, prediction, TARGET, decision))


def count_rejected(connection: Connection, folder: Path, start: date | None, end: date | None) -> int:
    """Return how many rows of the window were sent for scoring and broke the contract."""
    if not any(folder.glob("scored-*.parquet")):
        return 0
    rejected = parquet(folder / "scored-*.parquet")
    return row(connection, f"SELECT count(*) AS n FROM {rejected} WHERE {period(CONTRACT, start, end)}")["n"]
