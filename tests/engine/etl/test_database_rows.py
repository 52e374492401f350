"""Rows of a real PostgreSQL: fetched once, brought up to date by a watermark, and what is wrong told."""

import json
import re
from dataclasses import replace
from urllib.parse import urlsplit

import psycopg
import pytest

from handrail import errors, retries
from handrail.compute import duckdb as engine
from handrail.config.sections import Query
from handrail.etl import database_rows, load
from handrail.etl.extract import bring_in
from handrail.etl.raw_files import RawTable
from tests.engine.support.listeners import free_port
from tests.engine.support.postgres_server import PASSWORD, binaries, postgres_server
from tests.engine.support.workspaces import in_workspace, with_given

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not here: Debian's package postgresql"),
    pytest.mark.xdist_group("postgres"),
]
TRIPS = RawTable("trips.csv", {"id": "INTEGER", "town": "VARCHAR", "fare": "DOUBLE"}, minimum_rows=1)
MARKED = Query(sql="SELECT * FROM trips", watermark="at", overlap=1, key=("id",))
FIRST = [(1, "Lyon", 7.5), (2, 'Ghent, "Belgium"\nnorth', None), (3, "", 1e-300)]


@pytest.fixture(scope="module")
def server():
    with postgres_server() as address:
        yield address


@pytest.fixture
def database(server):
    """Yield a connection; the table of trips has three rows."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS trips")
        connection.execute("CREATE TABLE trips (id int, town text, fare float8, at timestamptz)")
        for number, row in enumerate(FIRST, 1):
            connection.execute(
                "INSERT INTO trips VALUES (%s, %s, %s, %s)", (*row, f"2013-01-0{number} 10:00+00")
            )
        yield connection


@pytest.fixture
def settings(server, database, tmp_path):
    return asking(in_workspace(tmp_path / "workspace"), server, trips=MARKED)


def asking(settings, address, **queries):
    data = settings.data.model_copy(update={"source": address, "queries": queries, "sampled": ()})
    given = with_given(settings, raw_tables={"trips": TRIPS})
    return given.model_copy(update={"data": data})


def brought(settings, table=TRIPS):
    """Bring the trips in, and return their rows."""
    with engine.connect(settings) as connection:
        bring_in(connection, settings, {"trips": table}, settings.source)
        source = engine.parquet(load.raw_path(settings, "trips"))
        return [(*each.values(),) for each in engine.rows(connection, f"FROM {source} ORDER BY id, fare")]


def refused(settings, table=TRIPS):
    with pytest.raises(errors.ProjectError) as refusal:
        brought(settings, table)
    assert PASSWORD not in str(refusal.value)
    return str(refusal.value)


@pytest.fixture
def fetched(monkeypatch):
    """Return the list of how many rows were fetched each time."""
    found, real = [], database_rows._KeptRows._typed

    def typed(kept, file, target, mark):
        real(kept, file, target, mark)
        with engine.duckdb.connect() as connection:
            found.append(connection.execute(f"SELECT count(*) FROM '{target}'").fetchall()[0][0])

    monkeypatch.setattr(database_rows._KeptRows, "_typed", typed)
    return found


def test_rows_come_as_they_are(settings):
    assert brought(settings) == FIRST


def test_only_what_is_newer_is_fetched_and_what_comes_late_within_the_overlap(settings, database, fetched):
    brought(settings)
    database.execute("INSERT INTO trips VALUES (4, 'Bern', 4, '2013-01-04 10:00+00')")
    database.execute("INSERT INTO trips VALUES (5, 'late', 5, '2013-01-02 11:00+00')")
    assert brought(settings) == [*FIRST, (4, "Bern", 4.0), (5, "late", 5.0)]
    assert fetched == [3, 3]  # of the second time: 3, 4 and 5, as the overlap is a day


def test_what_comes_later_than_the_overlap_is_missed_until_all_is_fetched_anew(settings, database):
    brought(settings)
    database.execute("INSERT INTO trips VALUES (5, 'very late', 5, '2013-01-01 11:00+00')")
    assert brought(settings) == FIRST
    assert brought(settings.reloading()) == [*FIRST, (5, "very late", 5.0)]


def test_a_row_that_has_changed_takes_the_place_of_what_was_kept(settings, database):
    brought(settings)
    database.execute("UPDATE trips SET fare = 8, at = '2013-01-05 10:00+00' WHERE id = 1")
    assert brought(settings) == [(1, "Lyon", 8.0), *FIRST[1:]]


def test_what_is_deleted_within_the_overlap_goes(settings, database):
    brought(settings)
    database.execute("DELETE FROM trips WHERE id = 3")
    assert brought(settings) == FIRST[:2]


def test_a_row_of_the_future_hides_none_that_come_after_it(settings, database):
    database.execute("INSERT INTO trips VALUES (9, 'mistake', 9, '2999-01-01 00:00+00')")
    brought(settings)
    database.execute("INSERT INTO trips VALUES (6, 'Bern', 6, '2013-02-01 10:00+00')")
    assert [row[0] for row in brought(settings)] == [1, 2, 3, 6, 9]


def test_a_row_without_a_watermark_is_fetched_each_time(settings, database):
    database.execute("INSERT INTO trips VALUES (7, 'when?', 7, NULL)")
    brought(settings)
    database.execute("UPDATE trips SET fare = 70 WHERE id = 7")
    assert brought(settings)[-1] == (7, "when?", 70.0)
    assert len(brought(settings)) == 4


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("integer", ["1", "2", "3", "40"]),
        ("numeric", ["1.5", "2.5", "3.5", "40"]),
        ("date", ["'2013-01-01'", "'2013-01-02'", "'2013-01-03'", "'2013-02-01'"]),
        ("timestamp", ["'2013-01-01'", "'2013-01-02'", "'2013-01-03'", "'2013-02-01'"]),
    ],
)
def test_whatever_grows_may_be_the_watermark(settings, database, fetched, kind, values):
    database.execute(f"ALTER TABLE trips DROP at, ADD at {kind}")
    for number, value in enumerate(values[:3], 1):
        database.execute(f"UPDATE trips SET at = {value} WHERE id = {number}")
    brought(settings)
    database.execute(f"INSERT INTO trips VALUES (4, 'Bern', 4, {values[3]})")
    assert brought(settings) == [*FIRST, (4, "Bern", 4.0)]
    assert fetched == [3, 2]


def test_what_does_not_grow_is_no_watermark(settings, database, server):
    there = asking(settings, server, trips=Query(sql="SELECT * FROM trips", watermark="town"))
    assert refused(there) == (
        "project.yaml: data.queries.trips.watermark: town is text; take one of date, timestamp, timestamptz, "
        "int2, int4, int8, numeric"
    )


def test_without_a_watermark_all_is_fetched_each_time(settings, database, server, fetched):
    there = asking(settings, server, trips=Query(sql="SELECT * FROM trips WHERE fare IS NOT NULL;"))
    brought(there)
    database.execute("DELETE FROM trips WHERE id = 1")
    assert brought(there) == [FIRST[2]]
    assert fetched == [2, 1]


def test_another_query_fetches_all_anew_and_says_so(settings, database, server, fetched, caplog):
    brought(settings)
    other = MARKED.model_copy(update={"sql": "SELECT * FROM trips WHERE id < 3"})
    assert brought(asking(settings, server, trips=other)) == FIRST[:2]
    assert "trips: the query or its columns have changed; all rows are fetched anew" in caplog.text


def test_a_column_that_is_gone_is_told_and_the_last_rows_stay(settings, database):
    brought(settings)
    before = load.raw_path(settings, "trips").read_bytes()
    database.execute("ALTER TABLE trips RENAME fare TO price")
    assert refused(settings) == (
        "project.yaml: data.queries.trips: no column fare among id, town, price, at; has the table changed? "
        "see the query, and the columns in etl/extract.py"
    )
    assert load.raw_path(settings, "trips").read_bytes() == before


def test_a_column_of_another_type_is_told_by_its_value(settings, database):
    brought(settings)
    database.execute("ALTER TABLE trips ALTER fare TYPE text USING 'a lot'")
    assert refused(settings) == "project.yaml: data.queries.trips: column fare: a lot is no DOUBLE"
    assert brought_again_from_what_is_kept(settings) == FIRST


def brought_again_from_what_is_kept(settings):
    """Return the rows of the last good run."""
    with engine.connect(settings) as connection:
        source = engine.parquet(load.raw_path(settings, "trips"))
        return [(*each.values(),) for each in engine.rows(connection, f"FROM {source} ORDER BY id")]


def test_too_few_rows_are_told_by_the_query(settings, database):
    said = refused(settings, replace(TRIPS, minimum_rows=10))
    assert said == "project.yaml: data.queries.trips: 3 rows, at least 10 expected; is the query right?"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT * FROM trip", 'the database says: relation "trip" does not exist; see the query'),
        ("SELECT 1/0 AS id, '' AS town, 1 AS fare", "the database says: division by zero; see the query"),
        ("DELETE FROM trips RETURNING *", 'the database says: syntax error at or near "FROM"; see the query'),
        (
            "SELECT id, town, fare, setval(pg_get_serial_sequence('keyed', 'id'), 99) FROM trips",
            "the database says: cannot execute setval() in a read-only transaction; see the query",
        ),
    ],
)
def test_a_query_that_fails_is_told_and_changes_nothing(settings, database, server, query, said):
    database.execute("CREATE TABLE IF NOT EXISTS keyed (id serial)")
    assert refused(asking(settings, server, trips=Query(sql=query))) == (
        f"project.yaml: data.queries.trips: {said}"
    )
    assert database.execute("SELECT count(*) FROM trips").fetchone() == (3,)


def test_a_table_without_a_query_and_a_query_without_a_table_are_told(settings, server):
    assert refused(asking(settings, server, trip=MARKED)).splitlines() == [
        "project.yaml: data.queries: no query for the raw table trips; add it",
        "project.yaml: data.queries: trip is no raw table of etl/extract.py; take it out, or add it",
    ]


def test_a_database_that_is_down_is_tried_again_and_told(settings, monkeypatch):
    tried, real = [], psycopg.connect
    monkeypatch.setattr(retries, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(psycopg, "connect", lambda **given: (tried.append(1), real(**given))[1])
    port = free_port()
    there = asking(settings, f"postgresql://reader:{PASSWORD}@127.0.0.1:{port}/raw", trips=MARKED)
    assert refused(there) == (
        f"data.source: postgresql://reader:***@127.0.0.1:{port}/raw: the database does not answer, after 4 "
        "attempts; is it up, and reached from here?"
    )
    assert len(tried) == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            (f":{PASSWORD}@", f":not-{PASSWORD}@"),
            "user or password is refused or missing; set PGPASSWORD, a ~/.pgpass, or the address with both "
            "in the environment",
        ),
        ((r"/postgres$", "/elsewhere"), 'the database says: database "elsewhere" does not exist'),
    ],
)
def test_a_login_that_is_refused_is_told_at_once(settings, server, change, said, monkeypatch):
    monkeypatch.delenv("PGPASSWORD", raising=False)
    address = re.sub(*change, server)
    parts = urlsplit(address)
    assert refused(asking(settings, address, trips=MARKED)) == (
        f"data.source: postgresql://postgres:***@127.0.0.1:{parts.port}{parts.path}: {said}"
    )


def test_a_run_that_is_killed_between_rows_and_watermark_fetches_all_anew(settings, database, monkeypatch):
    brought(settings)
    database.execute("INSERT INTO trips VALUES (4, 'Bern', 4, '2013-01-04 10:00+00')")

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(database_rows, "write_whole", killed)
        with pytest.raises(KeyboardInterrupt):
            brought(settings)
    assert brought(settings) == [*FIRST, (4, "Bern", 4.0)]


def test_no_password_is_kept_on_the_disk(settings):
    brought(settings)
    for path in settings.workspace.rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes()
    state = json.loads((settings.source / "trips.json").read_text(encoding="utf-8"))
    assert state["rows"] == 3
    assert state["watermark"].startswith("2013-01-03 10:00:00+00")
