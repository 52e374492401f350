"""The ETL on bad input, killed half-way and run again, whatever the raw tables are."""

import hashlib
import os
import re
import subprocess
import sys

import duckdb
import pytest

from handrail import cli, errors
from handrail.compute import duckdb as engine
from handrail.contract import schema
from handrail.contract.gaps import gaps
from handrail.etl import load, pipeline
from handrail.etl.extract import bring_in
from tests.engine.support.example import example
from tests.engine.support.names import ENV_PREFIX, UNBOUND, contract
from tests.engine.support.workspaces import PROJECT, ROOT, with_given
from tests.engine.testing.made_up_projects import Shape, contract_of, made_up_project

TABLE = contract.TABLE
RAW = PROJECT.raw_tables
CUT = PROJECT.settings().data.sampled
SOURCE = PROJECT.module("etl.extract").example_folder()
ONE = min(RAW.keys() - {*CUT}, key=lambda name: RAW[name].minimum_rows)


def run(project):
    """Run the ETL and return its result."""
    return pipeline.run_etl(project, lambda step: None)


def with_sources(project, folder, **changed):
    """Return settings that read copies of the raw files in `folder`, some with other lines, None without."""
    folder.mkdir()
    for name, table in RAW.items():
        original = SOURCE / table.file
        if name not in changed:
            source = original if original.is_file() else original.with_name(original.name + ".zip")
            (folder / source.name).symlink_to(source)
        elif changed[name] is not None:
            (folder / table.file).write_text("".join(changed[name]), encoding="utf-8")
    return project.model_copy(update={"data": project.data.model_copy(update={"source": folder})})


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
    said = refusal(project, tmp_path, **{ONE: None})
    assert f"{RAW[ONE].file}: no such file; data.source in project.yaml" in said


def test_all_bad_files_are_named_at_once(project, tmp_path):
    first, second = list(RAW)[-2:]
    said = refusal(project, tmp_path, **{first: None, second: [""]})
    assert RAW[first].file in said.splitlines()[0]
    assert RAW[second].file in said.splitlines()[1]


def test_a_broken_statement_is_said_with_its_file(project):
    before = content(project)
    project = project.model_copy(update={"data": project.data.model_copy(update={"sampled": ()})})
    fewer = {name: RAW[name] for name in list(RAW)[1:]}
    project = with_given(project, raw_tables=fewer, extract=lambda c, s: bring_in(c, s, fewer, SOURCE))
    with pytest.raises(errors.ProjectError, match=r"^etl/transform\.sql: Catalog Error: Table with name"):
        run(project)
    assert content(project) == before


def test_a_value_that_a_statement_cannot_read_is_said_with_its_file(project):
    time = schema.one_of_role(contract.CONTRACT, schema.Role.TIME).name
    spoilt = f"strptime('32.1.' || year({time}), '%d.%m.%Y') AS {time}"
    query = f"SELECT * REPLACE ({spoilt}) FROM ({PROJECT.transform}\n)"
    project = with_given(project, transform=query)
    before = content(project)
    with pytest.raises(errors.ProjectError, match=r"^etl/transform\.sql: Invalid .*32\.1\..*; TRY_CAST and "):
        run(project)
    assert content(project) == before


def test_too_many_broken_rows_are_refused_and_kept_with_their_reason(project):
    before = content(project)
    spoilt = "SELECT *, CASE WHEN i % 20 = 0 THEN 'spoilt' END AS reason FROM range(1000) AS r(i)"
    with engine.connect(project) as connection:
        connection.execute(f"CREATE TEMP TABLE checked AS {spoilt}")
        with pytest.raises(errors.ProjectError, match=r"50 of 1,000 rows .* spoilt \(50 rows\); "):
            load.load(connection, "checked", TABLE, project)
        assert load.reasons(connection, load.rejected_path(project, TABLE)) == {"spoilt": 50}
    assert content(project) == before


def made_up(folder, query, **given):
    """Return settings of a made-up project whose transform.sql is `query` of its own."""
    project = made_up_project(folder, Shape())
    whole = project.given["transform"]
    other = made_up_project(folder / "other", Shape(), transform=query.format(whole), **given)
    return other.settings()


def test_nothing_is_said_to_stay_where_there_was_nothing(tmp_path):
    settings = made_up(tmp_path, "SELECT * REPLACE (-1 AS load) FROM ({})")
    with pytest.raises(errors.ProjectError) as refused:
        run(settings)
    assert str(refused.value) == (
        "visits.parquet: 3,000 of 3,000 rows break the contract, most often load: below 0 (3,000 rows); at "
        "most 1.0% may; see data/rejected/visits.parquet; nothing is loaded"
    )


def test_a_statement_that_gives_no_row_says_so(tmp_path):
    settings = made_up(tmp_path, "SELECT * FROM ({}) WHERE false")
    with pytest.raises(errors.ProjectError) as refused:
        run(settings)
    assert str(refused.value) == (
        "visits.parquet: etl/transform.sql gives no row; is a condition or a JOIN too narrow?; "
        "nothing is loaded"
    )


def test_a_key_that_is_none_is_refused_with_what_to_do(tmp_path):
    settings = made_up(tmp_path, "SELECT * REPLACE (1 + visit_id % 100 AS visit_id) FROM ({})")
    with pytest.raises(errors.ProjectError) as refused:
        run(settings)
    assert str(refused.value) == (
        "visits.parquet: 2,900 of 3,000 rows are duplicates: their visit_id is another's; at most 1.0% may; "
        "see data/rejected/visits.parquet; visit_id does not tell the rows apart: take the column that does, "
        "or make one in etl/transform.sql of all that do, as concat_ws('-', visit_id, ...), or keep one row "
        "of each there; nothing is loaded"
    )


def test_duplicates_beside_other_rejected_rows_are_told_as_such(tmp_path):
    twice = "CASE WHEN visit_id % 3 = 0 THEN 3 ELSE visit_id END AS visit_id"
    settings = made_up(
        tmp_path,
        f"SELECT * REPLACE ({twice}, CASE WHEN visit_id % 3 = 1 THEN -1 ELSE load END AS load) FROM ({{}})",
    )
    with pytest.raises(errors.ProjectError, match=r"rows break the contract or are duplicates, most often "):
        run(settings)


def test_a_contract_that_says_too_little_is_told_of(tmp_path, capsys):
    feature = schema.Role.FEATURE
    loose = contract_of(
        Shape(),
        kind=(str, schema.column(feature, "Which", examples=["A0"])),
        load=(float, schema.column(feature, "How much", ge=0)),
    )
    settings = made_up(tmp_path, "{}", contract=loose)
    assert cli.run(settings.project, ["etl"], warned=True) == 0
    assert capsys.readouterr().err == (
        "warning: contract.py: kind needs a pattern, or a Literal of names: any text passes; until it says "
        "so, `uv run pytest` is red\n"
        "warning: contract.py: load needs both ge and le; until it says so, `uv run pytest` is red\n"
    )


@pytest.mark.parametrize("problem", ["classification", "regression", "forecasting"])
def test_the_example_s_contracts_say_enough(problem):
    assert gaps(example(problem).contract) == []


def in_process(project, code):
    """Run `etl` in a process of its own, after `code`, in the workspace of `project`."""
    small = str(project.sample)
    start = f"import sys\nfrom handrail import cli\nfrom {UNBOUND.package} import project\n"
    start += f"sys.exit(cli.run(project, {['etl', '--sample', small]}))"
    whole = project.workspace.with_name("whole")
    (whole / "sample").mkdir(parents=True)
    project.workspace.rename(whole / "sample" / small)
    environment = os.environ | {f"{ENV_PREFIX}WORKSPACE": str(whole)}
    command = [sys.executable, "-c", f"{code}\n{start}"]
    done = subprocess.run(command, env=environment, cwd=ROOT, text=True, capture_output=True, check=False)
    (whole / "sample" / small).rename(project.workspace)
    return done


@pytest.mark.slow
def test_killed_before_the_load_leaves_the_last_good_table(project):
    before = content(project)
    dies = "pipeline.load = lambda *given: os._exit(137)"
    code = f"import os\nfrom handrail.etl import pipeline\n{dies}"
    assert in_process(project, code).returncode == 137
    assert content(project) == before
    assert [path.name for path in (project.workspace / "data").glob("*.parquet")] == [f"{TABLE}.parquet"]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="file size limits are POSIX")
def test_a_full_disk_is_one_clear_line(project):
    before = content(project)
    code = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    )
    result = in_process(project, code)
    assert result.returncode == 1
    assert re.fullmatch(r"(warning: .*\n)?error: .*\n", result.stderr)
    assert content(project) == before
    assert not [path for path in (project.workspace / "data").rglob(".*") if path.is_file()]


def test_a_small_run_that_would_cut_an_unknown_table_is_refused(project):
    data = project.data.model_copy(update={"sampled": ("moons",)})
    with pytest.raises(errors.ProjectError, match=r"data\.sampled: moons is no raw table; known are "):
        run(project.model_copy(update={"data": data}))
