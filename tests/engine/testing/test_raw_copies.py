"""Raw tables that are written again are read as they were, and broken in the way that is asked for."""

import duckdb
import pytest

from handrail.console import quietly
from handrail.etl.pipeline import run_etl
from handrail.testing import raw_copies, small_run
from handrail.testing.raw_copies import Fault, reading_from, refusal, written_again
from tests.engine.support.example import example
from tests.engine.testing.made_up_projects import Shape, made_up_project

FORMS = ("csv", "several", "function", "spaces", "packed")


@pytest.mark.parametrize("source", FORMS)
def test_whole_copies_give_the_same_table(source, tmp_path):
    run = small_run(made_up_project(tmp_path, Shape(source=source)))
    there = run.copy()
    folder = there.workspace.with_name("copies")
    tables, broken = written_again(run, folder, Fault(), whole=True)
    result = run_etl(reading_from(run, there, folder, tables), quietly)
    assert len(broken) == len(run.project.raw_tables)
    query = f"SELECT * FROM '{result.path}' EXCEPT ALL SELECT * FROM '{run.etl.path}'"
    assert (result.raw, result.loaded, duckdb.sql(query).fetchall()) == (run.etl.raw, run.etl.loaded, [])


@pytest.mark.parametrize("source", FORMS)
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (raw_copies.MISSING, {"csv": "no such file", "function": "nobody answers"}),
        (raw_copies.EMPTY, {"csv": "the file is empty", "function": "0 rows, at least 1000 expected"}),
        (
            raw_copies.RENAMED_COLUMN,
            {"csv": "no column id among renamed_meanwhile", "function": "no column id"},
        ),
        (raw_copies.TEXT_AMONG_AMOUNTS, {"csv": "the first: line ", "function": ": ? is no "}),
        (
            raw_copies.CUT_OFF,
            {
                "csv": "values can't be read",
                "function": "the connection was lost",
                "packed": "Unexpected end of GZIP stream",
            },
        ),
    ],
    ids=["missing", "empty", "renamed", "text", "cut off"],
)
def test_every_broken_table_is_refused_in_a_sentence(fault, said, source, tmp_path):
    project = made_up_project(tmp_path, Shape(source=source))
    found = refusal(small_run(project), fault)
    if source == "packed" and fault is raw_copies.RENAMED_COLUMN:  # its columns have no names
        assert (found.files, found.problems) == ((), ())
        return
    assert found.files == tuple(table.file for table in project.raw_tables.values())
    assert len(found.problems) == len(found.files)
    for file, problem in zip(found.files, found.problems, strict=True):
        assert file in problem
    assert said.get(source, said["csv"]) in found.problems[0]
    assert found.changed == ()


def test_a_table_without_an_amount_stays_whole():
    found = refusal(small_run(example()), raw_copies.TEXT_AMONG_AMOUNTS)
    assert found.files == ("flights.csv", "weather.csv", "planes.csv", "airports.csv")
    assert [problem.partition(":")[0] for problem in found.problems] == list(found.files)
