"""A sample of rows that belong together takes whole subjects, from every raw table that carries them."""

import csv
import random
from dataclasses import replace

import duckdb
import pytest

from handrail.console import quietly
from handrail.errors import ProjectError
from handrail.etl import RawRows, RawTable, bring_in
from handrail.etl.load import raw_path
from handrail.etl.pipeline import run_etl
from tests.engine.testing.made_up_projects import Shape, made_up_project

VISITS = 10  # of each customer
CALLS = [
    {"caller": f"C{number % 300}" if number % 50 else "", "minutes": number % 7} for number in range(2000)
]
OTHER = RawTable("calls.csv", {"caller": "VARCHAR", "minutes": "INTEGER"}, 10, subject="caller")


def project_of(folder, other=OTHER, sampled=("raw_visits",), shuffled=False):
    """Return a made-up project of customers, with a second raw table of their calls."""
    made = made_up_project(folder, Shape(by="subject"))
    raw = folder / "raw"
    with (raw / "calls.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["caller", "minutes"])
        writer.writeheader()
        writer.writerows(CALLS)
    if shuffled:
        head, *lines = (raw / "visits.csv").read_text(encoding="utf-8").splitlines()
        random.Random(1).shuffle(lines)
        (raw / "visits.csv").write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    tables = made.raw_tables | {"calls": other}
    made.given |= {"raw_tables": tables, "extract": lambda c, s: bring_in(c, s, tables, raw)}
    del made.__dict__["raw_tables"]
    facts = folder / "project.yaml"
    facts.write_text(
        f"{facts.read_text(encoding='utf-8')}\ndata: {{sampled: [{', '.join(sampled)}]}}\n", encoding="utf-8"
    )
    return made


def of(settings, name, column):
    """Return how many rows each subject has in a raw table."""
    query = f"SELECT {column}, count(*) FROM '{raw_path(settings, name)}' GROUP BY 1 ORDER BY 1"
    return dict(duckdb.sql(query).fetchall())


@pytest.mark.parametrize("form", ["file", "function"])
def test_every_subject_is_whole_in_every_table_that_carries_it(tmp_path, form):
    asked = RawRows(lambda settings: iter(CALLS), OTHER.columns, 10, subject="caller", missing=("",))
    settings = project_of(tmp_path, OTHER if form == "file" else asked).settings(205)
    result = run_etl(settings, quietly)
    visits, calls = of(settings, "raw_visits", "customer"), of(settings, "calls", "caller")
    assert set(visits.values()) == {VISITS}
    assert len(visits) == 21  # the first of them that make 205 rows or more
    assert result.raw == {"raw_visits": 210, "calls": sum(calls.values())}
    assert result.loaded == 210
    whole = {name: sum(call["caller"] == name for call in CALLS) for name in visits}
    assert calls == {name: count for name, count in whole.items() if count}


def test_the_same_subjects_are_taken_whatever_the_order_of_the_rows(tmp_path):
    found = []
    for shuffled in (False, True):
        settings = project_of(tmp_path / str(shuffled), shuffled=shuffled).settings(205)
        result = run_etl(settings, quietly)
        found.append((of(settings, "raw_visits", "customer"), result.path.read_bytes()))
    assert found[0] == found[1]


def test_a_full_run_is_cut_nowhere(tmp_path):
    assert run_etl(project_of(tmp_path).settings(), quietly).raw == {"raw_visits": 3000, "calls": 2000}


def test_where_the_sampled_table_carries_no_subject_its_rows_are_taken(tmp_path):
    plain = replace(OTHER, subject=None)
    result = run_etl(project_of(tmp_path, plain, sampled=("calls",)).settings(205), quietly)
    assert result.raw == {"raw_visits": 3000, "calls": 205}


def test_a_subject_that_is_no_column_is_named(tmp_path):
    settings = project_of(tmp_path, replace(OTHER, subject="client")).settings(205)
    with pytest.raises(ProjectError) as refused:
        run_etl(settings, quietly)
    assert str(refused.value) == "etl/extract.py: calls: subject 'client' is none of its columns"
