"""The reading of raw files, as they come and as they break."""

import gzip
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from handrail import errors
from handrail.compute import duckdb as engine
from handrail.etl import raw_files as raw

TRIPS = raw.RawTable("trips.csv", {"town": "VARCHAR", "fare": "INTEGER"}, minimum_rows=2)
PARQUET = replace(TRIPS, file="trips.parquet")
READ = [{"town": "Lyon", "fare": 7}, {"town": "Ghent, Belgium", "fare": 30}]


@pytest.fixture
def read(empty, tmp_path):
    """Return a function that reads a raw table in the test's folder and returns its rows."""

    def read_table(table, sample=None):
        target = tmp_path / "read" / table.file
        with engine.connect(empty) as connection:
            count = raw.read_raw(connection, empty, table, tmp_path, target, sample)
            found = engine.rows(connection, f"SELECT * FROM {engine.parquet(target)} ORDER BY fare")
        assert count == len(found)
        return found

    return read_table


@pytest.fixture
def refusal(read):
    """Return a function that returns what the reader says to a table."""

    def refuse(table):
        with pytest.raises(errors.ProjectError) as refused:
            read(table)
        return str(refused.value)

    return refuse


def write_csv(folder, *lines):
    (folder / TRIPS.file).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_parquet(folder, query):
    with engine.duckdb.connect() as connection:
        engine.write_parquet(connection, query, folder / PARQUET.file)


def test_columns_are_found_by_name_and_others_left(read, tmp_path):
    write_csv(tmp_path, "stop,fare,town", "x,7,Lyon", '?,30,"Ghent, Belgium"')
    assert read(TRIPS) == READ


def test_a_file_with_another_separator_is_read(read, tmp_path):
    write_csv(tmp_path, "town;fare", "Lyon;7", "Ghent, Belgium;30")
    assert read(replace(TRIPS, separator=";")) == READ


@pytest.mark.parametrize("file", [TRIPS.file, PARQUET.file])
def test_a_column_may_have_any_name(read, tmp_path, file):
    name = 'Fare in "€", one-way'
    header = name.replace('"', '""')
    write_csv(tmp_path, f'town,"{header}",fare', "Lyon,7,1")
    write_parquet(tmp_path, f"SELECT 'Lyon' AS town, 7 AS \"{header}\", 1 AS fare")
    table = replace(TRIPS, file=file, columns={name: "INTEGER", "fare": "INTEGER"}, minimum_rows=1)
    assert read(table, 5) == [{name: 7, "fare": 1}]


def test_another_separator_than_was_said_is_named(refusal, tmp_path):
    write_csv(tmp_path, "town;fare", "Lyon;7", "Ghent;30")
    assert refusal(TRIPS) == (
        "trips.csv: no column town, fare among town;fare; "
        "see the columns and the separator, now ',', in etl/extract.py"
    )


def test_a_parquet_file_is_read_and_cast(read, tmp_path):
    write_parquet(tmp_path, "SELECT * FROM (VALUES ('7', 'Lyon'), ('30', 'Ghent, Belgium')) AS t(fare, town)")
    assert read(PARQUET) == READ


def test_a_parquet_value_of_another_type_is_named(refusal, tmp_path):
    write_parquet(tmp_path, "SELECT * FROM (VALUES ('7', 'Lyon'), ('dear', 'Ghent')) AS t(fare, town)")
    assert refusal(PARQUET) == "trips.parquet: column fare: dear is no INTEGER"


def test_a_renamed_column_is_named(refusal, tmp_path):
    write_parquet(tmp_path, "SELECT 7 AS price, 'Lyon' AS town")
    said = "trips.parquet: no column fare among price, town; see the columns in etl/extract.py"
    assert refusal(PARQUET) == said


def test_a_parquet_file_cut_off_is_refused(refusal, tmp_path):
    write_parquet(tmp_path, "SELECT i AS fare, 'Lyon' AS town FROM range(100) AS r(i)")
    path = tmp_path / PARQUET.file
    path.write_bytes(path.read_bytes()[:-40])
    assert refusal(PARQUET).startswith("trips.parquet: not a whole Parquet file")


def test_an_empty_file_is_refused(refusal, tmp_path):
    write_csv(tmp_path)
    assert refusal(TRIPS) == "trips.csv: the file is empty"


def test_a_value_of_another_type_is_named_with_its_line(refusal, tmp_path):
    write_csv(tmp_path, "town,fare", "Lyon,7", "Ghent,dear")
    said = refusal(TRIPS)
    assert said.startswith("trips.csv: 1 values can't be read; the first: line 3, column fare: ")
    assert "dear" in said
    assert "cut off" not in said


def test_a_type_that_does_not_exist_is_named_with_its_file(refusal, tmp_path):
    write_csv(tmp_path, "town,fare", "Lyon,7", "Ghent,30")
    said = refusal(replace(TRIPS, columns={"town": "WORD"}))
    assert said.startswith("trips.csv: ")
    assert "WORD" in said


def test_a_file_cut_off_between_lines_is_refused(refusal, tmp_path):
    write_csv(tmp_path, "town,fare", "Lyon,7")
    assert refusal(TRIPS) == "trips.csv: 1 rows, at least 2 expected; is the file cut off?"


def test_a_file_cut_off_within_a_line_is_refused(refusal, tmp_path):
    write_csv(tmp_path, "town,fare", "Lyon,7", "Ghent,30", "Basel")
    said = refusal(TRIPS)
    assert said.startswith("trips.csv: 1 values can't be read; the first: line 4")
    assert said.endswith("; if that is its last line, the file was cut off: fetch it again")


def test_a_file_in_another_encoding_is_refused(refusal, tmp_path):
    (tmp_path / TRIPS.file).write_bytes("town,fare\nOrléans,7\nGhent,30\n".encode("latin-1"))
    said = refusal(TRIPS)
    assert "trips.csv" in said
    assert "utf-8" in said.lower()


def test_a_file_in_an_encoding_that_is_said_is_read(read, refusal, tmp_path):
    (tmp_path / TRIPS.file).write_bytes("köy;fare\nOrléans;7\nGand;30\n".encode("latin-1"))
    table = replace(TRIPS, separator=";", columns={"köy": "VARCHAR", "fare": "INTEGER"})
    assert "; see the columns and the encoding, now 'utf-8', in etl/extract.py" in refusal(table)
    found = read(replace(table, encoding="latin-1"))
    assert found == [{"köy": "Orléans", "fare": 7}, {"köy": "Gand", "fare": 30}]


def test_a_zip_file_is_unpacked_and_a_truncated_one_refused(read, refusal, tmp_path):
    packed = tmp_path / f"{TRIPS.file}.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(TRIPS.file, 'fare,town\n7,Lyon\n30,"Ghent, Belgium"\n')
    assert read(TRIPS) == READ
    packed.write_bytes(packed.read_bytes()[:-40])
    assert refusal(TRIPS).startswith("trips.csv.zip: not a whole zip file with trips.csv in it")


@pytest.mark.parametrize("empty_cell", ["", '""'])
def test_an_empty_cell_is_missing_whatever_the_type(read, tmp_path, empty_cell):
    write_csv(tmp_path, "town,fare", f"{empty_cell},1", f"Lyon,{empty_cell}")
    assert read(TRIPS) == [{"town": None, "fare": 1}, {"town": "Lyon", "fare": None}]


def test_a_sample_is_the_same_each_time(read, tmp_path):
    write_parquet(tmp_path, "SELECT i AS fare, 'Lyon' AS town FROM range(1000) AS r(i)")
    table = PARQUET
    sample = read(table, 10)
    assert len(sample) == 10
    assert read(table, 10) == sample


def asked_for(*records):
    """Return a raw table whose rows are those that a function returns."""

    def trips(settings):
        yield from records

    return raw.RawRows(trips, TRIPS.columns, minimum_rows=2)


def test_rows_that_a_function_returns_are_read_with_their_types(read):
    records = [{"town": "Lyon", "fare": 7, "stop": "x"}, {"town": "Ghent, Belgium", "fare": "30"}]
    assert read(asked_for(*records)) == READ


def test_a_missing_value_of_a_function_is_missing(read):
    found = read(asked_for({"town": None, "fare": 7}, {"town": "Lyon", "fare": None}))
    assert found == [{"town": None, "fare": 7}, {"town": "Lyon", "fare": None}]


def test_a_function_without_a_column_is_refused_by_its_name(refusal):
    assert refusal(asked_for({"town": "Lyon"})) == "trips(): no column fare among town"


def test_a_function_that_gives_a_text_for_a_number_is_refused(refusal):
    said = refusal(asked_for({"town": "Lyon", "fare": "dear"}, {"town": "Ghent", "fare": 30}))
    assert said == "trips(): column fare: dear is no INTEGER"


def test_a_function_that_gives_too_few_rows_is_refused(refusal):
    assert refusal(asked_for({"town": "Lyon", "fare": 7})) == (
        "trips(): 1 rows, at least 2 expected; is the file cut off?"
    )


def test_a_service_that_is_down_is_told(refusal):
    def trips(settings):
        raise ConnectionRefusedError(111, "Connection refused")

    said = refusal(raw.RawRows(trips, TRIPS.columns, minimum_rows=2))
    assert said == "trips(): the source can't be read ([Errno 111] Connection refused); see etl/extract.py"


# Values that do not fit their type.

FILES = ("csv", "parquet", "function")


@pytest.fixture
def given(tmp_path):
    """Return a function that writes a column `fare` of texts in each form, and returns its table."""

    def table(form, kind, *values, **changes):
        columns = {"fare": kind, "town": "VARCHAR"}
        if form == "function":
            records = [{"fare": value, "town": "Lyon"} for value in values]
            return raw.RawRows(lambda settings: records, columns, 1, **changes)
        if form == "csv":
            write_csv(tmp_path, "town,fare", *(f"Lyon,{value}" for value in values))
        else:
            rows = ", ".join(f"({engine.literal(value)}, 'Lyon')" for value in values)
            write_parquet(tmp_path, f"SELECT * FROM (VALUES {rows}) AS t(fare, town)")
        return raw.RawTable(f"trips.{form}", columns, 1, **changes)

    return table


@pytest.mark.parametrize("form", FILES)
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("INTEGER", "1400.6"),
        ("BIGINT", "1400.6"),
        ("BIGINT", "1.00000001"),
        ("int4", "1e-1"),
    ],
)
def test_a_fraction_among_whole_numbers_is_refused_and_not_rounded(given, refusal, form, kind, value):
    said = refusal(given(form, kind, "7", value))
    assert "column fare: " in said
    assert said.endswith(" is no INTEGER" if kind != "BIGINT" else " is no BIGINT")


@pytest.mark.parametrize("form", FILES)
def test_whole_numbers_are_read_exactly_however_they_are_written(given, read, form):
    found = read(given(form, "BIGINT", "1e3", "12.0", "9007199254740993", "-9223372036854775808"))
    assert [row["fare"] for row in found] == [-9223372036854775808, 12, 1000, 9007199254740993]


def test_a_fraction_in_a_column_of_numbers_is_refused(refusal, tmp_path):
    write_parquet(tmp_path, "SELECT 1400.6::DOUBLE AS fare, 'Lyon' AS town")
    assert refusal(PARQUET) == "trips.parquet: column fare: 1400.6 is no INTEGER"


def test_a_number_too_great_for_its_type_is_refused(given, refusal):
    assert refusal(given("parquet", "INTEGER", "3000000000")) == (
        "trips.parquet: column fare: 3000000000 is no INTEGER"
    )
    said = refusal(given("csv", "INTEGER", "3000000000"))
    assert said.startswith("trips.csv: 1 values can't be read; the first: line 2, column fare: ")


# Times: TIMESTAMP is a clock without an offset, TIMESTAMPTZ an instant that becomes UTC.


@pytest.mark.parametrize("form", FILES)
def test_a_time_with_an_offset_is_refused_where_a_clock_is_said(given, refusal, form):
    for written in ("2013-01-01T10:00:00+01:00", "2013-01-01 10:00+01", "2013-01-01 10:00:00 Europe/Paris"):
        assert refusal(given(form, "TIMESTAMP", "2013-01-01 09:00:00", written)).endswith(
            f": column fare: {written} has an offset; TIMESTAMPTZ is converted to UTC, TIMESTAMP is a clock "
            "without any"
        )


@pytest.mark.parametrize("form", FILES)
def test_the_same_instants_give_the_same_rows_in_every_form(given, read, form):
    written = (
        "2013-01-01T10:00:00+01:00",
        "2013-01-01 04:00:00-05",
        "2013-01-01T09:00:00Z",
        "2013-01-01 09:00",
    )
    found = read(given(form, "TIMESTAMPTZ", *written))
    assert {row["fare"].astimezone(UTC) for row in found} == {datetime(2013, 1, 1, 9, tzinfo=UTC)}
    clock = read(given(form, "TIMESTAMP", *written[2:]))
    assert {row["fare"] for row in clock} == {datetime(2013, 1, 1, 9)}


def test_instants_in_a_file_or_of_a_function_follow_the_same_rule(read, refusal, tmp_path):
    write_parquet(tmp_path, "SELECT '2013-01-01 10:00:00+01'::TIMESTAMPTZ AS fare, 'Lyon' AS town")
    table = replace(PARQUET, columns={"fare": "TIMESTAMP", "town": "VARCHAR"}, minimum_rows=1)
    assert read(table)[0]["fare"] == datetime(2013, 1, 1, 9)
    paris = datetime(2013, 1, 1, 10, tzinfo=timezone(timedelta(hours=1)))
    rows = raw.RawRows(lambda settings: [{"fare": paris, "town": "Lyon"}], table.columns, 1)
    assert "2013-01-01 10:00:00+01:00 has an offset" in refusal(rows)
    zoned = replace(rows, columns={"fare": "TIMESTAMPTZ", "town": "VARCHAR"})
    assert read(zoned)[0]["fare"] == paris


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMPTZ"])
def test_no_number_is_a_time(given, refusal, tmp_path, kind):
    for form in FILES[1:]:
        assert "column fare: 1357034400 is no TIMESTAMP" in refusal(given(form, kind, "1357034400"))
    assert "line 2, column fare: " in refusal(given("csv", kind, "1357034400"))
    write_parquet(tmp_path, "SELECT 1357034400 AS fare, 'Lyon' AS town")
    assert refusal(replace(PARQUET, columns={"fare": kind}, minimum_rows=1)) == (
        "trips.parquet: column fare: INTEGER, and no number is a time; make it one in transform.sql"
    )


# Headers and forms.


@pytest.mark.parametrize(
    "lines",
    [
        (",town,fare", "0,Lyon,7", '1,"Ghent, Belgium",30'),
        ("town,fare,", "Lyon,7", '"Ghent, Belgium",30'),
        ("town,fare,", "Lyon,7,", '"Ghent, Belgium",30,'),
        ("town,fare", "Lyon,7,", '"Ghent, Belgium",30,'),
        ("stop,town,stop,fare", "a,Lyon,b,7", 'a,"Ghent, Belgium",b,30'),
        ("town,TOWN,fare,_0", "Lyon,b,7,x", '"Ghent, Belgium",b,30,x'),
    ],
    ids=["pandas index", "header ends", "both end", "rows end", "twice", "capitals"],
)
def test_columns_that_nobody_asks_for_may_be_called_anything(read, tmp_path, lines):
    write_csv(tmp_path, *lines)
    assert read(TRIPS) == READ


def test_a_used_column_that_is_there_twice_is_named(refusal, tmp_path):
    write_csv(tmp_path, "town,fare,town", "Lyon,7,x", "Ghent,30,x")
    assert refusal(TRIPS) == (
        "trips.csv: column town stands more than once in the header; rename one of them, or leave the column "
        "out of etl/extract.py"
    )


def test_used_columns_that_differ_in_capitals_are_named(refusal, tmp_path):
    write_csv(tmp_path, "town,TOWN,fare", "Lyon,x,7", "Ghent,x,30")
    assert refusal(replace(TRIPS, columns={"town": "VARCHAR", "TOWN": "VARCHAR"})).startswith(
        "trips.csv: columns town and TOWN are one name in SQL"
    )


def test_columns_between_any_number_of_spaces_are_read(read, refusal, tmp_path):
    write_csv(tmp_path, "  town     fare", "Lyon \t  7  ", '"Ghent, Belgium"   30')
    assert read(replace(TRIPS, separator="whitespace")) == READ
    assert refusal(replace(TRIPS, separator=" +")) == (
        "trips.csv: separator ' +': one character is meant, or 'whitespace' for any number of spaces and "
        "tabs; see etl/extract.py"
    )


def test_a_file_without_a_header_is_read_by_place(read, refusal, tmp_path):
    write_csv(tmp_path, "Lyon,7,x", '"Ghent, Belgium",30,x')
    assert read(replace(TRIPS, header=False)) == READ
    more = replace(TRIPS, header=False, columns=dict.fromkeys("abcd", "VARCHAR"))
    assert refusal(more).startswith(
        "trips.csv: 3 columns, and 4 are named in etl/extract.py; without a header"
    )


@pytest.mark.parametrize("file", ["trips.csv.gz", "trips.CSV.GZ", "trips.csv"])
def test_a_file_packed_by_gzip_is_read_and_a_cut_one_refused(read, refusal, tmp_path, file):
    path = tmp_path / ("trips.csv.gz" if file == "trips.csv" else file)
    whole = gzip.compress(b'town,fare\nLyon,7\n"Ghent, Belgium",30\n')
    path.write_bytes(whole)
    table = replace(TRIPS, file=file)
    assert read(table) == READ
    for broken in (whole[:-12], b"town,fare\n"):
        path.write_bytes(broken)
        said = refusal(table)
        assert said.startswith(f"{file}: ")
        assert "\n" not in said


@pytest.mark.parametrize("file", ["trips.CSV", "trips.PARQUET"])
def test_an_ending_may_be_in_capitals(read, tmp_path, file):
    write_csv(tmp_path, "town,fare", "Lyon,7", '"Ghent, Belgium",30')
    (tmp_path / TRIPS.file).rename(tmp_path / "trips.CSV")
    write_parquet(tmp_path, "SELECT * FROM (VALUES (7, 'Lyon'), (30, 'Ghent, Belgium')) AS t(fare, town)")
    (tmp_path / PARQUET.file).rename(tmp_path / "trips.PARQUET")
    assert read(replace(TRIPS, file=file)) == READ


def test_a_form_that_nobody_knows_is_told_in_one_line(refusal, tmp_path):
    write_csv(tmp_path, "town,fare", "Lyon,7", "x" * 200_000)
    assert refusal(replace(TRIPS, encoding="klingon")).startswith("trips.csv: encoding 'klingon': not known")
    assert "\n" not in refusal(TRIPS)
    (tmp_path / TRIPS.file).write_bytes(b"\x00\x01\xff" * 100)
    assert "\n" not in refusal(TRIPS)


# What is missing.


@pytest.mark.parametrize("form", FILES)
def test_the_texts_that_are_missing_are_said_and_no_others(read, form, tmp_path):
    records = [{"town": "NA", "fare": "1"}, {"town": "", "fare": "2"}, {"town": "-", "fare": "-"}]
    write_csv(tmp_path, "town,fare", *(f"{each['town']},{each['fare']}" for each in records))
    write_parquet(tmp_path, "SELECT * FROM (VALUES ('NA', '1'), ('', '2'), ('-', '-')) AS t(town, fare)")
    table = raw.RawRows(lambda settings: records, TRIPS.columns, 1)
    table = table if form == "function" else replace(TRIPS, file=f"trips.{form}")
    found = read(replace(table, missing=("-",)))
    assert [row["town"] for row in sorted(found, key=str)] == ["NA", None, None]
    assert [row["fare"] for row in found] == [1, 2, None]


def test_where_it_is_not_said_na_is_missing_among_numbers_and_a_name_among_names(read, tmp_path, caplog):
    write_csv(tmp_path, "town,fare", "NA,1", "Lyon,NA", "NA,3", ",4")
    found = read(TRIPS)
    assert sorted(str(row["town"]) for row in found) == ["Lyon", "NA", "NA", "None"]
    assert next(row["fare"] for row in found if row["town"] == "Lyon") is None
    assert caplog.messages == [
        'trips.csv: NA is taken as a name: town in 2 rows; say missing=("", "NA") in etl/extract.py if it '
        'stands for nothing, or missing=("",) if it is a name'
    ]
    caplog.clear()
    assert [row["town"] for row in read(replace(TRIPS, missing=("", "NA")))] == [None, None, None, "Lyon"]
    assert not caplog.messages


def test_a_text_in_place_of_a_list_of_missing_texts_is_told(refusal):
    assert refusal(replace(TRIPS, missing="NA")) == (
        "trips.csv: missing: a list of texts is meant, as (\"\", 'NA')"
    )


@pytest.mark.parametrize("file", ["trips.csv", "trips.parquet", "trips.csv.gz", "trips.csv.zip"])
@pytest.mark.parametrize("folder", ["a[12]", "a*", "key=1"])
def test_a_folder_of_raw_files_is_a_name_and_no_pattern(empty, tmp_path, folder, file):
    for name, town in ((folder, "Lyon"), ("a1", "Gent")):
        there = tmp_path / name
        there.mkdir()
        write_csv(there, "town,fare", f"{town},7")
        write_parquet(there, f"SELECT '{town}' AS town, 7 AS fare")
        plain = (there / TRIPS.file).read_bytes()
        (there / "trips.csv.gz").write_bytes(gzip.compress(plain))
        with zipfile.ZipFile(there / "trips.csv.zip", "w") as archive:
            archive.writestr(TRIPS.file, plain)
        if not file.endswith(".csv"):
            (there / TRIPS.file).unlink()
    table = replace(TRIPS, file=file.removesuffix(".gz").removesuffix(".zip"), minimum_rows=1)
    target = tmp_path / folder / "read" / "trips.parquet"
    with engine.connect(empty) as connection:
        raw.read_raw(connection, empty, table, tmp_path / folder, target, None)
        assert engine.rows(connection, f"SELECT * FROM {engine.parquet(target)}") == [
            {"town": "Lyon", "fare": 7}
        ]
