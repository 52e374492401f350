"""Batch scoring: the same predictions as one by one, nothing lost, nothing half done."""

import threading
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from handrail import Project, errors
from handrail.compute import duckdb as engine
from handrail.contract import schema
from handrail.etl import load
from handrail.registry import canary
from handrail.registry import live as registry
from handrail.serving import batch, prediction_log
from handrail.serving import inference as live
from tests.engine.support.lived import (
    ASKED,
    CONTRACT,
    KEY,
    NEVER_A_NUMBER,
    TIME,
    live_version,
    promoted,
    rows_asked,
    run,
    variant,
    with_model,
)
from tests.engine.support.names import contract
from tests.engine.support.workspaces import copied, in_workspace

COLUMNS = schema.columns(schema.request_model(CONTRACT))
LIMITED = next(column for column in COLUMNS if column.ge is not None and not column.nullable)
WHOLE = next(column for column in COLUMNS if column.kind is int)


@pytest.fixture(params=["trained", pytest.param("trained_amounts", marks=pytest.mark.slow)])
def project(request, tmp_path):
    """Return settings of a copy of a trained workspace: of yes or no, and of amounts."""
    return copied(request.getfixturevalue(request.param), tmp_path)


@pytest.fixture
def live_project(project):
    """Return settings of a workspace whose version is live."""
    return promoted(project)


@pytest.fixture
def score(live_project, monkeypatch):
    """Return the command, which gives its exit status."""
    return lambda *arguments: run(monkeypatch, live_project, "score", *map(str, arguments))


def write_rows(project, path, columns="*", more=""):
    """Write the first 100 rows of the live period to a file, with `columns` of what a client sends."""
    table = load.require_table(project, contract.TABLE)
    rows = f"SELECT {', '.join(ASKED)} FROM {table} WHERE {TIME} >= '{project.dates.live_from}'"
    query = f"SELECT {columns} FROM ({rows} ORDER BY {TIME}, {KEY} LIMIT 100) {more}"
    form = "parquet" if path.suffix.lower() == ".parquet" else "csv, HEADER"
    with engine.connect(project) as connection:
        connection.execute(f"COPY ({query}) TO {engine.literal(path)} (FORMAT {form})")
    return path


def scored(path):
    """Return the rows of a Parquet file by key."""
    return {row[KEY]: row for row in pq.read_table(path).to_pylist()}


def output_of(project, name):
    """Return where the predictions of the rows `name` are written by default."""
    file = f"scored-{name}-{live_version(project).name}.parquet"
    return prediction_log.prediction_folder(project) / file


def test_every_row_of_a_month_is_predicted_as_one_by_one(score, live_project, capsys):
    start = live_project.dates.live_from
    end = start + timedelta(days=30)
    assert score("--from", start, "--to", end) == 0
    rows = [row for row in rows_asked(live_project) if row[TIME].date() < end]
    version, found = live_version(live_project), scored(output_of(live_project, f"{start}-{end}"))
    path = output_of(live_project, f"{start}-{end}")
    shown = path.relative_to(live_project.workspace).as_posix()
    said = f"{len(rows):,} rows scored by {version.name} (model) into {shown}\n"
    assert capsys.readouterr().out == said
    answer = live.LiveModel(live_project).answer(rows)
    assert [found[row[KEY]]["prediction"] for row in rows] == answer.prediction.tolist()
    assert [found[row[KEY]]["baseline"] for row in rows] == answer.baseline.tolist()
    assert [{name: found[row[KEY]][name] for name in ASKED} for row in rows] == rows
    assert {(row["version"], row["source"]) for row in found.values()} == {(version.name, "model")}
    assert len({row["predicted_at"] for row in found.values()}) == 1


def test_a_canary_scores_its_share_as_it_answers_one_by_one(score, live_project, capsys):
    first = live_version(live_project)
    name = variant(live_project, lambda info: info.update(seed=1))
    canary.start_canary(live_project, name, 0.2)
    assert score() == 0
    found = scored(
        output_of(live_project, f"{live_project.dates.live_from}-end").with_stem(
            f"scored-{live_project.dates.live_from}-end-{first.name}-{name}"
        )
    )
    rows = rows_asked(live_project)
    by = {row[KEY]: name if canary.is_chosen(row[KEY], 0.2) else first.name for row in rows}
    assert {key: row["version"] for key, row in found.items()} == by
    expected = live.LiveModel(live_project).answer(rows).prediction.tolist()
    assert [found[row[KEY]]["prediction"] for row in rows] == expected
    assert f"{len(rows):,} rows scored by {first.name} and {name} (model) into" in capsys.readouterr().out


def test_without_dates_all_of_the_live_period_is_scored(score, live_project):
    assert score() == 0
    found = scored(output_of(live_project, f"{live_project.dates.live_from}-end"))
    assert set(found) == {row[KEY] for row in rows_asked(live_project)}


@pytest.mark.parametrize("suffix", ["parquet", "csv", "CSV", "PARQUET", "csv.gz"])
def test_a_file_is_scored(score, live_project, tmp_path, suffix):
    source = write_rows(live_project, tmp_path / f"tomorrow's.{suffix}")
    assert score("--input", source, "--output", tmp_path / "out" / "answers.parquet") == 0
    rows = rows_asked(live_project, 100)
    found = scored(tmp_path / "out" / "answers.parquet")
    expected = live.LiveModel(live_project).answer(rows).prediction.tolist()
    assert [found[row[KEY]]["prediction"] for row in rows] == expected


def test_columns_that_nobody_asks_for_may_be_called_anything(score, live_project, tmp_path):
    source = write_rows(live_project, tmp_path / "in.csv", "0 AS a, *, 1 AS b, 2 AS c")
    header, _, rows = source.read_text(encoding="utf-8").partition("\n")
    header = header.removeprefix("a").removesuffix("b,c") + f"B,{KEY.upper()}"
    source.write_text(f"{header}\n{rows}", encoding="utf-8")
    assert score("--input", source) == 0
    assert len(scored(output_of(live_project, "in"))) == 100


@pytest.mark.parametrize("offset", ["Z", "+02:00"])
def test_a_local_time_with_an_offset_is_refused(score, live_project, tmp_path, capsys, offset):
    source = write_rows(live_project, tmp_path / "in.csv", f"* REPLACE ({TIME} || '{offset}' AS {TIME})")
    assert score("--input", source) == 1
    said = capsys.readouterr().err
    said_of = f"all 100 rows are rejected, for {TIME}: has an offset, and local time has none; see "
    assert said.startswith(f"error: in.csv: no row to score: {said_of}")
    instants = write_rows(
        live_project, tmp_path / "in.parquet", f"* REPLACE (CAST({TIME} AS TIMESTAMPTZ) AS {TIME})"
    )
    assert score("--input", instants) == 1
    assert f"in.parquet: {TIME} is TIMESTAMP WITH TIME ZONE, and local time" in capsys.readouterr().err


def test_a_number_is_no_time(score, live_project, tmp_path, capsys):
    for suffix in ("csv", "parquet"):
        source = write_rows(live_project, tmp_path / f"in.{suffix}", f"* REPLACE (1357034400 AS {TIME})")
        assert score("--input", source) == 1
        assert TIME in capsys.readouterr().err


def test_a_csv_file_as_spreadsheets_write_it_is_scored(score, live_project, tmp_path):
    source = write_rows(live_project, tmp_path / "plain.csv", "*, 'note, here' AS note")
    windows = tmp_path / "windows.csv"
    content = source.read_text(encoding="utf-8").replace("\n", "\r\n")
    windows.write_bytes(content.encode("utf-8-sig"))
    assert score("--input", windows) == 0
    assert len(scored(output_of(live_project, "windows"))) == 100


def test_rows_that_break_the_contract_are_kept_aside_with_the_reason(score, live_project, tmp_path, capsys):
    first, second = (row[KEY] for row in rows_asked(live_project, 2))
    name, low = LIMITED.name, LIMITED.ge
    spoilt = f"* REPLACE (CASE {KEY} WHEN '{first}' THEN {low} - 1 ELSE {name} END AS {name})"
    source = write_rows(live_project, tmp_path / "in.parquet", spoilt)
    with engine.connect(live_project) as connection:
        again = f"SELECT * FROM '{source}' UNION ALL SELECT * FROM '{source}' WHERE {KEY} = '{second}'"
        engine.write_parquet(connection, again, tmp_path / "more.parquet")
    assert score("--input", tmp_path / "more.parquet") == 0
    below, repeated = f"{LIMITED.name}: below {LIMITED.ge:.15g}", f"{KEY}: repeated"
    rejected = pq.read_table(load.rejected_path(live_project, "scored-more")).to_pylist()
    assert {(row[KEY], row["reason"]) for row in rejected} == {(first, below), (second, repeated)}
    said = capsys.readouterr().out
    assert f"1 rows rejected: {below}\n" in said
    assert f"1 left out as duplicates: the {KEY} was there already\n" in said
    found = scored(output_of(live_project, "more"))
    assert (len(found), first in found, second in found) == (99, False, True)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_fraction_is_not_rounded_to_a_whole_number(score, live_project, tmp_path, suffix):
    source = write_rows(
        live_project, tmp_path / f"in.{suffix}", f"* REPLACE (1.5 AS {WHOLE.name})", "LIMIT 1"
    )
    assert score("--input", source) == 1
    rejected = pq.read_table(load.rejected_path(live_project, "scored-in")).to_pylist()
    assert [row["reason"] for row in rejected] == [f"{WHOLE.name}: not a whole number"]


def test_a_missing_column_is_named(score, live_project, tmp_path, capsys):
    source = write_rows(live_project, tmp_path / "in.csv", f"* RENAME ({LIMITED.name} AS {LIMITED.name}_old)")
    assert score("--input", source) == 1
    assert capsys.readouterr().err == (
        f"error: in.csv: no column {LIMITED.name}, which contract.py asks for\n"
    )


def test_a_column_of_another_type_is_named(score, live_project, tmp_path, capsys):
    source = write_rows(live_project, tmp_path / "in.parquet", f"* REPLACE (true AS {LIMITED.name})")
    assert score("--input", source) == 1
    said = f"error: in.parquet: {LIMITED.name} is BOOLEAN, contract.py asks for "
    assert capsys.readouterr().err.startswith(said)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_where_no_text_is_a_number_none_is_scored(score, live_project, tmp_path, capsys, suffix):
    source = write_rows(live_project, tmp_path / f"in.{suffix}", f"* REPLACE ('far' AS {LIMITED.name})")
    assert score("--input", source) == 1
    said = capsys.readouterr().err
    rejected = load.rejected_path(live_project, "scored-in")
    assert said == (
        f"error: in.{suffix}: no row to score: all 100 rows are rejected, for {LIMITED.name}: not a number; "
        f"see {rejected}\n"
    )
    assert pq.read_table(rejected).num_rows == 100


def test_of_rows_that_are_all_refused_the_message_counts_all_and_the_most_frequent_reason(
    score, live_project, tmp_path, capsys
):
    cased = f"CASE WHEN row_number() OVER () <= 60 THEN 'far' ELSE '-1e9' END AS {LIMITED.name}"
    source = write_rows(live_project, tmp_path / "in.csv", f"* REPLACE ({cased})")
    assert score("--input", source) == 1
    rejected = load.rejected_path(live_project, "scored-in")
    assert capsys.readouterr().err == (
        f"error: in.csv: no row to score: all 100 rows are rejected, most often for {LIMITED.name}: not a "
        f"number (60 rows); see {rejected}\n"
    )


REFUSED = {
    "absent.csv": (None, "{path}: no such file"),
    "notes.txt": (b"", "{path}: neither .parquet nor .csv"),
    "empty.csv": (b"", "empty.csv: the file is empty"),
    "semicolons.csv": (
        ";".join(ASKED).encode() + b"\n",
        f"semicolons.csv: one column only, {';'.join(ASKED)}; commas have to separate its values",
    ),
    "header.csv": (
        ",".join(ASKED).encode(),
        "header.csv: no row to score: it has none\n",
    ),
    "cut.parquet": (b"PAR1", "cut.parquet: not a whole Parquet file (Parquet file size is 4 bytes, "),
    "latin.csv": (",".join(ASKED).encode() + b"\n\xe9\xff" + b"," * (len(ASKED) - 1), "latin.csv: "),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_read_is_refused(score, live_project, tmp_path, capsys, name):
    path, (content, said) = tmp_path / name, REFUSED[name]
    if content is not None:
        path.write_bytes(content)
    assert score("--input", path) == 1
    rejected = load.rejected_path(live_project, f"scored-{path.stem}")
    error = capsys.readouterr().err
    assert error.startswith("error: " + said.format(path=path, rejected=rejected))
    assert error.count("\n") == 1
    assert not output_of(live_project, path.stem).exists()


def test_a_file_goes_with_no_dates(score, tmp_path, capsys):
    assert score("--input", tmp_path / "in.csv", "--from", "2013-09-01") == 1
    assert capsys.readouterr().err == ("error: --input: takes the whole file; leave out --from and --to\n")


def test_a_period_the_wrong_way_round_is_refused(score, capsys):
    assert score("--from", "2013-10-01", "--to", "2013-09-01") == 1
    said = "error: from 2013-10-01 on and before 2013-09-01: no day lies between them\n"
    assert capsys.readouterr().err == said


def test_a_period_without_rows_is_refused(score, capsys):
    assert score("--from", "1999-01-01", "--to", "1999-02-01") == 1
    said = f"error: {contract.TABLE} from 1999-01-01 to 1999-02-01: no row to score: it has none\n"
    assert capsys.readouterr().err.startswith(said)


def test_score_without_a_live_model_says_what_to_do(project, monkeypatch, capsys):
    assert run(monkeypatch, project, "score") == 1
    said = f"error: {registry.live_path(project)}: no model is live yet; run `train`, then `promote`\n"
    assert capsys.readouterr().err == said


def test_score_without_a_table_says_what_to_do(score, live_project, capsys):
    path = load.table_path(live_project, contract.TABLE)
    path.unlink()
    assert score() == 1
    assert capsys.readouterr().err == f"error: {path}: no such file yet; run `etl` first\n"


def test_score_refuses_a_tampered_version(score, live_project, capsys):
    path = live_version(live_project).path
    (path / "model.onnx").write_bytes(b"something else")
    assert score() == 1
    assert capsys.readouterr().err.startswith(f"error: {path}: the checksum of model.onnx is wrong; ")


def test_the_fallback_scores_when_told(score, live_project, capsys):
    registry.use_fallback(live_project, "it rained")
    assert score() == 0
    assert " (fallback) into " in capsys.readouterr().out
    found = scored(output_of(live_project, f"{live_project.dates.live_from}-end")).values()
    assert {row["source"] for row in found} == {"fallback"}
    assert [row["prediction"] for row in found] == [row["baseline"] for row in found]


def test_the_fallback_scores_for_a_model_that_gives_no_number(score, live_project, capsys):
    with_model(live_project, NEVER_A_NUMBER)
    assert score() == 0
    assert " (fallback) into " in capsys.readouterr().out
    found = scored(output_of(live_project, f"{live_project.dates.live_from}-end")).values()
    assert [row["prediction"] for row in found] == [row["baseline"] for row in found]


def test_scoring_again_gives_the_same(score, live_project):
    path = output_of(live_project, f"{live_project.dates.live_from}-end")
    found = []
    for _ in range(2):
        assert score() == 0
        found.append({key: row["prediction"] for key, row in scored(path).items()})
    assert found[0] == found[1]


STOPS = {
    "interrupted": (KeyboardInterrupt, (), 130, "stopped; the last good result is untouched"),
    "disk full": (OSError, (28, "Disk full"), 1, "score: Disk full; the last good result is untouched"),
}


@pytest.mark.parametrize("reason", STOPS)
def test_stopped_half_way_it_leaves_the_last_good_file(score, live_project, monkeypatch, capsys, reason):
    failure, arguments, status, said = STOPS[reason]
    assert score() == 0
    path = output_of(live_project, f"{live_project.dates.live_from}-end")
    good = path.read_bytes()
    write, written = batch.BatchWriter.__call__, []

    def stop_at_the_second(self, rows):
        if written:
            raise failure(*arguments)
        written.append(write(self, rows))
        return written[0]

    monkeypatch.setattr(batch, "BATCH_ROWS", 2048)
    monkeypatch.setattr(batch.BatchWriter, "__call__", stop_at_the_second)
    capsys.readouterr()
    assert score() == status
    assert capsys.readouterr().err == f"error: {said}\n"
    assert 0 < written[0] < len(scored(path))
    assert path.read_bytes() == good
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("score")] == []


def test_a_column_that_the_model_needs_is_never_guessed(live_project):
    with pytest.raises(errors.ProjectError, match=f"rows: no column {KEY}, "):
        batch.score(live_project, "(SELECT 1 AS x)", "rows", live_project.workspace / "out.parquet")


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_the_name_of_a_file_is_no_pattern(score, live_project, tmp_path, suffix):
    write_rows(live_project, tmp_path / f"in1.{suffix}")
    source = tmp_path / f"in[1-3].{suffix}"
    write_rows(live_project, tmp_path / f"one.{suffix}", more="LIMIT 1").rename(source)
    assert score("--input", source) == 0
    (first,) = rows_asked(live_project, 1)
    assert set(scored(output_of(live_project, "in[1-3]"))) == {first[KEY]}


def needed(settings):
    """Return the columns that scoring gives to serve/batch.py, in their order."""
    return [
        "predicted_at",
        "version",
        "source",
        "prediction",
        "baseline",
        *settings.project.task.told,
        *ASKED,
    ]


def with_columns(settings, columns):
    """Return the same workspace as that of a project whose serve/batch.py has these `columns`."""
    own = Project(settings.project.package, given={"scored_columns": columns}, root=settings.root)
    return in_workspace(settings.workspace, own)


def score_some(settings, columns, path):
    """Score the first thousand rows of the live period by a project that writes `columns`."""
    table = load.require_table(settings, contract.TABLE)
    some = f"(SELECT * FROM {table} WHERE {TIME} >= '{settings.dates.live_from}' ORDER BY {TIME} LIMIT 1000)"
    return batch.score(with_columns(settings, columns), some, "rows", path)


def test_columns_of_ones_own_stand_beside_those_that_are_needed(live_project, tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "BATCH_ROWS", 300)
    decision, seen = live_version(live_project).decision, []

    def columns(scored):
        seen.append(scored.rows)
        assert scored.decision == decision
        assert scored.prediction.tolist() == scored.needed["prediction"].to_pylist()
        urgent = scored.prediction >= np.float32(0.2)
        by = scored.needed[WHOLE.name]
        return {
            "first": [scored.version] * scored.rows,
            **scored.needed,
            "urgent": urgent,
            "as_arrow": by,
            "in_pieces": pa.chunked_array([by[:1], by[1:]]),
        }

    assert score_some(live_project, columns, tmp_path / "own.parquet").rows == 1000
    found = pq.read_table(tmp_path / "own.parquet")
    assert found.column_names == ["first", *needed(live_project), "urgent", "as_arrow", "in_pieces"]
    for row in found.to_pylist():
        assert (row["first"], row["urgent"]) == (row["version"], row["prediction"] >= np.float32(0.2))
        assert row["as_arrow"] == row["in_pieces"] == row[WHOLE.name]
    assert (sum(seen), len(seen) > 1) == (1000, True)


def test_what_stands_in_serve_batch_py_is_all_that_is_needed(live_project, tmp_path):
    score_some(live_project, lambda scored: scored.needed, tmp_path / "own.parquet")
    names = pq.read_table(tmp_path / "own.parquet").column_names
    assert names == needed(live_project)


WRONG = {
    "needed": (
        lambda scored: {"prediction": scored.prediction, **{name: scored.needed[name] for name in ASKED}},
        "predicted_at, version, source, baseline left out, which monitoring reads; ",
    ),
    "too short": (
        lambda scored: {**scored.needed, "urgent": scored.prediction[1:], "other": scored.prediction},
        "urgent: not one value for each of the 1,000 rows (batch.rows)",
    ),
    "one value": (
        lambda scored: {**scored.needed, "by": scored.version, "share": 0.5},
        "by, share: not one value for each of the 1,000 rows (batch.rows)",
    ),
    "a table": (
        lambda scored: {**scored.needed, "both": np.column_stack([scored.prediction, scored.prediction])},
        "both: only handle 1-dimensional arrays",
    ),
    "mixed": (
        lambda scored: {**scored.needed, "odd": ["a", 1, *scored.prediction[2:]]},
        "odd: Expected bytes, got a 'int' object",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_columns_that_cannot_be_written_are_refused_in_one_sentence(live_project, tmp_path, wrong):
    columns, said = WRONG[wrong]
    with pytest.raises(errors.ProjectError) as refused:
        score_some(live_project, columns, tmp_path / "own.parquet")
    (sentence,) = refused.value.problems
    assert sentence.startswith(f"serve/batch.py: {said}")
    assert not (tmp_path / "own.parquet").exists()


def test_a_column_of_two_types_is_refused(live_project, tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "BATCH_ROWS", 300)
    kinds = iter([1, 2.5, 3, 4, 5, 6])
    with pytest.raises(errors.ProjectError) as refused:
        score_some(
            live_project, lambda b: {**b.needed, "odd": [next(kinds)] * b.rows}, tmp_path / "o.parquet"
        )
    assert refused.value.problems == ("serve/batch.py: odd: not of one type in all rows",)


def test_what_the_service_tells_is_written_beside_each_prediction(score, live_project):
    assert score() == 0
    found = scored(output_of(live_project, f"{live_project.dates.live_from}-end"))
    rows = rows_asked(live_project)
    answer = live.LiveModel(live_project).answer(rows)
    assert set(answer.told) == set(live_project.project.task.told)
    for name, values in answer.told.items():
        assert [found[row[KEY]][name] for row in rows] == values.tolist()


def test_the_fallback_is_told_by_its_own_range(score, live_project):
    registry.use_fallback(live_project, "it rained")
    assert score() == 0
    found = scored(output_of(live_project, f"{live_project.dates.live_from}-end")).values()
    decision = live_version(live_project).decision_of("fallback")
    told = [live_project.project.task.act(np.float32(row["baseline"]), decision) for row in found]
    assert [{name: row[name] for name in each} for row, each in zip(found, told, strict=True)] == told


def test_a_version_without_ranges_leaves_them_empty_and_says_so(score, live_project, capsys):
    def forget(info):
        known = info["evaluation"]["decision"]
        info["evaluation"]["decision"] = {name: known[name] for name in known if "range" not in name}

    name = variant(live_project, forget)
    registry.make_live(live_project, name)
    assert score() == 0
    table = pq.read_table(output_of(live_project, f"{live_project.dates.live_from}-end"))
    ends = [each for each in live_project.project.task.told if each in ("low", "high")]
    assert [each for each in table.column_names if table[each].null_count == len(table)] == ends
    said = f"\n{name} answers without low and high: no range was learnt with it; train again\n"
    assert (said in capsys.readouterr().out) == bool(ends)
    answer = live.LiveModel(live_project).answer(rows_asked(live_project, 3))
    assert set(answer.told) == set(live_project.project.task.told) - {"low", "high"}


def test_a_file_may_leave_out_what_is_told(live_project, tmp_path):
    told = live_project.project.task.told

    def columns(batch):
        return {name: values for name, values in batch.needed.items() if name not in told}

    score_some(live_project, columns, tmp_path / "own.parquet")
    names = pq.read_table(tmp_path / "own.parquet").column_names
    assert names == [name for name in needed(live_project) if name not in told]


def test_an_end_of_the_range_is_no_name_for_ones_own_column(live_project, tmp_path):
    def columns(batch):
        return {**batch.needed, "high": batch.prediction > 0.5}

    if "high" not in live_project.project.task.told:
        score_some(live_project, columns, tmp_path / "own.parquet")
        return
    with pytest.raises(errors.ProjectError) as refused:
        score_some(live_project, columns, tmp_path / "own.parquet")
    assert refused.value.problems == (
        "serve/batch.py: high: an end of the range has that name, and monitoring reads it; give your own "
        "column another",
    )
