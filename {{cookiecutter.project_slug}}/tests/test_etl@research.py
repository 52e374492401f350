"""The ETL on bad input, killed half-way and run again, whatever the raw tables are."""

import hashlib
import os
import re
import subprocess
import sys
import zipfile

import duckdb
import pytest

from {{ cookiecutter.__package }} import commands, contract, engine, errors, settings
from {{ cookiecutter.__package }}.etl import extract, load, pipeline, raw

from .conftest import ROOT

TABLE = contract.TABLE
RAW = extract.RAW_TABLES
SMALLEST = min((name for name in RAW if not RAW[name].sampled), key=lambda name: RAW[name].minimum_rows)
TYPED = next(name for name in RAW if set(RAW[name].columns.values()) - {"VARCHAR"} and not RAW[name].sampled)


def run(project):
    """Run the ETL and return its result."""
    return pipeline.run_etl(project, lambda step: None)


def with_sources(project, folder, **changed):
    """Return settings that read copies of the raw files in `folder`, some with other lines, None without."""
    folder.mkdir()
    for name, table in RAW.items():
        original = extract.source_folder(project) / table.file
        if name not in changed:
            source = original if original.is_file() else original.with_name(original.name + ".zip")
            (folder / source.name).symlink_to(source)
        elif changed[name] is not None:
            (folder / table.file).write_text("".join(changed[name]), encoding="utf-8")
    return project.model_copy(update={"data": project.data.model_copy(update={"source": folder})})


def lines_of(project, name):
    """Return the lines of a raw file, with their ends."""
    path = extract.source_folder(project) / RAW[name].file
    if path.is_file():
        return path.read_text(encoding="utf-8").splitlines(keepends=True)
    with zipfile.ZipFile(path.with_name(path.name + ".zip")) as archive:
        return archive.read(path.name).decode().splitlines(keepends=True)


def content(project):
    """Return a fingerprint of the loaded table's rows."""
    rows = duckdb.sql(f"SELECT * FROM '{load.table_path(project, TABLE)}' ORDER BY ALL").fetchall()
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def refusal(project, tmp_path, **changed):
    """Return what the ETL says to changed sources, having seen that the last good table stays."""
    before = content(project)
    with pytest.raises(errors.ProjectError) as refused:
        run(with_sources(project, tmp_path / "sources", **changed))
    assert content(project) == before
    return str(refused.value)


def test_running_again_gives_the_same_table(project):
    before = content(project)
    run(project)
    assert content(project) == before


def test_a_missing_file_is_named(project, tmp_path):
    said = refusal(project, tmp_path, **{SMALLEST: None})
    assert f"{RAW[SMALLEST].file}: no such file; data.source in project.yaml" in said


def test_an_empty_file_is_named(project, tmp_path):
    assert refusal(project, tmp_path, **{SMALLEST: [""]}) == f"{RAW[SMALLEST].file}: the file is empty"


def test_a_renamed_column_is_named(project, tmp_path):
    column = next(iter(RAW[SMALLEST].columns))
    header, *rows = lines_of(project, SMALLEST)
    renamed = re.sub(rf"\b{column}\b", "renamed", header, count=1)
    said = refusal(project, tmp_path, **{SMALLEST: [renamed, *rows]})
    assert f"{RAW[SMALLEST].file}: no column {column} among" in said
    assert "renamed" in said


def test_a_value_of_another_type_is_named_with_its_line(project, tmp_path):
    column = next(name for name, kind in RAW[TYPED].columns.items() if kind != "VARCHAR")
    header, first, *rows = lines_of(project, TYPED)
    cells = first.rstrip("\r\n").split(",")
    cells[header.rstrip("\r\n").split(",").index(column)] = "nonsense"
    said = refusal(project, tmp_path, **{TYPED: [header, ",".join(cells) + "\n", *rows]})
    assert f"{RAW[TYPED].file}: 1 values can't be read; the first: line 2, column {column}" in said
    assert "nonsense" in said


def test_a_file_cut_off_between_lines_is_refused(project, tmp_path):
    said = refusal(project, tmp_path, **{SMALLEST: lines_of(project, SMALLEST)[:2]})
    assert f"{RAW[SMALLEST].file}: 1 rows, at least {RAW[SMALLEST].minimum_rows} expected" in said


def test_a_file_cut_off_within_a_line_is_refused(project, tmp_path):
    *rows, last = lines_of(project, TYPED)
    said = refusal(project, tmp_path, **{TYPED: [*rows, last.split(",")[0]]})
    assert f"{RAW[TYPED].file}: " in said
    assert "values can't be read" in said


def test_a_truncated_zip_is_refused(empty, tmp_path):
    source = with_sources(empty, tmp_path / "sources", **{SMALLEST: None})
    packed = tmp_path / "sources" / f"{RAW[SMALLEST].file}.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(RAW[SMALLEST].file, "".join(lines_of(empty, SMALLEST)))
    packed.write_bytes(packed.read_bytes()[:-40])
    with pytest.raises(errors.ProjectError, match=rf"{packed.name}: not a whole zip file with"):
        run(source)


def test_all_bad_files_are_named_at_once(project, tmp_path):
    first, second = list(RAW)[-2:]
    said = refusal(project, tmp_path, **{first: None, second: [""]})
    assert RAW[first].file in said.splitlines()[0]
    assert RAW[second].file in said.splitlines()[1]


def test_too_many_broken_rows_are_refused_and_kept_with_their_reason(project):
    before = content(project)
    spoilt = "SELECT *, CASE WHEN i % 20 = 0 THEN 'spoilt' END AS reason FROM range(1000) AS r(i)"
    with engine.connect(project) as connection:
        connection.execute(f"CREATE TEMP TABLE checked AS {spoilt}")
        with pytest.raises(errors.ProjectError, match=r"50 of 1000 rows break the contract"):
            load.load(connection, "checked", TABLE, project)
        assert load.reasons(connection, load.rejected_path(project, TABLE)) == {"spoilt": 50}
    assert content(project) == before


def in_process(project, code):
    """Run `etl` in a process of its own, after `code`, in the workspace of `project`."""
    start = f"import sys\nfrom {commands.__name__} import main\nsys.exit(main(['etl']))"
    changed = {"WORKSPACE": str(project.workspace), "SAMPLE": str(project.sample)}
    environment = os.environ | {settings.ENV_PREFIX + name: value for name, value in changed.items()}
    command = [sys.executable, "-c", f"{code}\n{start}"]
    return subprocess.run(command, env=environment, cwd=ROOT, text=True, capture_output=True, check=False)


def test_killed_before_the_load_leaves_the_last_good_table(project):
    before = content(project)
    dies = "pipeline.load = lambda *given: os._exit(137)"
    code = f"import os\nfrom {pipeline.__package__} import pipeline\n{dies}"
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
    assert re.fullmatch(r"error: .*\n", result.stderr)
    assert content(project) == before
    assert not [path for path in (project.workspace / "data").rglob(".*") if path.is_file()]


def test_a_file_in_another_encoding_is_refused(project, tmp_path):
    header, first, *rows = lines_of(project, SMALLEST)
    source = with_sources(project, tmp_path / "sources", **{SMALLEST: None})
    spoilt = "".join([header, first.replace(first[0], "é", 1), *rows]).encode("latin-1", "replace")
    (tmp_path / "sources" / RAW[SMALLEST].file).write_bytes(spoilt)
    with pytest.raises(errors.ProjectError, match=r"(?i)utf-?8|unicode"):
        run(source)


@pytest.mark.parametrize("empty_cell", ["", '""', "NA"])
def test_an_empty_cell_is_missing_whatever_the_type(project, tmp_path, empty_cell):
    (tmp_path / "few.csv").write_text(f"name,amount\n{empty_cell},1\na,{empty_cell}\n", encoding="utf-8")
    few = raw.RawTable("few.csv", {"name": "VARCHAR", "amount": "INTEGER"}, minimum_rows=1)
    target = tmp_path / "few.parquet"
    with engine.connect(project) as connection:
        assert raw.read_raw(connection, few, tmp_path, target, None) == 2
        found = engine.rows(connection, f"SELECT * FROM {engine.parquet(target)} ORDER BY ALL")
    assert found == [{"name": "a", "amount": None}, {"name": None, "amount": 1}]
