"""Projects of many shapes, made up: contract, raw files and facts in a folder, and no package on the disk."""

import csv
import gzip
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Literal

import duckdb
import numpy as np
import yaml
from pydantic import create_model

from handrail.contract import Record, Role, column
from handrail.etl import RawRows, RawTable, bring_in
from handrail.monitoring import checks
from handrail.project import Project
from handrail.tasks import Classification, Forecasting, Regression
from handrail.training import Predictor
from tests.engine.support.example import example

ROWS = 3000
BEGIN = datetime(2011, 1, 1)
TOWNS = ("Abilene", "Köln", "São Paulo")
TASKS = {"classification": Classification(), "regression": Regression(), "forecasting": Forecasting()}
PARTS = ("research", "production", "operation", "api", "batch")
# Few trees: what is tested is everything around them.
FAST = {"max_iter": 15, "max_leaf_nodes": 7, "max_features": 1.0}


@dataclass(frozen=True)
class Shape:
    """How a made-up project differs from the others.

    key: an example of one; a number, or a text that holds the row's number and town · unit: of the target
    days: from the first row to the last · test, live: how many days those periods have · share: of cases
    whole: whether it has a column of whole numbers · source: how the raw table comes
    late: whether outcomes are known 30 to 60 days after, and the latest not yet
    by: what parts the rows; of subjects there are 300 · timed, keyed: whether rows have a time, a key
    alike: whether a row in twenty is the one before once more
    counter: whether a feature only grows, and is watched for drift
    steps: for how many months ahead each forecast is made; the latest of them are not known yet
    """

    problem: Literal["classification", "regression", "forecasting"] = "classification"
    key: str = "number"
    days: int = 300
    monthly: bool = False
    test: int = 60
    live: int = 60
    share: float = 0.3
    level: float = 10.0
    decimals: int = 2
    whole: bool = True
    source: str = "csv"
    late: bool = False
    by: Literal["time", "subject", "random"] = "time"
    timed: bool = True
    keyed: bool = True
    alike: bool = False
    counter: Literal["none", "watched", "left alone"] = "none"
    steps: int = 0

    @property
    def predicts_chance(self):
        return self.problem == "classification"


SHAPES = {
    "one raw table": Shape(),
    "several raw files of several forms": Shape(source="several"),
    "keys that do not end in digits": Shape(key="{town}-{number:06}-high"),
    "keys of which the last digit is no number": Shape(key="{town}-{number:06}-h{one}"),
    "no whole-number column": Shape("regression", key="{town}-{number}", whole=False),
    "targets in the hundreds": Shape("regression", level=740.0, decimals=0),
    "monthly rows": Shape("forecasting", days=3600, monthly=True, test=400, live=400),
    "forecasts of six months": Shape("forecasting", days=3600, monthly=True, test=1100, live=400, steps=6),
    "a test period of a year": Shape(days=1500, test=365),
    "a live period of ten days": Shape("regression", live=10),
    "no live period": Shape(live=0),
    "cents": Shape("regression", level=0.37),
    "rare cases": Shape(share=0.02),
    "a raw source that is a function": Shape(source="function"),
    "a raw file between spaces": Shape(source="spaces"),
    "a packed raw file without names": Shape(source="packed"),
    "no time": Shape(by="random", timed=False),
    "no time, no key": Shape(by="random", timed=False, keyed=False, alike=True),
    "no key": Shape(keyed=False),
    "a growing counter": Shape(counter="left alone"),
    "amounts without a time": Shape("regression", by="random", timed=False),
    "parted by subjects": Shape(by="subject"),
    "subjects without a time": Shape(by="subject", timed=False),
    "outcomes that come late": Shape(days=1200, test=200, live=120, late=True),
}


def made_up_project(folder, shape=None, **given):
    """Write a made-up project into `folder` and return it; `given` takes the place of what it brings."""
    shape = shape or Shape()
    rows = made_up_rows(shape)
    project = like(shape.problem)
    brought = {
        "parts": frozenset(PARTS),
        "contract": contract_of(shape),
        "table_name": "visits",
        "task": TASKS[shape.problem],
        "estimator": project.estimator,
        "baseline": project.baseline,
        "metrics": TASKS[shape.problem].metrics,
        "train": train,
        "checks": (
            checks.metrics_in_range,
            checks.outcomes_in_time,
            checks.canary_holds,
            checks.contract_kept,
            checks.young_enough,
            checks.no_drift,
        ),
        "create_app": project.create_app,
        "scored_columns": project.scored_columns,
        **sources(shape, rows, folder / "raw"),
    }
    brought |= given
    brought.setdefault("fit", brought["estimator"].fit)
    write_facts(folder, shape)
    return Project("made_up", given=brought, root=folder)


@cache
def like(problem):
    """Return the worked example of a problem, whose estimator and service are taken."""
    return example(problem)


def train(run):
    """Take the steps of the template's train.py, by what the project brings."""
    project, splits = run.project, run.read_splits()
    simple = project.baseline.fit(splits.training, run.settings.accuracy)
    model = project.fit(splits.training, splits.encoding, run.seed, run.hyperparameters)
    file = project.estimator.export(model, len(splits.encoding.features))
    served = Predictor(file)
    decision = run.decide(splits.validation, served.predict(splits.validation.features))
    prediction = served.predict(splits.test.features)
    by_baseline = simple.predict(splits.test.baseline_by)
    evaluation = run.evaluate(splits.test, prediction, by_baseline, decision)
    return run.keep(splits, file, simple, prediction=prediction, simple=by_baseline, evaluation=evaluation)


def changed(module, **functions):
    """Return what a module brings, some of it changed."""
    return SimpleNamespace(
        **{name: getattr(module, name) for name in dir(module) if name[0] != "_"} | functions
    )


def made_up_rows(shape):
    """Return the rows of the raw table, each by name."""
    rng = np.random.default_rng(1)
    rows = []
    for number in range(ROWS):
        town = TOWNS[number % 3]
        load = round(float(rng.uniform(0, 100)), shape.decimals)
        signal = load / 100 + (0.4 if town == "Köln" else 0.0)
        row = {
            "id": number + 1
            if shape.key == "number"
            else shape.key.format(town=town, number=number, one=number % 9),
            "visited_at": when(shape, number),
            "town": town,
            "customer": f"C{number % 300}",
            "kind": "AB"[number % 2] + str(number % 4),
            "load": load,
            "rain": None if number % 11 == 0 else round(float(rng.gamma(1.0)), 3),
            "visits": number % 17,
            "outcome": outcome(shape, signal, rng),
        }
        if shape.alike and number % 20 == 19:
            row = rows[-1]  # nothing tells them apart
        rows.append(row | known(shape, row) if shape.late else row)
    return [row | ahead(shape, number, row, rng) for number, row in enumerate(rows)] if shape.steps else rows


def ahead(shape, number, row, rng):
    """Return when a forecast is made, what it is for, and the outcome, of which less is known the further."""
    origin, step = when(shape, number - number % shape.steps), 1 + number % shape.steps
    at = month_after(origin, step)
    last = when(shape, ROWS - 1)
    came = round(row["outcome"] + float(rng.normal(0, 0.1 * step * shape.level)), shape.decimals)
    return {"made_at": origin, "visited_at": at, "outcome": came if at <= last else None}


def month_after(first, count):
    """Return the first of the month so many after another."""
    months = first.month - 1 + count
    return datetime(first.year + months // 12, 1 + months % 12, 1)


def known(shape, row):
    """Return when the outcome of a row was known, and the outcome, both empty where that was not yet so."""
    at, last = row["visited_at"] + timedelta(days=30 + row["visits"] * 30 // 16), when(shape, ROWS - 1)
    came = at <= last
    return {"known_at": at if came else None, "outcome": row["outcome"] if came else None}


def when(shape, number):
    """Return the time of a row: in the order of their numbers, or many on the first of each month."""
    if shape.monthly:
        months = number * shape.days // 30 // ROWS
        return datetime(BEGIN.year + months // 12, 1 + months % 12, 1)
    return BEGIN + timedelta(days=shape.days) * (number / ROWS)


def outcome(shape, signal, rng):
    """Return a target that the features tell something of."""
    if shape.predicts_chance:
        return int(rng.random() < shape.share * signal / 0.63)
    return round(float(shape.level * (0.7 + signal + rng.normal(0, 0.1))), shape.decimals)


def contract_of(shape, **changes):
    """Return the contract of a made-up project; `changes` are fields in place of its own."""
    feature, target = Role.FEATURE, shape.level * 5
    fields = {
        "visit_id": key_column(shape),
        "visited_at": (datetime, column(Role.TIME, "When", examples=[BEGIN])),
        "town": (Literal[TOWNS], column(feature, "Where", sliced=True)),
        "kind": (str, column(feature, "Which", pattern="^[AB][0-3]$", examples=["A0", "B1"])),
        "load": (float, column(feature, "How much", unit="t", ge=0, le=100)),
        "rain": (float | None, column(feature, "Rain", unit="mm", ge=0, le=50)),
    }
    if not shape.timed:
        del fields["visited_at"]
    if not shape.keyed:
        del fields["visit_id"]
    if shape.by == "subject":
        fields["customer"] = (
            str,
            column(Role.SUBJECT, "Who", pattern="^C[0-9]{1,3}$", examples=["C0", "C17"]),
        )
    if shape.steps:
        fields["made_at"] = (datetime, column(Role.ORIGIN, "When the forecast is made", examples=[BEGIN]))
    if shape.counter != "none":
        drift = shape.counter == "watched"
        fields["meter"] = (float, column(feature, "Hours run", unit="h", ge=0, le=99_999, drift=drift))
    if shape.whole:
        fields["visits"] = (int, column(feature, "Visits before", ge=0, le=20))
    if shape.late:
        fields["known_at"] = (datetime | None, column(Role.KNOWN, "When it was known", examples=[BEGIN]))
    kind, least, most = (int, 0, 1) if shape.predicts_chance else (float, -target, target)
    fields["outcome"] = (kind | None, column(Role.TARGET, "What came", ge=least, le=most))
    return create_model("Visit", __base__=Record, __doc__="One visit.", **(fields | changes))


def key_column(shape):
    """Return the field of the key."""
    if shape.key == "number":
        return (int, column(Role.KEY, "Number", ge=1, le=1_000_000))
    example_key = shape.key.format(town="Abilene", number=201001, one=1)
    return (
        str,
        column(Role.KEY, "Name", examples=[example_key], pattern=r"^[^0-9]+-[0-9]+(-h[0-8]|-high)?$"),
    )


def sources(shape, rows, folder):
    """Write the raw tables into `folder`; return what the project brings of its ETL."""
    folder.mkdir(parents=True)
    kinds = {
        "id": "BIGINT" if shape.key == "number" else "VARCHAR",
        "visited_at": "TIMESTAMP",
        "town": "VARCHAR",
        "customer": "VARCHAR",
    }
    kinds |= {"kind": "VARCHAR", "load": "DOUBLE", "rain": "DOUBLE", "visits": "INTEGER", "outcome": "DOUBLE"}
    kinds |= {"known_at": "TIMESTAMP"} if shape.late else {}
    kinds |= {"made_at": "TIMESTAMP"} if shape.steps else {}
    raw = RawTable("visits.csv", kinds, minimum_rows=1000)
    tables = {"raw_visits": raw}
    if shape.source == "function":
        tables = {"raw_visits": RawRows(lambda settings: iter(rows), kinds, minimum_rows=1000)}
        tables["raw_visits"].ask.__name__ = "visits_of_the_service"
    elif shape.source == "several":
        tables = several(raw, rows, folder)
    elif shape.source == "spaces":
        tables = {"raw_visits": replace(raw, file="visits.txt", separator="whitespace", missing=("", "NA"))}
        write_csv(folder / "visits.txt", [{n: in_a_word(v) for n, v in row.items()} for row in rows], " ")
    elif shape.source == "packed":
        tables = {"raw_visits": replace(raw, file="visits.csv.gz", header=False)}
        write_csv(folder / raw.file, [{name: row[name] for name in kinds} for row in rows])
        _, _, lines = (folder / raw.file).read_bytes().partition(b"\n")
        (folder / "visits.csv.gz").write_bytes(gzip.compress(lines))
    else:
        write_csv(folder / raw.file, rows)

    def extract(connection, settings):
        return bring_in(connection, settings, tables, settings.source or folder)

    return {"raw_tables": tables, "extract": extract, "transform": transform_of(shape)}


def in_a_word(value):
    """Return a value as it stands between spaces: what is missing is NA."""
    return "NA" if value in (None, "") else value


def several(raw, rows, folder):
    """Write the rows as a file of values between semicolons, in latin-1, and one that is Parquet."""
    own = {name: kind for name, kind in raw.columns.items() if name not in ("rain", "visits")}
    first = replace(raw, columns=own, separator=";", encoding="latin-1")
    write_csv(folder / first.file, [{name: row[name] for name in own} for row in rows], ";", "latin-1")
    kept = {"id": "BIGINT", "rain": "DOUBLE", "visits": "INTEGER"}
    found = ", ".join(
        f"({row['id']}, {'NULL' if row['rain'] is None else row['rain']}, {row['visits']})" for row in rows
    )
    path = folder / "weather.parquet"
    duckdb.sql(f"SELECT * FROM (VALUES {found}) AS t(id, rain, visits)").write_parquet(str(path))
    return {"raw_visits": first, "weather": RawTable(path.name, kept, minimum_rows=10)}


def write_csv(path, rows, separator=",", encoding="utf-8"):
    """Write rows as values between separators; what is missing is empty."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)


def transform_of(shape):
    """Return the statement that makes the table of the raw ones."""
    names = ["town", "kind", "load", "rain", "outcome"]
    names += ["v.id AS visit_id"] if shape.keyed else []
    names += ["visited_at"] if shape.timed else []
    names += ["customer"] if shape.by == "subject" else []
    names += ["visits"] if shape.whole else []
    names += ["known_at"] if shape.late else []
    names += ["made_at"] if shape.steps else []
    names += ["CAST(v.id * 2.5 AS DOUBLE) AS meter"] if shape.counter != "none" else []
    joined = " LEFT JOIN weather AS w ON w.id = v.id" if shape.source == "several" else ""
    return f"SELECT {', '.join(names)} FROM raw_visits AS v{joined}"


def write_facts(folder, shape):
    """Write project.yaml, hyperparameters of few trees, and a shortlist of ideas."""
    last = when(shape, ROWS - 1).date() + timedelta(days=1)
    live = last - timedelta(days=shape.live)
    split = {"live_from": live, "test_from": live - timedelta(days=shape.test)}
    split["validation_from"] = split["test_from"] - (split["test_from"] - BEGIN.date()) // 4
    facts = {
        "name": "Made up",
        "description": "What will come of a visit",
        "decision": {"question": "Which?", "sponsor": "Ada", "kpis": ["visits"], "go": "open"},
        "accuracy": {
            "metric": "roc_auc" if shape.predicts_chance else "mae",
            "minimum": 0.5,
            "baseline_by": "load" if shape.problem == "forecasting" else "town",
            "baseline_takes": "value" if shape.problem == "forecasting" else "mean",
        },
        "error_costs": {"currency": "EUR", "too_low": 3, "too_high": 1, "tolerable": 0.1},
        "split": split,
    }
    facts |= {"outcome": {"known_after_days": 60}} if shape.late else {}
    if shape.by != "time":
        facts["split"] = {"by": shape.by, "validation_share": 0.2, "test_share": 0.2}
    write(folder / "project.yaml", yaml.safe_dump(facts))
    write(folder / "2-research/hyperparameters.yaml", yaml.safe_dump({"hyperparameters": FAST}))


def write(path, text):
    """Write a text of the project."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
