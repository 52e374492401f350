"""A value that can't be read rejects its row alone; a file is refused where rows can't be told apart."""

import gzip
from datetime import UTC

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from handrail.contract import schema
from handrail.errors import ProjectError
from handrail.etl import load
from handrail.serving import batch
from tests.engine.support.lived import ASKED, CONTRACT, KEY, TIME, promoted, rows_asked
from tests.engine.support.workspaces import copied

COLUMNS = {column.name: column for column in schema.columns(schema.request_model(CONTRACT))}
AMOUNT = next(c.name for c in COLUMNS.values() if c.kind is float and c.ge is not None and not c.nullable)
WHOLE = next(c.name for c in COLUMNS.values() if c.kind is int)
NAME = next(c.name for c in COLUMNS.values() if c.kind is str and c.name != KEY)
ROWS = 40
TIMES = ("not a time", "has an offset, and local time has none", "not of the years 1 to 9999")


@pytest.fixture
def project(trained, tmp_path):
    """Return settings of a workspace whose version is live."""
    return promoted(copied(trained, tmp_path))


@pytest.fixture
def records(project):
    """Return rows as a file of separated values has them, by text."""
    return [{name: _text(value) for name, value in row.items()} for row in rows_asked(project, ROWS)]


def _text(value):
    return "" if value is None else str(value)


def csv_of(records, path, end="\n"):
    """Write rows, each a mapping or a line as it stands."""
    lines = [
        ",".join(ASKED),
        *(each if isinstance(each, str) else ",".join(each.values()) for each in records),
    ]
    content = (end.join(lines) + end).encode("utf-8", "surrogateescape")
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def score(project, path):
    """Score a file and return what became of it, the scored keys, and reasons by key of the rejected rows."""
    given = batch.rows_to_score(project, path, None, None)
    found = batch.score_rows(project, given, project.workspace / "out.parquet")
    keys = set(pq.read_table(found.path)[KEY].to_pylist())
    rejected = load.rejected_path(project, "scored-out")
    kept = pq.read_table(rejected, columns=[KEY, "reason"]).to_pylist()
    return found, keys, {row[KEY]: row["reason"] for row in kept}


BAD = {
    "text in an amount": (AMOUNT, "far", "not a number"),
    "an amount that overflows": (AMOUNT, "1e400", "not a number"),
    "no number": (AMOUNT, "nan", "not a number"),
    "infinity": (AMOUNT, "-inf", "not a number"),
    "a comma for the point": (AMOUNT, '"1,5"', "not a number"),
    "text in a whole number": (WHOLE, "Monday", "not a number"),
    "a fraction": (WHOLE, "1.5", "not a whole number"),
    "a whole number of thirty digits": (WHOLE, "9" * 30, f"above {COLUMNS[WHOLE].le:.15g}"),
    "missing": (AMOUNT, "", "missing"),
    "no date": (TIME, "2013-13-45", TIMES[0]),
    "a number for a time": (TIME, "1357034400", TIMES[0]),
    "an offset": (TIME, "2013-09-01T10:00:00+02:00", TIMES[1]),
    "the end of time": (TIME, "infinity", TIMES[2]),
    "a name too long": (KEY, "x" * 5000, "longer than 1000 characters"),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_bad_value_rejects_its_row_and_no_other(project, records, tmp_path, bad, suffix):
    name, value, reason = BAD[bad]
    keys = [record[KEY] for record in records]
    records[7][name] = value if suffix == "csv" else value.strip('"')
    source = tmp_path / f"in.{suffix}"
    if suffix == "csv":
        csv_of(records, source)
    else:
        texts = {each: [record[each] or None for record in records] for each in ASKED}
        pq.write_table(pa.table(texts), source)
    found, scored, rejected = score(project, source)
    assert scored == {*keys} - {keys[7]}
    ((key, said),) = rejected.items()
    assert key == (value if name == KEY else keys[7])
    assert f"{name}: {reason}" in said
    assert f"{name}: missing" not in said or reason == "missing"
    assert found.rejected == {said: 1}


LINES = {
    "too few values": ("a,b", "fewer values than the header"),
    "too many": (",".join("x" * (len(ASKED) + 3)), "more values than the header"),
    "a mark within a value": ('a,"b"c' + "," * (len(ASKED) - 2), "a quotation mark inside a value"),
    "no UTF-8": ("a,\udcff\udce9" + "," * (len(ASKED) - 2), "not UTF-8"),
    "three million signs": ("a," + "x" * 3_000_000 + "," * (len(ASKED) - 2), "longer than 2 MB"),
}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
def test_a_line_that_is_no_row_is_rejected_with_its_number(project, records, tmp_path, line, suffix):
    text, reason = LINES[line]
    source = csv_of([*records[:20], text, *records[20:], text], tmp_path / f"in.{suffix}")
    found, scored, _ = score(project, source)
    assert scored == {record[KEY] for record in records}
    ((said, count),) = found.rejected.items()
    assert (said.startswith(reason), said.endswith(", the first in line 22"), count) == (True, True, 2)
    kept = pq.read_table(load.rejected_path(project, "scored-out")).to_pylist()
    assert [row["reason"].split(": ")[0] for row in kept] == ["line 22", f"line {ROWS + 3}"]
    assert {value for row in kept for name, value in row.items() if name != "reason"} == {None}


def test_a_mark_that_is_not_closed_hides_rows_so_the_file_is_refused(project, records, tmp_path):
    source = csv_of([*records[:20], 'a,"b,c', *records[20:]], tmp_path / "in.csv")
    with pytest.raises(ProjectError, match=r"^in.csv: line 22: a quotation mark is opened and not closed, "):
        score(project, source)
    assert not (project.workspace / "out.parquet").exists()


def test_lines_that_end_in_different_ways_refuse_the_file(project, records, tmp_path):
    source = csv_of(records, tmp_path / "in.csv")
    source.write_bytes(source.read_bytes().replace(b"\n", b"\r\n", 1))
    with pytest.raises(
        ProjectError, match=r"^in.csv: its lines end in different ways, or .*, \\n or \\r\\n$"
    ):
        score(project, source)


def test_more_bad_lines_than_can_be_kept_refuse_the_file(project, records, tmp_path, monkeypatch):
    monkeypatch.setattr(batch.rows_to_score.__module__ + ".MOST_UNREAD", 50)
    source = csv_of([*records, *["a,b"] * 60], tmp_path / "in.csv")
    with pytest.raises(
        ProjectError, match=rf"^in.csv: 50 values or more can't be read, .* line {ROWS + 2}; "
    ):
        score(project, source)


def test_a_value_may_hold_lines_and_marks(project, records, tmp_path):
    for record in records:
        record[NAME] = f'"{record[NAME]}"'
    records[3][NAME] = '"two\nlines, and a ""mark"""'
    _, scored, rejected = score(project, csv_of(records, tmp_path / "in.csv", end="\r\n"))
    assert (len(scored), [*rejected]) == (ROWS - 1, [records[3][KEY]])


def table_of(project, **changed):
    """Return the rows as an Arrow table with columns of other types."""
    table = pa.Table.from_pylist(rows_asked(project, ROWS))
    for name, change in changed.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, change(table[name].combine_chunks()))
    return table


FITS = {
    "whole numbers of 32 bits": (WHOLE, lambda c: c.cast(pa.int32())),
    "of 8 bits, without a sign": (WHOLE, lambda c: c.cast(pa.uint8())),
    "as floats": (WHOLE, lambda c: c.cast(pa.float64())),
    "as decimals": (WHOLE, lambda c: c.cast(pa.decimal128(30, 5))),
    "as texts": (WHOLE, lambda c: c.cast(pa.string())),
    "names in a dictionary": (NAME, lambda c: c.dictionary_encode()),
    "large texts": (KEY, lambda c: c.cast(pa.large_string())),
    "times of nanoseconds": (TIME, lambda c: c.cast(pa.timestamp("ns"))),
    "times as texts": (TIME, lambda c: c.cast(pa.string())),
}


@pytest.mark.parametrize("fits", FITS)
def test_a_column_of_another_type_is_read_where_its_values_fit(project, tmp_path, fits):
    name, change = FITS[fits]
    pq.write_table(table_of(project), tmp_path / "plain.parquet")
    pq.write_table(table_of(project, **{name: change}), tmp_path / "in.parquet")
    expected = score(project, tmp_path / "plain.parquet")[0].path
    plain = sorted(pq.read_table(expected, columns=[KEY, "prediction"]).to_pylist(), key=lambda r: r[KEY])
    _, scored, rejected = score(project, tmp_path / "in.parquet")
    found = pq.read_table(project.workspace / "out.parquet", columns=[KEY, "prediction"]).to_pylist()
    assert sorted(found, key=lambda r: r[KEY]) == plain
    assert (len(scored), rejected) == (ROWS, {})


def test_nothing_in_a_column_is_missing_or_not_as_the_contract_says(project, tmp_path):
    may = next(c.name for c in COLUMNS.values() if c.nullable and c.kind is float)
    pq.write_table(table_of(project, **{may: lambda c: pa.nulls(ROWS)}), tmp_path / "in.parquet")
    assert len(score(project, tmp_path / "in.parquet")[1]) == ROWS
    pq.write_table(table_of(project, **{AMOUNT: lambda c: pa.nulls(ROWS)}), tmp_path / "in.parquet")
    said = f"in.parquet: no row to score: all {ROWS} rows are rejected, for {AMOUNT}: missing; see "
    with pytest.raises(ProjectError, match=said):
        score(project, tmp_path / "in.parquet")


REFUSED = {
    "an instant for a local time": (
        TIME,
        lambda c: c.cast(pa.timestamp("us", UTC)),
        "WITH TIME ZONE, and local",
    ),
    "a number for a time": (TIME, lambda c: c.cast(pa.int64()), f"{TIME} is BIGINT"),
    "yes or no for an amount": (AMOUNT, lambda c: pa.array([True] * ROWS), f"{AMOUNT} is BOOLEAN"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_column_that_means_something_else_is_refused_by_name(project, tmp_path, what):
    name, change, said = REFUSED[what]
    pq.write_table(table_of(project, **{name: change}), tmp_path / "in.parquet")
    with pytest.raises(ProjectError, match=f"^in.parquet: .*{said}"):
        score(project, tmp_path / "in.parquet")


def test_a_column_that_is_there_twice_is_refused(project, records, tmp_path):
    table = table_of(project)
    twice = pa.Table.from_arrays([*table.columns, table[AMOUNT]], names=[*table.column_names, AMOUNT])
    pq.write_table(twice, tmp_path / "in.parquet")
    with pytest.raises(ProjectError, match=f"^in.parquet: column {AMOUNT} is there more than once; "):
        score(project, tmp_path / "in.parquet")
    (tmp_path / "in.csv").write_text(",".join([*ASKED, AMOUNT]) + "\n", encoding="utf-8")
    with pytest.raises(ProjectError, match=f"^in.csv: column {AMOUNT} stands more than once in the header"):
        score(project, tmp_path / "in.csv")


def test_a_file_without_a_row_is_refused(project, tmp_path):
    pq.write_table(table_of(project).slice(0, 0), tmp_path / "in.parquet")
    with pytest.raises(ProjectError, match=r"^in.parquet: no row to score: it has none$"):
        score(project, tmp_path / "in.parquet")
    (tmp_path / "in.csv").write_text("", encoding="utf-8")
    with pytest.raises(ProjectError, match=r"^in.csv: the file is empty$"):
        score(project, tmp_path / "in.csv")


def test_a_column_with_the_name_of_the_row_s_number_is_another_column(project, tmp_path):
    table = table_of(project).append_column("File_Row_Number", pa.array([3] * ROWS))
    pq.write_table(table, tmp_path / "in.parquet")
    assert len(score(project, tmp_path / "in.parquet")[1]) == ROWS
