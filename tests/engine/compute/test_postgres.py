"""What is PostgreSQL's alone: credentials, tables that are there already, files that are brought in once."""

import duckdb
import pytest

from handrail.compute.data_engine import connect_data, has_table
from handrail.compute.duckdb import parquet, row, rows, write_parquet
from handrail.errors import ProjectError
from handrail.etl.extract import bring_in
from handrail.etl.load import accept, drop, raw_path, table_path
from handrail.etl.raw_files import StoredTable
from tests.engine.support.engines import FUNCTIONS, by_engine, labels_read, told_of_a_part
from tests.engine.support.postgres_server import postgres_server
from tests.engine.support.workspaces import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("engines")]


@pytest.fixture(scope="module")
def url():
    with postgres_server() as address:
        yield address


@pytest.fixture
def there(url, tmp_path):
    """Return settings of a schema of its own."""
    schema = f"t{abs(hash(str(tmp_path))) % 10**8}"
    return by_engine(tmp_path, "postgres", None, url, schema_name=schema)


def parquet_file(path, query):
    path.parent.mkdir(parents=True, exist_ok=True)
    duckdb.sql(query).write_parquet(str(path))
    return path


def test_a_password_that_is_wrong_is_told_at_once_and_not_shown(url, tmp_path, caplog):
    settings = by_engine(tmp_path, "postgres", None, url.replace("a-password-of-the-tests", "not-this-one"))
    with pytest.raises(ProjectError) as refused, connect_data(settings):
        pass
    (told,) = refused.value.problems
    assert "COMPUTE_URL: the database lets nobody in: password authentication failed for user" in told
    assert told.endswith("renew what is set there")
    assert "not-this-one" not in told
    assert not caplog.records


def test_a_role_that_has_expired_is_told(url, tmp_path):
    import psycopg

    with psycopg.connect(url, autocommit=True) as server:
        server.execute("CREATE ROLE gone LOGIN PASSWORD 'once' VALID UNTIL '2001-01-01'")
    settings = by_engine(
        tmp_path, "postgres", None, url.replace("postgres:a-password-of-the-tests", "gone:once")
    )
    with pytest.raises(ProjectError, match="the database lets nobody in"), connect_data(settings):
        pass


def test_texts_numbers_and_times_come_back_as_they_went_in(there):
    source = r"""
        SELECT * FROM (VALUES
            (1, 'plain', 0.1, TIMESTAMP '2013-11-03 01:30:00', true, DATE '2013-11-03', 9223372036854775807),
            (2, '', 1e-300, TIMESTAMP '0001-01-01', false, DATE '9999-12-31', -1),
            (3, '\N', 'nan'::DOUBLE, NULL, NULL, NULL, NULL),
            (4, NULL, 'inf'::DOUBLE, TIMESTAMP '2013-11-03 01:30:00.123456', true, DATE '1900-01-01', 0),
            (5, E'two\nlines, "quoted"\\', -0.30000000000000004, NULL, NULL, NULL, NULL)
        ) AS t(n, text, amount, moment, yes, day, whole)"""
    file = parquet_file(there.workspace / "data" / "given.parquet", source)
    with connect_data(there) as connection:
        found = connection.sql(f"SELECT * FROM {parquet(file)} ORDER BY n")
        assert found.fetchall()[:2] == duckdb.sql(f"{source} ORDER BY n").fetchall()[:2]
        back = there.workspace / "back.parquet"
        assert write_parquet(connection, f"SELECT * FROM {parquet(file)} ORDER BY n", back) == 5
    for one, other in ((file, back), (back, file)):
        assert (
            duckdb.sql(f"SELECT * FROM {parquet(one)} EXCEPT ALL SELECT * FROM {parquet(other)}").fetchall()
            == []
        )
    kinds = [[*map(str, duckdb.sql(f"SELECT * FROM {parquet(path)}").types)] for path in (file, back)]
    assert kinds[0] == kinds[1]


def test_a_file_is_brought_in_once_and_anew_where_it_has_changed(there):
    file = parquet_file(there.workspace / "data" / "predictions" / "one.parquet", "SELECT 1 AS a")
    query = f"SELECT sum(a) AS a FROM {parquet(file)}"
    tables = (
        "SELECT count(*) AS n, max(c.relfilenode) AS which FROM pg_class AS c WHERE c.relname LIKE 'file_%'"
    )

    def looked():
        with connect_data(there) as connection:
            return row(connection, query)["a"], connection.sql(tables).fetchall()

    first = looked()
    assert looked() == first
    parquet_file(file, "SELECT 2 AS a UNION ALL SELECT 3")
    assert looked()[0] == 5
    file.unlink()
    with connect_data(there) as connection:  # what is purged here is gone there, too
        name = connection.schema
        counted = connection.sql(
            f"SELECT count(*) AS n FROM pg_tables WHERE schemaname = '{name}' AND tablename LIKE 'file_%'"
        ).fetchall()
    assert counted == [(0,)]


def test_files_of_other_columns_are_read_together(there):
    folder = there.workspace / "data" / "predictions"
    one = parquet_file(folder / "one.parquet", "SELECT 1 AS a, 'x' AS b")
    two = parquet_file(folder / "two.parquet", "SELECT 2 AS a, 0.5 AS c")
    from handrail.compute.duckdb import file_name

    listed = (
        f"read_parquet([{file_name(one)}, {file_name(two)}], union_by_name = true, hive_partitioning = false)"
    )
    with connect_data(there) as connection:
        found = rows(connection, f"SELECT a, b, c FROM {listed} ORDER BY a")
    assert [(each["a"], each["b"], each["c"] and float(each["c"])) for each in found] == [
        (1, "x", None),
        (2, None, 0.5),
    ]


def test_tables_that_are_there_already_are_raw_tables(there, url):
    import psycopg

    with psycopg.connect(url, autocommit=True) as server:
        server.execute("CREATE SCHEMA sales")
        server.execute(
            "CREATE TABLE sales.orders AS SELECT n, 'NA' AS note, n / 2.0 AS amount FROM "
            "generate_series(1, 9) n"
        )
    columns = {"n": "BIGINT", "note": "VARCHAR", "amount": "DOUBLE"}
    tables = {"orders": StoredTable("sales.orders", columns, minimum_rows=5, missing=("NA",))}
    with connect_data(there) as connection:
        settings = there.model_copy(update={"data": there.data.model_copy(update={"sampled": ()})})
        assert bring_in(connection, settings, tables, None) == {"orders": 9}
        found = row(
            connection, f"SELECT sum(amount) AS a, count(note) AS n FROM {parquet(raw_path(there, 'orders'))}"
        )
        assert found == {"a": 22.5, "n": 0}
        for other, told in (
            (
                {"orders": StoredTable("sales.orders", {"m": "BIGINT"}, 1)},
                "no column m among n, note, amount",
            ),
            ({"orders": StoredTable("sales.orders", columns, 100)}, "9 rows, at least 100 expected"),
            ({"orders": StoredTable("sales.nothing", columns, 1)}, "sales.nothing: .*does not exist"),
        ):
            with pytest.raises(ProjectError, match=told):
                bring_in(connection, settings, other, None)
        assert row(connection, f"SELECT count(*) AS n FROM {parquet(raw_path(there, 'orders'))}")["n"] == 9


def test_where_one_of_two_tables_is_bad_neither_is_replaced(there):
    columns = {"n": "BIGINT"}
    settings = there.model_copy(update={"data": there.data.model_copy(update={"sampled": ()})})
    with connect_data(there) as connection:
        connection._run(
            "CREATE TABLE first AS SELECT 1::bigint AS n; CREATE TABLE second AS SELECT 1::bigint AS n"
        )
        both = {name: StoredTable(name, columns, 1) for name in ("first", "second")}
        bring_in(connection, settings, both, None)
        connection._run("UPDATE first SET n = 2; DELETE FROM second")
        with pytest.raises(ProjectError, match="second: 0 rows, at least 1 expected"):
            bring_in(connection, settings, both, None)
        assert row(connection, f"SELECT n FROM {parquet(raw_path(there, 'first'))}")["n"] == 1


def test_a_table_that_is_built_aside_takes_the_place_of_the_one_that_is_read(there):
    name = PROJECT.table_name
    built = there.with_table(accepted=False)
    with connect_data(there) as connection:
        write_parquet(connection, "SELECT 1 AS a", table_path(there, name))
        write_parquet(connection, "SELECT 2 AS a", table_path(built, name))
        assert row(connection, f"SELECT a FROM {parquet(table_path(there, name))}")["a"] == 1
    accept(there, name)
    with connect_data(there) as connection:
        assert row(connection, f"SELECT a FROM {parquet(table_path(there, name))}")["a"] == 2
        assert not has_table(connection, table_path(built, name))
        write_parquet(connection, "SELECT 3 AS a", table_path(built, name))
    drop(there, name)
    with connect_data(there) as connection:
        assert not has_table(connection, table_path(built, name))
        assert row(connection, f"SELECT a FROM {parquet(table_path(there, name))}")["a"] == 2


def test_what_people_have_labelled_is_a_table(there):
    found = labels_read(there)
    assert found == [("N,2", None), ("N1", "jet")]


def test_functions_give_what_duckdb_gives(there):
    asked = f"{FUNCTIONS}, sha256(unhex('61')) AS bytes, CAST(2.5 AS INTEGER) AS decimal_half"
    with connect_data(there) as connection:
        found = row(connection, f"SELECT {asked}")
    names = duckdb.sql(f"SELECT {asked}")
    expected = dict(zip(names.columns, names.fetchall()[0], strict=True))
    assert {name: float(v) if isinstance(v, int) else v for name, v in found.items()} == {
        name: float(v) if isinstance(v, int) else v for name, v in expected.items()
    }


def test_what_is_learnt_from_is_not_taken_for_the_table_that_is_gone(there):
    name = PROJECT.table_name
    assert told_of_a_part(there) == f"{name}: postgres has no such table yet; run `etl`, which loads it there"
