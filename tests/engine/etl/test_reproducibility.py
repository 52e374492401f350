"""The same raw files give the same table, to the bit, or the column that does not come out so is named."""

import hashlib

import pytest

from handrail import cli
from handrail.compute.duckdb import connect, literal
from handrail.etl import RawTable, bring_in
from handrail.etl.load import raw_path, table_path
from handrail.etl.pipeline import run_etl
from tests.engine.testing.made_up_projects import Shape, made_up_project

ROWS = 400_000  # so many that several threads share them
SUMMED = """
SELECT v.id AS visit_id, visited_at, town, kind, load, visits, outcome, s.rain AS rain
FROM raw_visits AS v
LEFT JOIN (SELECT town, least(50, greatest(0, sum({amount}))) AS rain FROM rains GROUP BY 1) AS s USING (town)
"""


@pytest.fixture
def project(tmp_path):
    """Return a function that returns a project with a large raw table, and a transformation of it."""

    def made(transform):
        project = made_up_project(tmp_path, Shape())
        rains = RawTable("rains.csv", {"town": "VARCHAR", "amount": "DOUBLE"}, 1, missing=())
        tables = {**project.raw_tables, "rains": rains}

        def extract(connection, settings):
            return bring_in(connection, settings, tables, tmp_path / "raw")

        with connect(project.settings()) as connection:
            towns = "CASE i % 3 WHEN 0 THEN 'Abilene' WHEN 1 THEN 'Köln' ELSE 'São Paulo' END"
            rows = (
                f"SELECT {towns} AS town, 0.1 + 1e-9 * (i * 7919 % 1000003) AS amount FROM range({ROWS}) r(i)"
            )
            target = literal(tmp_path / "raw" / rains.file)
            connection.execute(f"COPY ({rows}) TO {target} (FORMAT csv, HEADER)").fetchall()
        given = dict(project.given) | {"raw_tables": tables, "extract": extract, "transform": transform}
        return type(project)("made_up", given=given, root=tmp_path)

    return made


def fingerprints(settings):
    """Return the hashes of the loaded table and of the raw ones."""
    paths = [table_path(settings, "visits"), *(raw_path(settings, name) for name in ("raw_visits", "rains"))]
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


@pytest.mark.slow
def test_the_same_raw_files_give_the_same_files_to_the_bit(project):
    settings = project(SUMMED.format(amount="CAST(amount / 1e6 AS DECIMAL(18, 12))")).settings()
    found = []
    for _ in range(3):
        run_etl(settings, str)
        found.append(fingerprints(settings))
    assert found == [found[0]] * 3


@pytest.mark.slow
def test_a_sum_that_does_not_come_out_the_same_is_named_by_its_column(project, capsys):
    made = project(SUMMED.format(amount="amount / 1e4"))
    assert cli.run(made, ["etl"], warned=True) == 0
    before = fingerprints(made.settings())
    assert cli.run(made, ["etl", "--check"], warned=True) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        "error: etl/transform.sql: rain: not the same each time it is run; a sum of DOUBLE "
    )
    assert said.count("\n") == 1
    assert fingerprints(made.settings()) == before


def test_a_table_that_comes_out_the_same_is_said_to(tmp_path, capsys):
    made = made_up_project(tmp_path)
    assert cli.run(made, ["etl", "--check"], warned=True) == 1
    assert capsys.readouterr().err == "error: data/raw/: no raw_visits yet; run `etl` first\n"
    assert cli.run(made, ["etl"], warned=True) == 0
    capsys.readouterr()
    assert cli.run(made, ["etl", "--check"], warned=True) == 0
    assert capsys.readouterr().out == "3,000 rows: the same table each of 5 times, by 1 to 8 threads\n"


def test_the_loaded_table_is_in_the_order_of_time_and_key(tmp_path):
    settings = made_up_project(tmp_path).settings()
    run_etl(settings, str)
    with connect(settings) as connection:
        connection.execute("SET threads = 1; SET preserve_insertion_order = true")
        found = connection.execute(
            f"SELECT visited_at, visit_id FROM {literal(str(table_path(settings, 'visits')))}"
        ).fetchall()
    assert found == sorted(found)
