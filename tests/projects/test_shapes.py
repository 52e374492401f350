"""Data of every shape, put into a baked project as a user would: all verbs of its stage, its own tests."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.template.baking import Project, bake_new, ran

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("shapes")]

HEAD = '''"""The contract: every column of the table."""

from datetime import datetime
from typing import Literal

from handrail.contract import Record, Role, column
from handrail.tasks import {task}

'''
TAIL = """

CONTRACT = {record}
TABLE = "{table}"
TASK = {task}()
"""
MADE = """
import sys
import duckdb
duckdb.sql('''{query}''').write_csv(sys.argv[1])
"""
AGREED = {
    "decision": {
        "question": "What comes?",
        "sponsor": "Ada",
        "kpis": ["what it saves"],
        "go": "go",
        "decided_by": "Ada",
        "decided_on": "2026-01-05",
    },
    "error_costs": {"currency": "EUR", "too_low": 3, "too_high": 1, "tolerable": 1},
}


@dataclass(frozen=True)
class Shape:
    """Data of one's own: how it is made, its contract and table, and what project.yaml says of it."""

    table: str
    record: str
    columns: str
    query: str
    raw: dict
    transform: str
    facts: dict
    task: str = "Classification"
    own: dict = field(default_factory=dict)


CHANCE = "(hash(i, {}) % 10000 / 10000.0)"

PANEL = Shape(
    table="offers",
    record="Offer",
    columns='''class Offer(Record):
    """An offer to a customer in a month, and whether it was taken within 60 days."""

    offer: str = column(Role.KEY, "Customer and month", pattern="^C[0-9]+-[0-9]{6}$", examples=["C1-202101"])
    customer: str = column(Role.SUBJECT, "Customer", pattern="^C[0-9]+$", examples=["C1", "C17"])
    offered_at: datetime = column(Role.TIME, "When", examples=[datetime(2021, 1, 1)])
    settled_at: datetime | None = column(Role.KNOWN, "When it was settled", examples=[datetime(2021, 2, 1)])
    liking: float = column(Role.FEATURE, "How much it fits", ge=0, le=1)
    tariff: Literal["low", "high"] = column(Role.FEATURE, "Tariff", sliced=True)
    taken: int | None = column(Role.TARGET, "1 = taken", ge=0, le=1)
''',
    query=f"""SELECT 'C' || i % 200 AS client,
        TIMESTAMP '2021-01-01' + to_months(CAST(i // 200 AS INTEGER)) AS month,
        round(0.7 * (hash(i % 200) % 1000 / 1000.0) + 0.3 * {CHANCE.format(1)}, 3) AS liking,
        CASE WHEN i % 3 = 0 THEN 'high' ELSE 'low' END AS tariff, 31 + i % 30 AS days,
        CAST({CHANCE.format(2)} < 0.7 * (hash(i % 200) % 1000 / 1000.0) AS INTEGER) AS taken
        FROM range(7200) AS r(i)""",
    raw={
        "client": "VARCHAR",
        "month": "TIMESTAMP",
        "liking": "DOUBLE",
        "tariff": "VARCHAR",
        "days": "INTEGER",
        "taken": "INTEGER",
    },
    transform="""SELECT client || '-' || strftime(month, '%Y%m') AS offer, client AS customer,
    month AS offered_at, month + days * INTERVAL 1 DAY AS settled_at, liking, tariff, taken FROM raw_offers
""",
    facts={
        "accuracy": {"metric": "roc_auc", "minimum": 0.6, "baseline_by": "tariff"},
        "outcome": {"known_after_days": 60},
        "split": {"validation_from": "2022-11-01", "test_from": "2023-03-01", "live_from": "2023-08-01"},
        "live": {"expected": {"roc_auc": [0.6, 0.95]}, "minimum_outcomes": 100},
    },
    own={"subject": "client"},
)
CATALOGUE = Shape(
    table="parts",
    record="Part",
    columns='''class Part(Record):
    """A part as it is drawn, and whether it broke in the test."""

    material: Literal["steel", "tin", "wood"] = column(Role.FEATURE, "Material", sliced=True)
    weight: float = column(Role.FEATURE, "Weight", unit="kg", ge=0, le=100)
    holes: int = column(Role.FEATURE, "Holes", ge=0, le=20)
    broke: int | None = column(Role.TARGET, "1 = broke", ge=0, le=1)
''',
    query=f"""SELECT ['steel', 'tin', 'wood'][1 + i % 3] AS material,
        99 * {CHANCE.format(1)} + i / 10000.0 AS weight,
        i % 13 AS holes, CASE WHEN i % 10 < 9 THEN
        CAST({CHANCE.format(2)} < 0.1 + 0.4 * {CHANCE.format(1)} + 0.03 * (i % 13) AS INTEGER) END AS broke
        FROM (SELECT CASE WHEN i % 25 = 24 THEN i - 20 ELSE i END AS i FROM range(6000) AS r(i))""",
    raw={"material": "VARCHAR", "weight": "DOUBLE", "holes": "INTEGER", "broke": "INTEGER"},
    transform="SELECT material, weight, holes, broke FROM raw_parts\n",
    facts={
        "accuracy": {"metric": "roc_auc", "minimum": 0.6, "baseline_by": "material"},
        "split": {"by": "random", "validation_share": 0.2, "test_share": 0.2},
        "live": {"minimum_outcomes": 100},
    },
)
RARE = Shape(
    table="payments",
    record="Payment",
    columns='''class Payment(Record):
    """A payment, and whether it was a fraud."""

    payment: int = column(Role.KEY, "Number", ge=0, le=10_000_000)
    paid_at: datetime = column(Role.TIME, "When", examples=[datetime(2021, 1, 1)])
    amount: float = column(Role.FEATURE, "Amount", unit="EUR", ge=0, le=10_000)
    risk: float = column(Role.FEATURE, "Score of the bank", ge=0, le=1)
    country: Literal["AT", "CH", "DE"] = column(Role.FEATURE, "Country", sliced=True)
    fraud: int | None = column(Role.TARGET, "1 = fraud", ge=0, le=1)
''',
    query=f"""SELECT i AS payment, TIMESTAMP '2021-01-01' + to_minutes(i * 4) AS paid_at,
        round(1000 * {CHANCE.format(1)}, 2) AS amount, round({CHANCE.format(2)}, 4) AS risk,
        ['AT', 'CH', 'DE'][1 + i % 3] AS country,
        CAST(hash(i, 3) % 1000000 / 1000000.0 < 0.04 * pow({CHANCE.format(2)}, 19) AS INTEGER) AS fraud
        FROM range(200000) AS r(i)""",
    raw={
        "payment": "BIGINT",
        "paid_at": "TIMESTAMP",
        "amount": "DOUBLE",
        "risk": "DOUBLE",
        "country": "VARCHAR",
        "fraud": "INTEGER",
    },
    transform="SELECT payment, paid_at, amount, risk, country, fraud FROM raw_payments\n",
    facts={
        "accuracy": {"metric": "roc_auc", "minimum": 0.7, "baseline_by": "country"},
        "error_costs": {"currency": "EUR", "too_low": 10_000, "too_high": 20},
        "split": {"validation_from": "2021-09-01", "test_from": "2021-12-01", "live_from": "2022-04-01"},
        "live": {"expected": {"roc_auc": [0.7, 1.0]}},
    },
)
COUNTER = Shape(
    table="readings",
    record="Reading",
    columns='''class Reading(Record):
    """A machine on a day, and whether it failed in the week after."""

    reading: int = column(Role.KEY, "Number", ge=0, le=10_000_000)
    machine: str = column(Role.SUBJECT, "Machine", pattern="^M[0-9]+$", examples=["M1", "M17"])
    read_at: datetime = column(Role.TIME, "When", examples=[datetime(2021, 1, 1)])
    hours: float = column(Role.FEATURE, "Hours run, all in all", unit="h", ge=0, le=100_000, drift=False)
    since_service: float = column(Role.FEATURE, "Hours since the service", unit="h", ge=0, le=5_000)
    failed: int | None = column(Role.TARGET, "1 = failed", ge=0, le=1)
''',
    query=f"""SELECT i AS reading, 'M' || i % 60 AS machine,
        TIMESTAMP '2021-01-01' + to_days(CAST(i // 60 AS INTEGER)) AS read_at,
        10000 + 8.0 * (i // 60) AS hours, 8.0 * ((i // 60 + i % 60) % 90) AS since_service,
        CAST({CHANCE.format(2)} < 0.02 + 0.3 * ((i // 60 + i % 60) % 90) / 90.0 AS INTEGER) AS failed
        FROM range(30000) AS r(i)""",
    raw={
        "reading": "BIGINT",
        "machine": "VARCHAR",
        "read_at": "TIMESTAMP",
        "hours": "DOUBLE",
        "since_service": "DOUBLE",
        "failed": "INTEGER",
    },
    transform="SELECT reading, machine, read_at, hours, since_service, failed FROM raw_readings\n",
    facts={
        "accuracy": {"metric": "roc_auc", "minimum": 0.6, "baseline_by": "hours"},
        "outcome": {"known_after_days": 7},
        "split": {"validation_from": "2021-09-01", "test_from": "2021-11-01", "live_from": "2022-01-15"},
        "live": {"expected": {"roc_auc": [0.6, 0.9]}},
    },
)
FORECAST = Shape(
    task="Forecasting",
    table="months",
    record="Month",
    columns='''class Month(Record):
    """A month at a place, and what was sold in it, forecast one to six months before."""

    forecast: str = column(
        Role.KEY, "Place, month, steps", pattern="^P[0-9]+-[0-9]{6}-[1-6]$", examples=["P1-202101-1"]
    )
    place: str = column(Role.FEATURE, "Place", pattern="^P[0-9]+$", examples=["P1", "P17"])
    month: datetime = column(Role.TIME, "The month that it is for", examples=[datetime(2021, 2, 1)])
    made_on: datetime = column(Role.ORIGIN, "When it is forecast", examples=[datetime(2021, 1, 1)])
    month_of_year: int = column(Role.FEATURE, "Month of the year", ge=1, le=12, drift=False)
    ahead: int = column(Role.FEATURE, "Months ahead", ge=1, le=6, sliced=True)
    year_before: float | None = column(Role.FEATURE, "Sold in the month a year before", ge=0, le=1000)
    latest: float | None = column(Role.FEATURE, "Sold in the month before the forecast", ge=0, le=1000)
    sold: float | None = column(Role.TARGET, "Sold in the month", unit="t", ge=0, le=1000, drift=False)
''',
    query="""SELECT 'P' || i % 46 AS place,
        TIMESTAMP '2012-01-01' + to_months(CAST(i // 46 AS INTEGER)) AS month,
        round(100 + 3 * (i % 46) + 40 * sin(2 * pi() * (i // 46) / 12) + 12 * sin((i // 46) / 5.0 + i % 46)
        + 10 * (hash(i, 1) % 1000 / 1000.0), 2) AS sold FROM range(5520) AS r(i)""",
    raw={"place": "VARCHAR", "month": "TIMESTAMP", "sold": "DOUBLE"},
    transform="""WITH origins AS (
    SELECT DISTINCT place, month + INTERVAL 1 MONTH AS made_on FROM raw_months
    WHERE month >= TIMESTAMP '2013-06-01'
),
ahead AS (
    SELECT
        o.place, o.made_on, CAST(s.step AS INTEGER) AS ahead,
        o.made_on + to_months(CAST(s.step AS INTEGER)) AS month
    FROM origins AS o CROSS JOIN range(1, 7) AS s(step)
)
SELECT
    a.place || '-' || strftime(a.month, '%Y%m') || '-' || a.ahead AS forecast,
    a.place, a.month, a.made_on, CAST(EXTRACT(month FROM a.month) AS INTEGER) AS month_of_year, a.ahead,
    y.sold AS year_before, l.sold AS latest, n.sold
FROM ahead AS a
LEFT JOIN raw_months AS y ON y.place = a.place AND y.month = a.month - INTERVAL 1 YEAR
LEFT JOIN raw_months AS l ON l.place = a.place AND l.month = a.made_on - INTERVAL 1 MONTH
LEFT JOIN raw_months AS n ON n.place = a.place AND n.month = a.month
""",
    facts={
        "accuracy": {"metric": "mae", "minimum": 12, "baseline_by": "year_before", "baseline_takes": "value"},
        "outcome": {"known_after_days": 31},
        "split": {"validation_from": "2018-01-01", "test_from": "2019-03-01", "live_from": "2021-03-01"},
        "live": {"expected": {"mae": [0, 12]}, "minimum_outcomes": 30, "maximum_age_days": 400},
    },
)
SHAPES = {
    "panel": PANEL,
    "catalogue": CATALOGUE,
    "rare": RARE,
    "counter": COUNTER,
    "forecast": FORECAST,
}


# Which tests of the score such data may fail: those that need people, or a richer model, or other rows.
OPEN = {
    "all feature code is tested",
    "the specification is reviewed and in the repository",
    "inclusion has been considered",
    "every feature is beneficial",
    "hyperparameters are tuned",
    "a simpler model is not better",
    "models are not too stale",
}
MAY_FAIL = {
    "panel": OPEN,
    "catalogue": OPEN
    | {
        "the offline metric correlates with the online one",  # the parts to be scored have no outcome
        "the effect of staleness is known",
        "prediction quality has not regressed",
    },
    "rare": OPEN,
    "counter": OPEN | {"quality holds on all important slices"},  # none is sliced
    "forecast": OPEN
    | {
        "the offline metric correlates with the online one",  # nine months are too few
        "prediction quality has not regressed",  # what lies beyond the data has no outcome
    },
}


@pytest.fixture(scope="module")
def baked(cookies_session):
    """Return a default project, and a forecasting one, each made ready for data of one's own."""
    projects = {}
    for problem in ("classification", "forecasting"):
        project = projects[problem] = bake_new(cookies_session, {"problem": problem})
        ran(project, "uv", "run", "late-flights", "start-over")
        subprocess.run(["git", "add", "-A"], cwd=project.path, check=True)
        subprocess.run(["git", "commit", "-qm", "start over"], cwd=project.path, check=True)
    return projects


@pytest.fixture(params=SHAPES)
def own(request, baked, tmp_path) -> tuple[str, Project]:
    """Return the name of a shape, and the project with its data in it."""
    shape = SHAPES[request.param]
    project = baked[shape.task.lower()]
    for command in (["checkout", "-q", "."], ["clean", "-qfdx", "-e", ".venv", "-e", "uv.lock"]):
        subprocess.run(["git", *command], cwd=project.path, check=True)
    name = f"raw_{shape.table}"
    ran(project, "uv", "run", "python", "-c", MADE.format(query=shape.query), str(tmp_path / f"{name}.csv"))
    facts = Path(project.path, "project.yaml")
    said = yaml.safe_load(facts.read_text(encoding="utf-8"))
    said |= {"name": shape.table, "description": f"What comes of {shape.table}"} | AGREED
    for section, values in shape.facts.items():
        kept = {} if section in ("split", "error_costs") else said.get(section, {})
        said[section] = kept | values
    said["data"] |= {"source": str(tmp_path), "sampled": [name]}
    facts.write_text(yaml.safe_dump(said), encoding="utf-8")
    package = Path(project.path, "src", "late_flights")
    tail = TAIL.format(record=shape.record, table=shape.table, task=shape.task)
    text = f"{HEAD.format(task=shape.task)}\n{shape.columns}{tail}"
    Path(package, "contract.py").write_text(text, encoding="utf-8")
    Path(package, "etl", "transform.sql").write_text(shape.transform, encoding="utf-8")
    extract = Path(package, "etl", "extract.py")
    text = extract.read_text(encoding="utf-8")
    old = re.search(r"RAW_TABLES = \{\n.*?\n\}\n", text, re.DOTALL)[0]
    others = "".join(f", {key}={value!r}" for key, value in shape.own.items())
    table = f'RawTable("{name}.csv", {shape.raw!r}, minimum_rows=100{others})'
    extract.write_text(text.replace(old, f'RAW_TABLES = {{"{name}": {table}}}\n'), encoding="utf-8")
    return request.param, project


def verb(project, *words, status=0):
    """Run a verb of the project and return all that it says."""
    done = project.run("uv", "run", "late-flights", *words)
    assert done.returncode == status, (words, done.stdout, done.stderr)
    return done.stdout + done.stderr


def page(project, name):
    """Return the text of a report, without what draws it."""
    html = Path(project.path, "reports", name).read_text(encoding="utf-8")
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(style|script|svg).*?</\1>", " ", html)).split())


def test_every_verb_says_what_holds_of_such_data(own):
    name, project = own
    verb(project, "etl")
    assert "the same table each of 5 times" in verb(project, "etl", "--check")
    trained = verb(project, "train", "--test")
    verb(project, "rounds")
    verb(project, "tune", "--trials", "2")
    verb(project, "promote")
    asked = verb(project, "serve", "--rehearse")
    scored = verb(project, "score")
    watched = project.run("uv", "run", "late-flights", "monitor")
    watched = watched.stdout + watched.stderr
    verb(project, "status")
    verb(project, "etl", "--sample", "1000")
    {
        "panel": check_panel,
        "catalogue": check_catalogue,
        "rare": check_rare,
        "counter": check_counter,
        "forecast": check_forecast,
    }[name](project, trained, asked, scored, watched)
    judged = project.run("uv", "run", "late-flights", "readiness").stdout
    assert not re.search("the engine stopped|Binder Error|Traceback", judged)
    failed = set(re.findall(r"^  FAILED  (.*?)  \[", judged, re.MULTILINE))
    assert failed <= MAY_FAIL[name], judged
    said = ran(project, "uv", "run", "pytest", "-q", "tests/test_project.py")
    assert int(re.search(r"(\d+) passed", said)[1]) > 15


def check_panel(project, trained, asked, scored, watched):
    assert "Intervals draw whole subjects anew, of which there are 200." in trained
    assert "test period: 807 rows from 2023-03-01 on and before 2023-08-01" in trained
    assert re.search(r"outcomes overdue +0\.000 +0 to 0\.1 +ok", watched)
    whole = "SELECT customer, count(*) AS n FROM 'sample/1000/data/offers.parquet' GROUP BY 1"
    assert found(project, f"SELECT min(n), max(n), count(*) FROM ({whole})") == "[(36, 36, 28)]"
    relived = project.run("uv", "run", "late-flights", "monitor", "--relive")
    assert "2023-08-01 to 2023-09-01: 200 predictions, 200 outcomes known" in relived.stdout


def check_catalogue(project, trained, asked, scored, watched):
    left_out = r", without 1\d\d whose outcome is not known\n"  # of 600 that are to be predicted
    assert re.search(rf"test part: [\d,]+ rows drawn by chance, 20% of all{left_out}", trained)
    assert "Intervals draw the rows anew." in trained
    assert "600 rows scored" in scored
    answer = re.search(r"answered: (\{.*\})", asked)[1]
    assert set(re.findall(r'"(\w+)":', answer)) == {"prediction", "flagged"}
    assert "480 predictions, 0 outcomes known" in watched  # those that are asked for alike count once
    for name in ("company.html", "choice.html", "research.html"):
        text = page(project, name)
        assert not re.search(r"\ba day\b|later than|\bmonths?\b", text), name
        assert "1,000 parts" in text
    assert "chance has parted" in verb(project, "monitor", "--relive", status=1)
    assert " passed" in ran(project, "uv", "run", "pytest", "-q", "-m", "", "tests/test_notebooks.py")


def check_rare(project, trained, asked, scored, watched):
    assert re.search(r"observed_share +0\.00[12]", trained)
    text = page(project, "choice.html")
    threshold = float(re.search(r"At present the threshold is ([\d.]+)%", text)[1])
    assert 0 < threshold < 2  # by costs, what is worth a look begins at 0.2%
    assert "it saves EUR" in text
    assert re.search(r"roc_auc +0\.\d+ +0\.7 to 1 +ok", watched)


def check_counter(project, trained, asked, scored, watched):
    assert "hours: every value" not in trained
    assert "drift of hours" not in watched
    assert "drift of since_service" in watched
    dictionary = Path(project.path, "2-research", "data-dictionary.md").read_text(encoding="utf-8")
    assert "feature, not watched for drift" in dictionary
    assert "Intervals draw whole subjects anew, of which there are 60." in trained


def check_forecast(project, trained, asked, scored, watched):
    assert "rolling origins: mae after learning from what was known on each day" in trained
    assert re.search(r"Intervals are of Student's t, each of 1\d months left out once\.", trained)
    assert "By step" in page(project, "research.html")
    assert '"low":' in asked
    assert '"high":' in asked
    # What lies beyond the data is predicted, and its outcomes are missed.
    assert re.search(r"outcomes overdue +1\.000 +0 to 0\.1 +alert", watched)
    past = verb(project, "monitor", "--from", "2021-11-15", "--to", "2021-12-15")
    assert "276 predictions, 276 outcomes known" in past  # six forecasts for each of 46 places
    assert re.search(r"mae +\d+\.\d+ +0 to 12 +ok", past)
    assert "drift of year_before" in past
    assert not re.search("drift of (month_of_year|prediction)", past)
    query = "SELECT count(*) FROM 'data/predictions/*.parquet' WHERE month > '2021-12-01'"
    assert found(project, query) == "[(1242,)]"  # 6 + 6 + 5 + 4 + 3 + 2 + 1 months


def found(project, query):
    """Return what a query finds, as the project's own Python shows it."""
    code = f"import duckdb; print(duckdb.sql({query!r}).fetchall())"
    return ran(project, "uv", "run", "python", "-c", code).strip()
