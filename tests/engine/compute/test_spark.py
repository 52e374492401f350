"""What is Spark's alone: tables in versions, folders of partitions, values in and out."""

import duckdb
import pytest

from handrail.compute.data_engine import connect_data, has_table
from handrail.compute.duckdb import parquet, row, write_parquet
from handrail.errors import ProjectError
from handrail.etl.extract import bring_in
from handrail.etl.load import accept, raw_path, table_path
from handrail.etl.raw_files import RawTable, StoredTable
from tests.engine.support.engines import FUNCTIONS, by_engine, labels_read
from tests.engine.support.workspaces import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("engines")]
COLUMNS = {"n": "BIGINT", "day": "DATE"}


@pytest.fixture
def there(tmp_path):
    """Return settings with a folder of raw tables, of which one is parted by day as Hive does it."""
    raw = tmp_path / "raw"
    for day, count in (("2013-11-02", 3), ("2013-11-03", 2)):
        partition(raw, day, count)
    settings = by_engine(tmp_path / "w", "spark", raw)
    return settings.model_copy(update={"data": settings.data.model_copy(update={"sampled": ()})})


def partition(raw, day, count):
    folder = raw / "events.parquet" / f"day={day}"
    folder.mkdir(parents=True)
    duckdb.sql(f"SELECT n FROM range({count}) AS t(n)").write_parquet(str(folder / "part-0.parquet"))
    return folder


def events(settings, minimum_rows=1):
    """Bring the parted table in, and return its rows by day."""
    with connect_data(settings) as connection:
        tables = {"events": RawTable("events.parquet", COLUMNS, minimum_rows)}
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
    (raw / "events.parquet" / "_temporary" / "0").mkdir(
        parents=True
    )  # a job that is under way, or was stopped
    with pytest.raises(ProjectError, match=r"events.parquet: half-written: _temporary is in it"):
        events(there)
    (raw / "events.parquet" / "_temporary" / "0").rmdir()
    (raw / "events.parquet" / "_temporary").rmdir()
    cut = partition(raw, "2013-11-04", 5) / "part-0.parquet"
    cut.write_bytes(cut.read_bytes()[:100])
    with pytest.raises(ProjectError, match=r"events.parquet: ") as refused:
        events(there)
    assert "\n" not in refused.value.problems[0]
    cut.unlink()
    duckdb.sql("SELECT 'a name' AS n").write_parquet(str(cut))  # a schema that changed upstream
    with pytest.raises(ProjectError, match=r"events.parquet: ") as refused:
        events(there)
    cut.unlink()
    with pytest.raises(ProjectError, match="9 rows, at least 100 expected"):
        events(there, minimum_rows=100)
    with connect_data(there) as connection:
        assert kept(connection, there) == before


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
        assert len([*place.glob("v-*")]) <= 3  # the one that counts, the one before it, and what failed
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
    place = there.source / "events.parquet"
    tables = {"events": StoredTable(f"parquet.`file://{place}`", COLUMNS, 1)}
    with connect_data(there) as connection:
        assert bring_in(connection, there, tables, None) == {"events": 5}
        assert kept(connection, there) == [("2013-11-02", 3), ("2013-11-03", 2)]
