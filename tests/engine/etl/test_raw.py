"""The reading of raw files, as they come and as they break."""

import zipfile
from dataclasses import replace

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


@pytest.mark.parametrize("empty_cell", ["", '""', "NA"])
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
