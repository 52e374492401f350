"""The ETL on good data, on bad data, and killed half-way."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile

import duckdb
import pytest

from {{ cookiecutter.__package }} import commands, errors
from {{ cookiecutter.__package }}.etl import extract, load, pipeline

from .conftest import ROOT, SAMPLE

TABLE = "departures"


def run(settings):
    """Run the ETL and return its result."""
    return pipeline.run_etl(settings, lambda step: None)


def with_sources(settings, folder, **changed):
    """Return settings that read the example's files from `folder`, some of them changed."""
    folder.mkdir()
    for table in extract.RAW_TABLES.values():
        original = extract._packaged_example() / table.file
        packed = original.with_name(original.name + ".zip")
        source = original if original.is_file() else packed
        (folder / source.name).symlink_to(source)
    for name, content in changed.items():
        (folder / f"{name}.csv.zip").unlink(missing_ok=True)
        (folder / f"{name}.csv").unlink(missing_ok=True)
        if content is not None:
            (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    return settings.model_copy(update={"data": settings.data.model_copy(update={"source": folder})})


def lines_of(name):
    """Return the lines of one of the example's raw files."""
    path = extract._packaged_example() / f"{name}.csv"
    return path.read_text(encoding="utf-8").splitlines()


def content(settings):
    """Return a fingerprint of the loaded table's rows."""
    rows = duckdb.sql(f"SELECT * FROM '{load.table_path(settings, TABLE)}' ORDER BY flight_id").fetchall()
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def test_the_table_holds_the_sample_and_keeps_the_contract(trained):
    path = load.table_path(trained, TABLE)
    count, keys, late = duckdb.sql(
        f"SELECT count(*), count(DISTINCT flight_id), avg(late) FROM '{path}'"
    ).fetchall()[0]
    assert count == keys
    assert SAMPLE - 5 <= count <= SAMPLE
    assert 0.16 < late < 0.19


def test_one_known_departure_is_transformed_as_by_hand(empty):
    everything = empty.model_copy(update={"sample": None})
    result = run(everything)
    assert (result.raw["flights"], result.loaded) == (336_776, 336_775)
    assert result.rejected == {"distance_km: below 50": 1}
    query = (
        f"SELECT * FROM '{load.table_path(everything, TABLE)}' WHERE flight_id = 'UA1545-EWR-201301010515'"
    )
    found = duckdb.sql(query)
    row = dict(zip(found.columns, found.fetchall()[0], strict=True))
    assert str(row["scheduled_at"]) == "2013-01-01 05:15:00"
    assert row["distance_km"] == pytest.approx(1400 * 1.609344)
    assert (row["day_of_week"], row["scheduled_hour"], row["plane_age_years"], row["plane_seats"]) == (
        2,
        5,
        14,
        149,
    )
    assert row["temperature_c"] == pytest.approx((39.02 - 32) / 1.8)
    assert row["wind_speed_kmh"] == pytest.approx(12.65858 * 1.609344)
    assert (row["departure_delay_minutes"], row["late"]) == (2, 0)
    rejected = duckdb.sql(
        f"SELECT origin, destination, reason FROM '{load.rejected_path(everything, TABLE)}'"
    )
    assert rejected.fetchall() == [("EWR", "LGA", "distance_km: below 50")]


def test_running_again_gives_the_same_table(project):
    before = content(project)
    run(project)
    assert content(project) == before


BAD_PLANES = {
    "missing": (None, "planes.csv: no such file; data.source in project.yaml"),
    "empty": ("", "planes.csv: the file is empty"),
    "renamed": ("tailnum,seats,built\nN1,2,3\n", "planes.csv: no column year among tailnum, seats, built"),
    "wrong type": (
        "tailnum,year,seats\n" + "N1,2001,many\n" * 200,
        "planes.csv: 200 values can't be read; the first: line 2, column seats",
    ),
    "cut off": (
        "tailnum,year,seats\nN1,2001,4\n",
        "planes.csv: 1 rows, at least 100 expected; is the file cut off?",
    ),
}


@pytest.mark.parametrize("how", BAD_PLANES)
def test_a_bad_raw_file_is_named_and_the_last_good_table_stays(project, tmp_path, how):
    planes, sentence = BAD_PLANES[how]
    before = content(project)
    with pytest.raises(errors.ProjectError) as refused:
        run(with_sources(project, tmp_path / "sources", planes=planes))
    assert sentence in str(refused.value)
    assert content(project) == before


def test_all_bad_files_are_named_at_once(empty, tmp_path):
    with pytest.raises(errors.ProjectError) as refused:
        run(with_sources(empty, tmp_path / "sources", planes=None, airlines=""))
    assert [problem.split(":")[0].rsplit(os.sep)[-1] for problem in refused.value.problems] == [
        "planes.csv",
        "airlines.csv",
    ]


def test_a_truncated_zip_is_refused(empty, tmp_path):
    settings = with_sources(empty, tmp_path / "sources")
    packed = tmp_path / "sources" / "flights.csv.zip"
    whole = packed.read_bytes()
    packed.unlink()
    packed.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(errors.ProjectError, match=r"flights\.csv\.zip: not a whole zip file"):
        run(settings)


def test_a_line_cut_in_the_middle_is_refused(empty, tmp_path):
    text = "\n".join(lines_of("planes"))
    with pytest.raises(errors.ProjectError, match=r"planes\.csv: \d+ values can't be read"):
        run(with_sources(empty, tmp_path / "sources", planes=text[:-20]))


def test_too_many_broken_rows_are_refused_and_kept_with_their_reason(project, tmp_path):
    before = content(project)
    with zipfile.ZipFile(extract._packaged_example() / "flights.csv.zip") as archive:
        lines = archive.read("flights.csv").decode().splitlines()[:3001]
    place = lines[0].split(",").index("origin")
    cells = [line.split(",") for line in lines[1:]]
    moved = [
        ",".join([*row[:place], "XXX" if number < 100 else row[place], *row[place + 1 :]])
        for number, row in enumerate(cells)
    ]
    settings = with_sources(project, tmp_path / "sources", flights="\n".join([lines[0], *moved]) + "\n")
    with pytest.raises(errors.ProjectError, match=r"100 of 3000 rows break the contract, at most 1\.0% may"):
        run(settings.model_copy(update={"sample": None}))
    assert content(project) == before
    found = duckdb.sql(
        f"SELECT reason, count(*) FROM '{load.rejected_path(project, TABLE)}' GROUP BY reason"
    ).fetchall()
    assert found == [("origin: not one of EWR, JFK, LGA", 100)]


def in_process(settings, code, verb="etl"):
    """Run a verb in a process of its own after `code`, in the workspace of `settings`."""
    start = f"import sys\nfrom {commands.__name__} import main\nsys.exit(main(['{verb}']))"
    program = f"{code}\n{start}"
    prefix = commands.__name__.split(".")[0].upper()
    environment = os.environ | {
        f"{prefix}_WORKSPACE": str(settings.workspace),
        f"{prefix}_SAMPLE": str(SAMPLE),
    }
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
    )


def test_killed_before_the_load_leaves_the_last_good_table(project):
    before = content(project)
    package = commands.__name__.split(".")[0]
    code = f"import os\nfrom {package}.etl import pipeline\npipeline.load = lambda *given: os._exit(137)"
    assert in_process(project, code).returncode == 137
    assert content(project) == before
    assert [path.name for path in (project.workspace / "data").glob("*.parquet")] == [f"{TABLE}.parquet"]


@pytest.mark.skipif(os.name != "posix", reason="file size limits are POSIX")
def test_a_full_disk_is_one_clear_line(project):
    before = content(project)
    code = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    )
    result = in_process(project, code)
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert content(project) == before
    assert not [path for path in (project.workspace / "data").rglob(".*") if path.is_file()]


def test_the_example_reads_its_package_without_importing_it():
    find = f"from {extract.__name__} import _packaged_example; _packaged_example()"
    code = f"{find}; import sys; print('pandas' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert json.loads(result.stdout.lower()) is False
