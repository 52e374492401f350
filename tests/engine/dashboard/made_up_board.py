"""A workspace of which every figure of the dashboard is known by hand: visits, and what was told of them."""

import json
from datetime import date, datetime, timedelta

import duckdb
import yaml

from handrail import Project
from handrail.contract import Record, Role, column
from handrail.tasks import Classification, Regression

MONDAY = datetime(2024, 1, 1)
VERSION = "2023-12-01-aaaaaaaa"
QUERIES = """\
-- The share of the cases that were told.
CREATE VIEW found AS
SELECT date_trunc('week', seen_at) AS week, avg(CAST(flagged AS INTEGER)) AS value
FROM predictions WHERE ill = 1 GROUP BY week;

/* Of those told: */
CREATE VIEW right_ones AS
SELECT date_trunc('week', seen_at) AS week, avg(ill) AS value FROM predictions WHERE flagged GROUP BY week;
"""
KPIS = [
    {"name": "found", "text": "share found", "at_least": 0.5, "unit": "share"},
    {"name": "right_ones", "text": "share right", "at_least": 0.9, "unit": "share"},
]


class Visit(Record):
    """A visit, and whether somebody was ill."""

    visit_id: str = column(Role.KEY, "Number", pattern="^V[0-9]+$", examples=["V1"])
    seen_at: datetime = column(Role.TIME, "When", examples=[MONDAY])
    heat: float = column(Role.FEATURE, "Heat", ge=0, le=50)
    ill: int | None = column(Role.TARGET, "1 = ill", ge=0, le=1)


class Wait(Record):
    """The same with an amount."""

    visit_id: str = column(Role.KEY, "Number", pattern="^V[0-9]+$", examples=["V1"])
    seen_at: datetime = column(Role.TIME, "When", examples=[MONDAY])
    heat: float = column(Role.FEATURE, "Heat", ge=0, le=50)
    ill: float | None = column(Role.TARGET, "Minutes waited", unit="minutes", ge=0, le=100)


def board(folder, *, queries=QUERIES, kpis=KPIS, contract=Visit, **facts):
    """Return the settings of a project in `folder` that has nothing yet but its facts."""
    chance = contract is Visit
    given = {
        "parts": {"research", "production", "operation", "batch", "dashboard"},
        "contract": contract,
        "table_name": "visits",
        "task": Classification() if chance else Regression(),
        "metrics": (Classification() if chance else Regression()).metrics,
        "raw_tables": {},
        "kpi_queries": queries,
    }
    said = {
        "name": "Visits",
        "description": "who is ill",
        "decision": {"question": "Who?", "sponsor": "Ada", "kpis": kpis, "go": "open"},
        "accuracy": {"metric": "roc_auc" if chance else "mae", "baseline_by": "heat"},
        "error_costs": {"currency": "EUR", "too_low": 7, "too_high": 2},
        "live": {"expected": {"roc_auc" if chance else "mae": [0, 1]}},
        "split": {"validation_from": "2023-10-01", "test_from": "2023-11-01", "live_from": "2023-12-01"},
    }
    (folder / "project.yaml").write_text(yaml.safe_dump(said | facts))
    return Project("made_up_board", given=given, root=folder).settings()


def predicted(settings, rows, name="scored-a.parquet", version=VERSION):
    """Keep predictions as scoring does; rows: (number, day, prediction, what was told, baseline)."""
    folder = settings.workspace / "data" / "predictions"
    folder.mkdir(parents=True, exist_ok=True)
    told = "flagged" if settings.project.task.predicts == "chance" else "planned"
    columns = [
        f"('V{number}', TIMESTAMP '{MONDAY + timedelta(days=day)}', {prediction}, {act}, {simple})"
        for number, day, prediction, act, simple in rows
    ]
    duckdb.sql(
        f"COPY (SELECT TIMESTAMP '2024-02-01' AS predicted_at, '{version}' AS version, 'model' AS source, "
        f"1.5 AS heat, * FROM (VALUES {', '.join(columns)}) "
        f"AS v(visit_id, seen_at, prediction, {told}, baseline)) "
        f"TO '{folder / name}' (FORMAT parquet)"
    )


def known(settings, outcomes):
    """Keep the loaded table; outcomes: {number: (day, outcome or None)}."""
    values = ", ".join(
        f"('V{number}', TIMESTAMP '{MONDAY + timedelta(days=day)}', 1.5, {'NULL' if came is None else came})"
        for number, (day, came) in outcomes.items()
    )
    duckdb.sql(
        f"COPY (SELECT * FROM (VALUES {values}) AS v(visit_id, seen_at, heat, ill)) "
        f"TO '{settings.workspace / 'data' / 'visits.parquet'}' (FORMAT parquet)"
    )


def kept(settings, name=VERSION, **decision):
    """Keep what the dashboard reads of a version."""
    folder = settings.workspace / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    split = {"validation_from": "2023-10-01", "test_from": "2023-11-01", "live_from": "2023-12-01"}
    info = {"split": split, "evaluation": {"decision": decision}}
    (folder / "model.json").write_text(json.dumps(info))


def looked(settings, *readings):
    """Keep the readings of looks as monitoring does; each overrides parts of a usual one."""
    folder = settings.workspace / "reports" / "monitoring"
    folder.mkdir(parents=True, exist_ok=True)
    usual = {
        "at": "2024-02-01T00:00:00+00:00",
        "start": "2024-01-01",
        "end": "2024-01-31",
        "version": VERSION,
        "rows": 10,
        "outcomes": 8,
        "figure": "roc_auc",
        "value": 0.75,
        "low": 0.7,
        "high": 0.9,
        "state": "ok",
        "why": "",
        "of": "latest",
    }
    with (folder / "series.ndjson").open("a") as file:
        file.writelines(json.dumps(usual | each) + "\n" for each in readings)


# V1 and V2 fall into the first week, V3 to V5 into the second, V6 into the third; V7 has no outcome.
ROWS = [
    (1, 0, 0.9, True, 0.6),
    (2, 1, 0.2, False, 0.6),
    (3, 7, 0.8, True, 0.2),
    (4, 8, 0.7, True, 0.2),
    (5, 9, 0.1, False, 0.2),
    (6, 14, 0.3, False, 0.7),
    (7, 15, 0.9, True, 0.7),
]
CAME = {1: (0, 1), 2: (1, 1), 3: (7, 1), 4: (8, 0), 5: (9, 0), 6: (14, 0), 7: (15, None)}
WEEKS = [date(2024, 1, 1), date(2024, 1, 8), date(2024, 1, 15)]


def filled(folder, **given):
    """Return the settings of that workspace with the visits."""
    settings = board(folder, **given)
    predicted(settings, ROWS)
    known(settings, CAME)
    kept(settings, threshold=0.5)
    return settings
