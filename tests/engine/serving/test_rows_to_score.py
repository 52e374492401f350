"""A path is the name of one file, whatever is in it, and never a pattern."""

import os
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from handrail import cli
from handrail.errors import ProjectError
from handrail.etl import load
from handrail.serving import batch
from handrail.serving.rows_to_score import NumberedRows
from tests.engine.support.lived import ASKED, KEY, promoted, rows_asked
from tests.engine.support.workspaces import copied

NAMES = (
    "in[1-3]",
    "in*",
    "in?",
    "a 'quoted' \"one\"",
    "two  spaces ",
    "-output",
    "--output=x",
    "~",
    "~root",
    "rückfrage ✈ 日本",
    "year=2013",
    "{a,b}",
    "back\\slash",
    "$HOME",
    "a;b--c",
    "%41",
    "line\nbreak",
)


@pytest.fixture
def project(trained, tmp_path):
    """Return settings of a workspace whose version is live."""
    return promoted(copied(trained, tmp_path))


@pytest.fixture
def folder(project, tmp_path, monkeypatch):
    """Return the working folder, with files that a pattern would match."""
    place = tmp_path / "here"
    place.mkdir()
    for name in ("in1", "in2", "output", "a", "b", "A"):
        write(project, place / f"{name}.parquet", 9)
        write(project, place / f"{name}.csv", 9)
    monkeypatch.chdir(place)
    return place


def write(project, path, rows):
    """Write the first rows of the live period to a file."""
    asked = rows_asked(project, rows)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(asked), path)
        return
    lines = [",".join("" if row[name] is None else str(row[name]) for name in ASKED) for row in asked]
    path.write_text("\n".join([",".join(ASKED), *lines, ""]), encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="most of them are no names there")
@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("name", NAMES)
def test_the_file_of_that_name_is_read_and_no_other(project, folder, name, suffix):
    write(project, folder / f"{name}.{suffix}", 3)
    given = batch.rows_to_score(project, (folder / f"{name}.{suffix}").relative_to(folder), None, None)
    found = batch.score_rows(project, given, batch.output_path(project, given.name))
    keys = set(pq.read_table(found.path)[KEY].to_pylist())
    assert keys == {row[KEY] for row in rows_asked(project, 3)}


def test_a_name_that_begins_with_a_dash_is_no_option(project):
    assert cli.accepts(project.project, "score", ["--input", "-in.csv", "--output", "--from"])


def test_a_link_is_followed(project, folder):
    write(project, folder / "real.parquet", 3)
    (folder / "link.parquet").symlink_to("real.parquet")
    given = batch.rows_to_score(project, folder / "link.parquet", None, None)
    assert batch.score_rows(project, given, folder / "out" / "scored.parquet").rows == 3


REFUSED = {
    "folder.parquet": "folder.parquet: a folder; --input names one file",
    "nothing.csv": "nothing.csv: no such file",
    "broken.csv": "broken.csv: no such file",
    "in*.parquet": "in*.parquet: no such file",
    "in.txt": "in.txt: neither .parquet nor .csv nor .csv.gz",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_such_file_is_refused(project, folder, name):
    (folder / "folder.parquet").mkdir()
    (folder / "broken.csv").symlink_to("away.csv")
    (folder / "in.txt").touch()
    path = (folder / name).relative_to(folder)
    with pytest.raises(ProjectError) as refused:
        batch.rows_to_score(project, path, None, None)
    assert refused.value.problems == (REFUSED[name],)


def test_what_is_read_is_not_written(project, folder):
    given = batch.rows_to_score(project, folder / "in1.parquet", None, None)
    before = (folder / "in1.parquet").read_bytes()
    with pytest.raises(ProjectError, match=r"^--output: .*in1.parquet is what is read; name another file$"):
        batch.score_rows(project, given, folder / "in1.parquet")
    assert (folder / "in1.parquet").read_bytes() == before


def test_parts_end_where_row_groups_do(project, folder):
    table = pq.read_table(folder / "in1.parquet")
    pq.write_table(table, folder / "groups.parquet", row_group_size=2)
    rows = NumberedRows(folder / "groups.parquet", "TRUE")
    assert rows.parts(3) == [(0, 4), (4, 8), (8, 9)]
    assert rows.parts(100) == [(0, 9)]
    pq.write_table(table.slice(0, 0), folder / "groups.parquet")
    assert rows.parts(3) == []


def test_of_one_key_the_first_in_time_is_scored_wherever_it_stands(project, folder, monkeypatch):
    monkeypatch.setattr(batch, "PART_ROWS", 4)
    monkeypatch.setattr("handrail.serving.batch_query.AT_ONCE", 2)
    rows = pq.read_table(folder / "in1.parquet").to_pylist()
    later = [{**row, project.project.time: row[project.project.time].replace(year=2014)} for row in rows[:4]]
    pq.write_table(pa.Table.from_pylist([*later, *rows, *rows[4:6]]), folder / "t.parquet", row_group_size=4)
    given = batch.rows_to_score(project, folder / "t.parquet", None, None)
    found = batch.score_rows(project, given, folder / "out.parquet")
    scored = pq.read_table(found.path).to_pylist()
    rejected = pq.read_table(load.rejected_path(project, "scored-out")).to_pylist()
    assert {row[project.project.time].year for row in scored} == {2013}
    assert (len(scored), found.rejected) == (9, {f"{KEY}: repeated": 6})
    assert sorted(row[KEY] for row in rejected) == sorted(row[KEY] for row in [*rows[:4], *rows[4:6]])


def test_a_full_disk_while_lines_are_read_leaves_nothing(project, folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("handrail.serving.rows_to_score.write_parquet", full)
    given = batch.rows_to_score(project, folder / "in1.csv", None, None)
    with pytest.raises(OSError, match="No space left"):
        batch.score_rows(project, given, folder / "out" / "scored.parquet")
    assert [*(folder / "out").iterdir()] == []
    shutil.rmtree(folder / "out")
