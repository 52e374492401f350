"""A project with data of another kind than the example's: it runs, and its own tests hold."""

import re
from pathlib import Path

import pytest

from tests.template.baking import Project, bake_new, ran

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("own data")]

# 20,000 visits to clinics in fourteen months, two of them twice: semicolons, names with spaces, people.
MADE = """
import sys
import duckdb
chance = "(hash(i, {}) % 1000 / 1000.0)"
visits = f'''SELECT 'V' || (i - i // 19998 * 2) AS "Visit No.", 'P' || (i % 4000) AS "Patient",
    strftime(TIMESTAMP '2024-01-02 07:00:00' + to_minutes(i * 31), '%d.%m.%Y %H:%M') AS "Starts at",
    ['Köln', 'Zürich', 'Bonn'][1 + i % 3] AS "Clinic",
    CAST({chance.format(1)} * 60 AS INTEGER) AS "Lead (days)",
    CASE WHEN i % 5 > 0 THEN ['Gynäkologie', 'Radiologie'][1 + i % 2] END AS "Department",
    CASE WHEN {chance.format(2)} < 0.05 + 0.5 * {chance.format(1)} THEN 'no' ELSE 'yes' END AS "Came"
    FROM range(20000) AS r(i)'''
patients = f'''SELECT 'P' || i AS patient, ['f', 'm'][1 + i % 2] AS sex, 40 * {chance.format(3)} AS km
    FROM range(4000) AS r(i)'''
with duckdb.connect() as connection:
    connection.execute(f"COPY ({visits}) TO '{sys.argv[1]}/visits.csv' (HEADER, DELIMITER ';')").fetchall()
    connection.execute(f"COPY ({patients}) TO '{sys.argv[1]}/patients.parquet'").fetchall()
"""
CONTRACT = '''"""The contract: every column of the table."""

from datetime import datetime
from typing import Literal

from handrail.contract import Record, Role, column
from handrail.tasks import Classification


class Visit(Record):
    """One booked visit, as known two days before, and if the patient came."""

    visit_id: str = column(Role.KEY, "Number of the visit", pattern="^V[0-9]+$", examples=["V1"])
    starts_at: datetime = column(Role.TIME, "Beginning", examples=[datetime(2024, 1, 2, 7)])
    clinic: Literal["Köln", "Zürich", "Bonn"] = column(Role.FEATURE, "Clinic", sliced=True)
    department: str | None = column(
        Role.FEATURE, "Department", pattern="^[A-Z]", examples=["Gynäkologie", "Radiologie"]
    )
    lead_days: int = column(Role.FEATURE, "From booking to visit", unit="days", ge=0, le=60)
    hour: int = column(Role.FEATURE, "Hour of the beginning", unit="h", ge=0, le=23)
    distance_km: float | None = column(Role.FEATURE, "Home to clinic", unit="km", ge=0, le=100)
    patient: str = column(Role.CONTEXT, "Patient", examples=["P1"])
    sex: Literal["f", "m"] | None = column(Role.SENSITIVE, "Sex")
    missed: int | None = column(Role.TARGET, "1 = did not come", ge=0, le=1)


CONTRACT = Visit
TABLE = "visits"
TASK = Classification()
'''
RAW_TABLES = """RAW_TABLES = {
    "booked": RawTable(
        "visits.csv",
        {
            "Visit No.": "VARCHAR",
            "Patient": "VARCHAR",
            "Starts at": "VARCHAR",
            "Clinic": "VARCHAR",
            "Department": "VARCHAR",
            "Lead (days)": "INTEGER",
            "Came": "VARCHAR",
        },
        minimum_rows=1000,
        separator=";",
    ),
    "patients": RawTable(
        "patients.parquet", {"patient": "VARCHAR", "sex": "VARCHAR", "km": "DOUBLE"}, minimum_rows=100
    ),
}
"""
TRANSFORMED = """SELECT
    b."Visit No." AS visit_id,
    strptime(b."Starts at", '%d.%m.%Y %H:%M') AS starts_at,
    b."Clinic" AS clinic,
    b."Department" AS department,
    b."Lead (days)" AS lead_days,
    hour(strptime(b."Starts at", '%d.%m.%Y %H:%M')) AS hour,
    p.km AS distance_km,
    p.patient,
    p.sex,
    CASE b."Came" WHEN 'no' THEN 1 ELSE 0 END AS missed
FROM booked AS b
LEFT JOIN patients AS p ON p.patient = b."Patient"
"""
FACTS = {
    'name: "Late Flights"': "name: Visits",
    'description: "?"': "description: Who will come to which clinic",
    "baseline_by: scheduled_hour": "baseline_by: department",
    "sampled: [flights]": "sampled: [booked]",
    "validation_from: 2013-06-01": "validation_from: 2024-08-01",
    "test_from: 2013-07-01": "test_from: 2024-09-01",
    "live_from: 2013-09-01": "live_from: 2024-11-01",
}


def replaced(path: Path, changes: dict[str, str]) -> None:
    """Change a text in each of these places."""
    text = path.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def own(cookies_session, tmp_path_factory) -> Project:
    """Return a default project that was made somebody's own, in the order of its README."""
    project, source = bake_new(cookies_session, {}), tmp_path_factory.mktemp("source")
    ran(project, "uv", "run", "late-flights", "start-over")
    ran(project, "uv", "run", "python", "-c", MADE, str(source))
    package = Path(project.path, "src", "late_flights")
    replaced(Path(project.path, "project.yaml"), FACTS | {"source: null": f"source: {source}"})
    Path(package, "contract.py").write_text(CONTRACT, encoding="utf-8")
    extract = Path(package, "etl", "extract.py")
    text = extract.read_text(encoding="utf-8")
    raw_tables = re.search(r"RAW_TABLES = \{\n.*?\n\}\n", text, re.DOTALL)[0]
    extract.write_text(text.replace(raw_tables, RAW_TABLES), encoding="utf-8")
    Path(package, "etl", "transform.sql").write_text(TRANSFORMED, encoding="utf-8")
    return project


def test_it_runs(own):
    said = ran(own, "uv", "run", "late-flights", "etl")
    loaded = r"data/visits\.parquet +19,998 +loaded\nvisit_id: repeated +2 +duplicates left out\n"
    assert re.search(loaded, said)
    trained = ran(own, "uv", "run", "late-flights", "train")
    model, baseline = re.search(r"roc_auc +(0\.\d+) .* (0\.\d+)\n", trained).groups()
    assert float(model) > 0.6 > float(baseline)
    page = Path(own.path, "reports", "company.html").read_text(encoding="utf-8")
    assert not re.search(r"flight|departure|desk", page.partition("</style>")[2], re.IGNORECASE)


def test_its_own_tests_hold(own):
    said = ran(own, "uv", "run", "pytest", "-q")
    assert int(re.search(r"(\d+) passed", said)[1]) > 15
