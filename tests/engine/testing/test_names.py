"""Columns may have any name but the engine's own, and folders any at all: SQL's words, spaces, patterns."""

from datetime import date, datetime
from pathlib import Path

import pytest
import yaml
from pydantic import create_model

from handrail import cli
from handrail.contract import Record, Role, column, columns
from handrail.errors import ProjectError
from handrail.etl import RawTable, bring_in
from handrail.testing import checks_of
from tests.engine.testing.made_up_projects import BEGIN, ROWS, Shape, made_up_project, made_up_rows, write_csv

NAMES = {
    "id": "order",
    "visited_at": "when",
    "town": "group",
    "kind": "from",
    "load": "select",
    "rain": "Of the Day",
    "outcome": "end",
}
PATTERNS = ("a[12]", "a*", "key=1 it's")


def contract():
    """Return a contract whose columns are words of SQL."""
    feature = Role.FEATURE
    fields = {
        "order": (int, column(Role.KEY, "Number", ge=1, le=1_000_000)),
        "when": (datetime, column(Role.TIME, "When", examples=[BEGIN])),
        "group": (str, column(feature, "Where", pattern="^[A-Z]", examples=["Abilene", "Köln"], sliced=True)),
        "from": (str, column(feature, "Which", pattern="^[AB][0-3]$", examples=["A0", "B1"])),
        "select": (float, column(feature, "How much", unit="t", ge=0, le=100)),
        "Of the Day": (float | None, column(feature, "Rain", unit="mm", ge=0, le=50)),
        "table": (str, column(Role.SENSITIVE, "Who", pattern="^[AB][0-3]$", examples=["A0"], sliced=True)),
        "end": (int | None, column(Role.TARGET, "What came", ge=0, le=1)),
    }
    return create_model("Visit", __base__=Record, __doc__="One visit.", **fields)


def project_of_words(folder):
    """Return a project in which raw tables and columns are words of SQL."""
    source = folder / "raw"
    tables = {
        "values": RawTable(
            "order by.csv",
            {"order": "BIGINT", "when": "TIMESTAMP", "group": "VARCHAR", "from": "VARCHAR"}
            | {"select": "DOUBLE", "Of the Day": "DOUBLE", "end": "INTEGER"},
            minimum_rows=1000,
            missing=("",),
        )
    }

    def extract(connection, settings):
        return bring_in(connection, settings, tables, settings.source or source)

    names = ", ".join(f'"{name}"' for name in tables["values"].columns)
    project = made_up_project(
        folder,
        raw_tables=tables,
        extract=extract,
        transform=f'SELECT {names}, "from" AS "table" FROM "values"',
        contract=contract(),
    )
    rows = [{NAMES[name]: row[name] for name in NAMES} for row in made_up_rows(Shape())]
    write_csv(source / "order by.csv", rows)
    facts = yaml.safe_load((folder / "project.yaml").read_text(encoding="utf-8"))
    facts["accuracy"]["baseline_by"] = "group"
    facts["decision"] |= {"go": "go", "decided_by": "Ada", "decided_on": date(2026, 1, 16)}
    (folder / "project.yaml").write_text(yaml.safe_dump(facts), encoding="utf-8")
    return project


@pytest.fixture
def run(monkeypatch):
    """Return a function that runs verbs of a project one after another, as its command line does."""

    def run_verbs(project, *lines):
        for line in lines:
            assert cli.run(project, line.split("|"), warned=True) in (0, 3), line

    return run_verbs


VERBS = (
    "etl",
    "etl|--check",
    "train|--no-round",
    "promote",
    "score",
    "monitor",
    "monitor|--relive",
    "replay",
    "refused",
)


@pytest.mark.slow
def test_every_check_holds_where_columns_are_words_of_sql(tmp_path):
    for check in checks_of(project_of_words(tmp_path)):
        check()


def test_every_verb_runs_where_columns_are_words_of_sql(tmp_path, run, capsys):
    run(project_of_words(tmp_path), *VERBS)
    said = capsys.readouterr().out
    assert f"{ROWS:,} rows: the same table each of 5 times" in said


@pytest.mark.parametrize("name", ["prediction", "Version", "reason", "predicted_at", "baseline", "source"])
def test_a_name_that_the_engine_writes_itself_is_refused(name):
    made = create_model("R", __base__=Record, **{name: (int, column(Role.FEATURE, "x", ge=0, le=1))})
    with pytest.raises(ProjectError, match=rf"^contract\.py: {name}: the engine itself writes a column of "):
        columns(made)


def test_a_context_column_may_have_a_name_of_the_predictions():
    made = create_model("R", __base__=Record, source=(int, column(Role.CONTEXT, "x", ge=0, le=1)))
    assert [each.name for each in columns(made)] == ["source"]


def test_names_that_differ_in_capitals_are_refused():
    fields = {name: (int, column(Role.FEATURE, "x", ge=0, le=1)) for name in ("carrier", "CARRIER")}
    with pytest.raises(ProjectError, match="CARRIER and carrier are one name in SQL"):
        columns(create_model("R", __base__=Record, **fields))


@pytest.mark.slow
@pytest.mark.parametrize("name", PATTERNS)
def test_a_folder_is_a_name_and_never_a_pattern(tmp_path, run, name, monkeypatch):
    """Beside it lies a folder that the pattern would match, with other data in it."""
    monkeypatch.setenv("MADE_UP_FORGETTING_SECRET", "sixteen characters, and a few more")
    project = project_of_words(new(tmp_path / name))
    other = project_of_words(new(tmp_path / "a1"))
    raw = tmp_path / "a1" / "raw" / "order by.csv"
    raw.write_text(raw.read_text(encoding="utf-8").replace("Köln", "Gent"), encoding="utf-8")
    run(other, *VERBS[:5])
    before = {path: path.read_bytes() for path in files(tmp_path / "a1")}
    rows = tmp_path / name / "in[1]*.csv"
    rows.write_bytes((tmp_path / name / "raw" / "order by.csv").read_bytes())
    (tmp_path / name / "in1x.csv").write_text("order\n1\n", encoding="utf-8")
    run(project, *VERBS, f"score|--input|{rows}", "purge|--key|17|--really", "archive|--really", "status")
    assert {path: path.read_bytes() for path in files(tmp_path / "a1")} == before
    towns = project.frame('SELECT DISTINCT "group" AS town FROM visits ORDER BY 1')["town"].tolist()
    assert towns == ["Abilene", "Köln", "São Paulo"]
    kept = project.frame('SELECT count(*) AS n FROM visits WHERE "order" = 17')["n"].tolist()
    assert kept == [0]


def new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]
