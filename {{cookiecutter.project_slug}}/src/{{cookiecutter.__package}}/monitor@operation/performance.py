"""What was predicted in a window, joined with what came of it."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from ..contract import CONTRACT, TABLE
from ..engine import Connection, literal, parquet, row
from ..errors import ProjectError
from ..etl.load import table_path
from ..etl.validate import SQL_TYPES
from ..model.features import period
from ..model.metrics import Decision
from ..schema import Role, columns, one_of_role, request_model
from ..serve.prediction_log import prediction_folder
from ..settings import Settings
from .measures import live_query

KEY = one_of_role(CONTRACT, Role.KEY).name
TIME = one_of_role(CONTRACT, Role.TIME).name
TARGET = one_of_role(CONTRACT, Role.TARGET).name
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
    types = LOGGED | {c.name: SQL_TYPES[c.kind] for c in columns(request_model(CONTRACT))}
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


def gather(connection: Connection, settings: Settings, start: date | None, end: date | None) -> str:
    """Put the window's predictions with their outcomes into a temporary table and return its name.

    Of several predictions for one key the latest counts; the outcome is empty until it is known.
    """
    outcomes = table_path(settings, TABLE)
    known = f"SELECT {KEY}, {TARGET} FROM {parquet(outcomes)}"
    if not outcomes.is_file():
        known = f"SELECT CAST(NULL AS VARCHAR) AS {KEY}, CAST(NULL AS INTEGER) AS {TARGET}"
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE watched AS
        SELECT p.* EXCLUDE (place), o.{TARGET}
        FROM (
            SELECT *, row_number() OVER (PARTITION BY {KEY} ORDER BY predicted_at DESC) AS place
            FROM ({all_predictions(settings)}) WHERE {period(CONTRACT, start, end)}
        ) AS p LEFT JOIN ({known}) AS o ON o.{KEY} = p.{KEY}
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
