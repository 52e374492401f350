"""Raw files in a bucket: fetched when they change, never half of a table, and what is wrong told by name."""

import shutil

import pytest

from handrail import errors
from handrail.compute import duckdb as engine
from handrail.config.settings import read_settings
from handrail.etl import load, pipeline, remote_files
from handrail.etl import raw_files as raw
from handrail.etl.extract import bring_in
from handrail.storage import s3
from handrail.storage.store import ChangedError, open_store
from tests.engine.storage.conftest import place, s3_variables
from tests.engine.support.example import example
from tests.engine.support.workspaces import in_workspace

__all__ = ["s3_variables"]

TRIPS = raw.RawTable("trips.csv", {"town": "VARCHAR", "fare": "INTEGER"}, minimum_rows=1)
PARTS = raw.RawTable("rides/", {"town": "VARCHAR", "year": "INTEGER"}, minimum_rows=1)
TABLES = {"trips": TRIPS}


@pytest.fixture
def bucket(s3_variables, monkeypatch):
    """Return a store in an empty place of a bucket."""
    address = place("s3", s3_variables, monkeypatch)
    return open_store(address, None, "data.source")


@pytest.fixture
def settings(bucket, tmp_path):
    """Return settings whose raw files lie there."""
    return sourced(in_workspace(tmp_path / "workspace"), bucket.url)


def sourced(settings, address, **more):
    data = settings.data.model_copy(update={"source": address, "sampled": (), **more})
    return settings.model_copy(update={"data": data})


def brought(settings, tables=TABLES):
    """Bring the tables in, and return the rows of the first."""
    with engine.connect(settings) as connection:
        bring_in(connection, settings, tables, settings.source)
        path = load.raw_path(settings, next(iter(tables)))
        return [
            (*row.values(),) for row in engine.rows(connection, f"FROM {engine.parquet(path)} ORDER BY ALL")
        ]


def refused(settings, tables=TABLES):
    with pytest.raises(errors.ProjectError) as refusal:
        brought(settings, tables)
    return str(refusal.value)


def part(bucket, tmp_path, key, query):
    with engine.duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO '{tmp_path / 'part'}' (FORMAT parquet)")
    bucket.write(key, (tmp_path / "part").read_bytes())


@pytest.fixture
def downloads(monkeypatch):
    """Return the list of the keys that are downloaded."""
    found, real = [], s3.S3Store.download
    monkeypatch.setattr(
        s3.S3Store, "download", lambda store, entry, path: (found.append(entry.key), real(store, entry, path))
    )
    return found


def test_a_file_is_fetched_when_it_is_new_or_changed_and_not_else(bucket, settings, downloads):
    bucket.write("trips.csv", b"town,fare\nLyon,7\n")
    assert brought(settings) == brought(settings) == [("Lyon", 7)]
    assert downloads == ["trips.csv"]
    bucket.write("trips.csv", b"town,fare\nLyon,8\n")
    assert brought(settings) == [("Lyon", 8)]
    assert downloads == ["trips.csv"] * 2


def test_a_copy_that_is_lost_or_of_another_bucket_is_fetched_again(bucket, settings, downloads):
    bucket.write("trips.csv", b"town,fare\nLyon,7\n")
    brought(settings)
    (settings.source / "trips.csv").unlink()
    assert brought(settings) == [("Lyon", 7)]
    open_store(f"{bucket.url}/other", None, "x").write("trips.csv", b"town,fare\nLyon,7\n")
    brought(sourced(settings, f"{bucket.url}/other"))
    assert len(downloads) == 3


def test_a_file_may_be_packed_and_what_was_before_is_gone(bucket, settings):
    import gzip

    bucket.write("trips.csv", b"town,fare\nLyon,7\n")
    brought(settings)
    bucket.delete("trips.csv")
    bucket.write("trips.csv.gz", gzip.compress(b"town,fare\nGhent,9\n"))
    assert brought(settings) == [("Ghent", 9)]


def test_a_bucket_that_is_not_there_is_told_once(settings):
    tables = {"trips": TRIPS, "others": raw.RawTable("others.csv", TRIPS.columns, 1)}
    assert refused(sourced(settings, "s3://none-of-that/raw"), tables) == (
        "data.source: s3://none-of-that/raw: no such bucket; create it, or correct data.source in "
        "project.yaml"
    )


def test_a_file_that_is_not_there_is_told_and_the_last_table_stays(bucket, settings):
    bucket.write("trips.csv", b"town,fare\nLyon,7\n")
    brought(settings)
    before = load.raw_path(settings, "trips").read_bytes()
    bucket.delete("trips.csv")
    assert refused(settings) == (
        f"{bucket.url}/trips.csv: no such file; data.source in project.yaml names the place of the raw tables"
    )
    assert load.raw_path(settings, "trips").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more"])
def test_an_empty_or_cut_off_file_is_told_by_name(bucket, settings, content):
    table = raw.RawTable("trips.parquet", TRIPS.columns, 1)
    bucket.write("trips.parquet", content)
    said = refused(settings, {"trips": table})
    empty = f"{bucket.url}/trips.parquet: is empty, 0 bytes; write it anew, or delete it"
    assert said == empty if not content else said.startswith("trips.parquet: not a whole Parquet file (")


def test_the_files_of_a_folder_are_one_table_and_their_folders_a_column(bucket, settings, tmp_path):
    part(bucket, tmp_path, "rides/year=2012/a.parquet", "SELECT 'Lyon' AS town")
    part(bucket, tmp_path, "rides/year=2013/b.parquet", "SELECT 'Ghent' AS town")
    bucket.write("rides/_SUCCESS", b"")
    assert brought(settings, {"rides": PARTS}) == [("Ghent", 2013), ("Lyon", 2012)]
    bucket.delete("rides/year=2012/a.parquet")
    assert brought(settings, {"rides": PARTS}) == [("Ghent", 2013)]


def test_a_folder_is_read_when_it_is_complete_and_not_before(bucket, settings, tmp_path, monkeypatch):
    part(bucket, tmp_path, "rides/year=2013/b.parquet", "SELECT 'Ghent' AS town")
    assert refused(settings, {"rides": PARTS}) == (
        f"{bucket.url}/rides/: no _SUCCESS beside or above rides/year=2013/b.parquet: it is not complete "
        "yet; or say in etl/extract.py that nobody writes one: RawTable(..., marker=None)"
    )
    unmarked = raw.RawTable("rides/", PARTS.columns, 1, marker=None)
    assert brought(settings, {"rides": unmarked}) == [("Ghent", 2013)]
    bucket.write("rides/_SUCCESS", b"")
    assert brought(settings, {"rides": PARTS}) == [("Ghent", 2013)]
    bucket.write("rides/_temporary/0/x.parquet", b"half")
    assert "rides/: it is being written: _temporary is in it" in refused(settings, {"rides": PARTS})
    bucket.delete("rides/_temporary/0/x.parquet")
    real = s3.S3Store._entry

    def late(store, found):
        entry = real(store, found)
        return entry._replace(modified=entry.modified + 60 * entry.key.endswith("b.parquet"))

    monkeypatch.setattr(s3.S3Store, "_entry", late)
    assert "rides/year=2013/b.parquet is newer than _SUCCESS: more is being written" in refused(
        settings, {"rides": PARTS}
    )


def test_each_part_that_is_broken_is_named(bucket, settings, tmp_path):
    part(bucket, tmp_path, "rides/year=2012/a.parquet", "SELECT 'Lyon' AS city")
    bucket.write("rides/year=2013/b.parquet", b"PAR1 cut off")
    bucket.write("rides/_SUCCESS", b"")
    lacking, cut_off = refused(settings, {"rides": PARTS}).splitlines()
    assert lacking.startswith("rides/year=2012/a.parquet: no column town among city, year")
    assert cut_off.startswith("rides/year=2013/b.parquet: not a whole Parquet file (")


def test_a_folder_of_this_machine_is_read_like_that_too(settings, tmp_path):
    place = tmp_path / "raw" / "rides" / "year=2013"
    place.mkdir(parents=True)
    with engine.duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 'Ghent' AS town) TO '{place / 'a.parquet'}' (FORMAT parquet)")
    here = sourced(settings, str(tmp_path / "raw"))
    assert "rides/: no _SUCCESS beside or above rides/year=2013/a.parquet" in refused(here, {"rides": PARTS})
    (place / "_SUCCESS").touch()
    assert brought(here, {"rides": PARTS}) == [("Ghent", 2013)]
    unslashed = {"rides": raw.RawTable("rides", PARTS.columns, minimum_rows=1)}
    assert brought(here, unslashed) == [("Ghent", 2013)]
    unfinished = place / "_temporary" / "0"
    unfinished.mkdir(parents=True)
    for tables in ({"rides": PARTS}, unslashed):
        assert "half-written: rides/year=2013/_temporary is there" in refused(here, tables)
    unfinished.rmdir()
    unfinished.parent.rmdir()
    (place / "b.parquet").touch()
    for tables in ({"rides": PARTS}, unslashed):
        assert "rides/year=2013/b.parquet: not a whole Parquet file" in refused(here, tables)


def test_a_table_that_changes_between_list_and_read_is_read_anew(bucket, settings, monkeypatch):
    bucket.write("trips.csv", b"town,fare\nLyon,7\n")
    changes = iter([b"town,fare\nLyon,8\n"])
    real = s3.S3Store.download

    def download(store, entry, path):
        for content in changes:
            bucket.write("trips.csv", content)
        real(store, entry, path)

    monkeypatch.setattr(s3.S3Store, "download", download)
    assert brought(settings) == [("Lyon", 8)]


def test_one_that_never_stops_changing_is_told(bucket, settings, monkeypatch):
    bucket.write("trips.csv", b"town,fare\nLyon,7\n")

    def download(store, entry, path):
        raise ChangedError(entry.key)

    monkeypatch.setattr(s3.S3Store, "download", download)
    assert refused(settings) == (
        f"{bucket.url}/trips.csv: has changed {remote_files.LOOKS} times while it was fetched; run `etl` "
        "again when it is written"
    )


def test_a_download_that_breaks_off_leaves_no_copy(bucket, settings, monkeypatch):
    bucket.write("trips.csv", b"town,fare\nLyon,7\n")

    def download(store, entry, path):
        path.write_bytes(b"town,fare\nLy")
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(s3.S3Store, "download", download)
        with pytest.raises(KeyboardInterrupt):
            brought(settings)
    assert not (settings.source / "trips.csv").exists()
    assert brought(settings) == [("Lyon", 7)]


def test_a_small_run_has_the_copies_of_the_whole(bucket, tmp_path):
    bucket.write("trips.csv", b"town,fare\nLyon,7\n")
    whole = sourced(in_workspace(tmp_path, sample=None), bucket.url)
    small = whole.model_copy(update={"sample": 100, "workspace": tmp_path / "sample" / "100"})
    assert small.source == whole.source == tmp_path / "data" / "source"


def test_the_example_is_the_same_from_a_bucket(bucket, trained, tmp_path):
    """Through the project's own extract.py, as it stands."""
    project = example()
    folder = project.module("etl.extract").example_folder()
    for table in project.raw_tables.values():
        found = next(
            folder / (table.file + end) for end in raw.PACKED if (folder / (table.file + end)).is_file()
        )
        bucket.upload(found, found.name)
    settings = read_settings(project).model_copy(
        update={"workspace": tmp_path, "sample": trained.sample, "example": False}
    )
    settings = settings.model_copy(update={"data": settings.data.model_copy(update={"source": bucket.url})})
    result = pipeline.run_etl(settings, lambda step: None)
    table = load.table_path(trained, project.table_name)
    assert result.path.read_bytes() == table.read_bytes()
    shutil.rmtree(settings.source)
