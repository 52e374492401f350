"""What is Spark's alone: tables in versions, folders of partitions, values in and out."""

import os
import shutil
import signal
import threading

import duckdb
import pytest

from handrail.compute import spark
from handrail.compute.data_engine import connect_data, has_table
from handrail.compute.duckdb import parquet, row, write_parquet
from handrail.errors import ProjectError
from handrail.etl.extract import bring_in
from handrail.etl.load import accept, raw_path, table_path
from handrail.etl.raw_files import RawTable, StoredTable
from tests.engine.support.engines import FUNCTIONS, by_engine, labels_read, told_of_a_part
from tests.engine.support.workspaces import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("engines")]
COLUMNS = {"n": "BIGINT", "day": "DATE"}


@pytest.fixture
def there(tmp_path):
    """Return settings with a folder of raw tables, of which one is parted by day as Hive does it."""
    raw = tmp_path / "raw"
    for day, count in (("2013-11-02", 3), ("2013-11-03", 2)):
        partition(raw, day, count)
    (raw / "events" / "_SUCCESS").touch()
    return read_by(tmp_path / "w", "spark", raw)


def read_by(workspace, engine, raw):
    """Return settings of a workspace for raw tables that are none of the example's."""
    settings = by_engine(workspace, engine, raw)
    return settings.model_copy(update={"data": settings.data.model_copy(update={"sampled": ()})})


def partition(raw, day, count):
    folder = raw / "events" / f"day={day}"
    folder.mkdir(parents=True)
    duckdb.sql(f"SELECT n FROM range({count}) AS t(n)").write_parquet(str(folder / "part-0.parquet"))
    return folder


def events(settings, minimum_rows=1):
    """Bring the parted table in, and return its rows by day."""
    with connect_data(settings) as connection:
        tables = {"events": RawTable("events/", COLUMNS, minimum_rows)}
        bring_in(connection, settings, tables, settings.source)
        return kept(connection, settings)


def kept(connection, settings):
    source = parquet(raw_path(settings, "events"))
    return connection.sql(
        f"SELECT CAST(day AS VARCHAR) AS day, count(*) AS n FROM {source} GROUP BY 1 ORDER BY 1"
    ).fetchall()


def test_partitions_are_read_late_ones_too_and_half_written_ones_are_refused(there):
    assert events(there) == [("2013-11-02", 3), ("2013-11-03", 2)]
    raw = there.source
    partition(raw, "2013-10-31", 4)  # late: of a day before those that were there
    assert events(there) == [("2013-10-31", 4), ("2013-11-02", 3), ("2013-11-03", 2)]
    before = events(there)
    for place in ("_temporary/0", "day=2013-11-03/_temporary/0"):  # a job that is under way, or was stopped
        unfinished = raw / "events" / place
        unfinished.mkdir(parents=True)
        assert refusal(there).startswith(f"events/: half-written: events/{place.removesuffix('/0')} is there")
        shutil.rmtree(unfinished.parent)
    (raw / "events" / "_SUCCESS").unlink()
    assert refusal(there).startswith(
        "events/: no _SUCCESS beside or above events/day=2013-10-31/part-0.parquet"
    )
    (raw / "events" / "_SUCCESS").touch()
    last = partition(raw, "2013-11-04", 5) / "part-0.parquet"
    whole = last.read_bytes()
    for content in (whole[:100], b""):
        last.write_bytes(content)
        assert refusal(there).startswith(
            "events/day=2013-11-04/part-0.parquet: not a whole Parquet file (Invalid Input Error: "
        )
    duckdb.sql("SELECT 1 AS other").write_parquet(str(last))  # a schema that changed upstream
    assert refusal(there) == (
        "events/day=2013-11-04/part-0.parquet: no column n among other, day; see etl/extract.py"
    )
    duckdb.sql("SELECT 'a name' AS n").write_parquet(str(last))
    assert refusal(there) == "events/: column n: a name is no BIGINT"
    last.unlink()
    with pytest.raises(ProjectError, match="9 rows, at least 100 expected"):
        events(there, minimum_rows=100)
    with connect_data(there) as connection:
        assert kept(connection, there) == before
    folders = (there.workspace / "data" / "spark" / "raw" / "events").glob("v-*")
    assert len([*folders]) == 2  # what was refused leaves nothing


def test_partitions_of_other_types_are_cast_each_from_its_own(there):
    for day, values in (("2013-11-04", "(7.0), (8.0)"), ("2013-11-05", "('9')")):
        folder = partition(there.source, day, 1)
        duckdb.sql(f"SELECT n FROM (VALUES {values}) AS t(n)").write_parquet(str(folder / "part-0.parquet"))
    assert events(there)[2:] == [("2013-11-04", 2), ("2013-11-05", 1)]
    with connect_data(there) as connection:
        assert connection.sql(f"SELECT sum(n) FROM {parquet(raw_path(there, 'events'))}").fetchall() == [
            (28,)
        ]


def test_instants_in_raw_files_are_told_in_utc_as_duckdb_does(there, tmp_path):
    """As of files that pandas or DuckDB has written of times with an offset."""
    moments = "SELECT TIMESTAMPTZ '2013-11-03 01:30:00-04' + to_hours(n) AS moment FROM range(2) AS t(n)"
    duckdb.sql(moments).write_parquet(str(there.source / "moments.parquet"))
    found = []
    for settings in (there, read_by(tmp_path / "d", "duckdb", there.source)):
        with connect_data(settings) as connection:
            for kind in ("TIMESTAMP", "TIMESTAMPTZ"):
                tables = {"moments": RawTable("moments.parquet", {"moment": kind}, 1)}
                bring_in(connection, settings, tables, settings.source)
                query = f"SELECT CAST(moment AS TIMESTAMP) AS m FROM {parquet(raw_path(settings, 'moments'))}"
                found.append([str(at) for (at,) in connection.sql(f"{query} ORDER BY m").fetchall()])
    assert found == [["2013-11-03 05:30:00", "2013-11-03 06:30:00"]] * 4


def test_files_that_are_there_already_are_refused_where_they_are_not_whole(there):
    place = there.source / "events"
    tables = {"events": StoredTable(f"parquet.`file://{place}`", COLUMNS, 1)}
    with connect_data(there) as connection:
        bring_in(connection, there, tables, None)
        before = kept(connection, there)
        assert before == [("2013-11-02", 3), ("2013-11-03", 2)]
        empty = place / "day=2013-11-03" / "part-1.parquet"
        empty.touch()
        with pytest.raises(ProjectError, match=r"part-1\.parquet is an empty file; have it written anew"):
            bring_in(connection, there, tables, None)
        empty.unlink()
        (place / "_temporary" / "0").mkdir(parents=True)
        (place / "_temporary" / "0" / "part").touch()
        with pytest.raises(ProjectError, match=r"half-written: .*/_temporary/0/part is there"):
            bring_in(connection, there, tables, None)
        assert kept(connection, there) == before


def refusal(settings):
    """Return the one sentence with which the parted table is refused."""
    with pytest.raises(ProjectError) as refused:
        events(settings)
    (said,) = refused.value.problems
    assert "\n" not in said
    return said


def test_what_is_learnt_from_is_not_taken_for_the_table_that_is_gone(there):
    assert (
        told_of_a_part(there)
        == f"{PROJECT.table_name}: spark has no such table yet; run `etl`, which loads it there"
    )


def test_a_temporary_table_is_on_the_disk_and_takes_no_heap(there):
    with connect_data(there) as connection:
        connection.session.range(200_000).createOrReplaceTempView("numbers")
        connection.execute("CREATE TEMP TABLE many AS SELECT id AS n FROM numbers")
        kept = connection.session.sparkContext._jsc.sc().getRDDStorageInfo()
        assert connection.sql("SELECT count(*), sum(n) FROM many").fetchall() == [(200000, 19999900000)]
        after = connection.session.sparkContext._jsc.sc().getRDDStorageInfo()
        sizes = [(each.memSize(), each.diskSize() > 0) for found in (kept, after) for each in found]
    assert sizes
    assert set(sizes) == {(0, True)}


def test_an_interrupt_is_pythons_own_and_not_sparks(there, caplog):
    before = signal.getsignal(signal.SIGINT)
    with connect_data(there) as connection:
        assert row(connection, "SELECT 1 AS n")["n"] == 1
    assert signal.getsignal(signal.SIGINT) is before
    threading.Timer(3.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt), connect_data(there) as connection:
        connection.session.range(10**12).selectExpr("max(hash(id))").collect()  # longer than anybody waits
    assert caplog.records == []
    with connect_data(there) as connection:
        assert row(connection, "SELECT 2 AS n")["n"] == 2


def test_what_java_says_at_its_start_is_told_in_its_own_line():
    with spark._quietly() as said:
        os.write(2, b"WARNING: Using incubator modules\nInvalid maximum heap size: -Xmxlots\n")
        os.write(2, b"Error: Could not create the Java Virtual Machine.\n")
        assert said() == "Invalid maximum heap size: -Xmxlots"
    with spark._quietly() as said:
        assert said() == ""


def test_a_full_disk_is_told_as_one(there):
    with connect_data(there) as connection, pytest.raises(duckdb.Error) as refused:
        connection.sql(f"SELECT CAST(error('{spark.FULL}') AS BIGINT) AS n").fetchall()
    assert str(refused.value) == (
        "the disk is full where Spark writes, its tables or its spark.local.dir; make room"
    )


def test_a_setting_of_sparks_that_is_none_is_told_in_a_line(there):
    wrong = there.model_copy(
        update={
            "compute": there.compute.model_copy(update={"spark": {"spark.sql.shuffle.partitions": "many"}})
        }
    )
    with connect_data(there):
        stop_session()
    try:
        with pytest.raises(ProjectError) as refused, connect_data(wrong):
            pass
        (said,) = refused.value.problems
        assert said.startswith(
            "compute.spark: [INVALID_CONF_VALUE.TYPE_MISMATCH] The value 'many' in the config "
        )
        assert said.endswith("; mend it in project.yaml")
    finally:
        stop_session()


def stop_session():
    """Stop the session of this process; the next connection starts another."""
    from pyspark.sql import SparkSession

    SparkSession._instantiatedSession.stop()


def test_a_table_is_one_version_or_the_next_and_a_half_written_one_is_told(there):
    name = PROJECT.table_name
    path, built = table_path(there, name), table_path(there.with_table(accepted=False), name)
    when = "TIMESTAMP '2013-11-03 01:30:00' AS scheduled_at, 'x' AS flight_id"
    with connect_data(there) as connection:
        write_parquet(connection, f"SELECT 1 AS a, {when} ORDER BY scheduled_at, flight_id", path)
        assert row(connection, f"SELECT * FROM {parquet(path)}")["a"] == 1
        place = there.workspace / "data" / "spark" / name
        assert [each.name for each in place.glob("v-*/by_day=*")] == ["by_day=2013-11-03"]
        with pytest.raises(duckdb.Error):
            write_parquet(connection, f"SELECT CAST(error('no') AS BIGINT) AS a, {when}", path)
        assert row(connection, f"SELECT a FROM {parquet(path)}")["a"] == 1
        for number in (2, 3, 4):
            write_parquet(connection, f"SELECT {number} AS a, {when}", path)
        assert len([*place.glob("v-*")]) == 2  # the one that counts and the one before it
        write_parquet(connection, f"SELECT 5 AS a, {when}", built)
        assert row(connection, f"SELECT a FROM {parquet(path)}")["a"] == 4
    accept(there, name)
    with connect_data(there) as connection:
        assert row(connection, f"SELECT a FROM {parquet(path)}")["a"] == 5
        assert not has_table(connection, built)
    current = place / (place / "CURRENT").read_text()
    (current / "_SUCCESS").unlink()
    told = r"half-written, as _SUCCESS is missing; run `etl`"
    with pytest.raises(ProjectError, match=told), connect_data(there) as connection:
        row(connection, f"SELECT a FROM {parquet(path)}")


def test_a_file_that_is_written_anew_is_read(there):
    with connect_data(there) as connection:
        path = raw_path(there, "events")
        write_parquet(connection, "SELECT 1 AS n UNION ALL SELECT 2", path)
        for part in (there.workspace / "data" / "spark").rglob("*.parquet"):  # as `purge --key` does
            duckdb.sql(f"SELECT * FROM '{part}' WHERE n <> 2").write_parquet(f"{part}.new")
            part.with_name(f"{part.name}.new").replace(part)
    with connect_data(there) as connection:
        assert connection.sql(f"SELECT n FROM {parquet(path)}").fetchall() == [(1,)]
        assert not [*(there.workspace / "data" / "spark").rglob("*.crc")]


def test_texts_numbers_and_times_come_back_as_they_went_in(there):
    source = r"""
        SELECT * FROM (VALUES
            (1, 'plain', 0.1::DOUBLE, TIMESTAMP '2013-11-03 01:30:00', true, DATE '2013-11-03',
            9223372036854775807), (2, '', 1e-300, TIMESTAMP '1900-01-01', false, DATE '9999-12-31', -1), (3,
            '\N', 'nan'::DOUBLE, NULL, NULL, NULL, NULL), (4, NULL, 'inf'::DOUBLE, TIMESTAMP '2013-11-03
            01:30:00.123456', true, DATE '1900-01-01', 0)
        ) AS t(n, text, amount, moment, yes, day, whole)"""
    file, back = there.workspace / "given [1].parquet", there.workspace / "back.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    duckdb.sql(source).write_parquet(str(file))
    with connect_data(there) as connection:
        assert write_parquet(connection, f"SELECT * FROM {parquet(file)} ORDER BY n", back) == 4
    for one, other in ((file, back), (back, file)):
        assert (
            duckdb.sql(f"SELECT * FROM {parquet(one)} EXCEPT ALL SELECT * FROM {parquet(other)}").fetchall()
            == []
        )
    kinds = [[*map(str, duckdb.sql(f"SELECT * FROM {parquet(path)}").types)] for path in (file, back)]
    assert kinds[0] == kinds[1]


def test_what_people_have_labelled_is_a_table(there):
    found = labels_read(there)
    assert found == [("N,2", None), ("N1", "jet")]


def test_functions_give_what_duckdb_gives(there):
    asked = (
        f"{FUNCTIONS}, CAST(CAST(3.7 AS DOUBLE) AS BIGINT) AS up, "
        "regexp_matches('UA1' || chr(10), '^[A-Z]{2}[0-9]$') AS line"
    )
    with connect_data(there) as connection:
        found = row(connection, f"SELECT {asked}")
    names = duckdb.sql(f"SELECT {asked}")
    expected = dict(zip(names.columns, names.fetchall()[0], strict=True))
    assert {name: str(v).removesuffix(".0") for name, v in found.items()} == {
        name: str(v).removesuffix(".0") for name, v in expected.items()
    }


def test_a_folder_is_a_table_that_is_there_already(there):
    place = there.source / "events"
    tables = {"events": StoredTable(f"parquet.`file://{place}`", COLUMNS, 1)}
    with connect_data(there) as connection:
        assert bring_in(connection, there, tables, None) == {"events": 5}
        assert kept(connection, there) == [("2013-11-02", 3), ("2013-11-03", 2)]
