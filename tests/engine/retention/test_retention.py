"""Old data is archived and deleted by its retention; what is kept of one key is deleted everywhere."""

import json
import os
import re
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from handrail import errors
from handrail.compute import duckdb as engine
from handrail.config import sections
from handrail.config.settings import read_settings
from handrail.etl import load, pipeline
from handrail.registry import canary, versions
from handrail.registry import live as registry
from handrail.retention import erasure, retirement
from handrail.retention.audit_log import audit_log_path
from handrail.serving import inference as live
from handrail.serving import prediction_log
from tests.engine.support.lived import KEY, promoted, rows_asked, run, variant
from tests.engine.support.names import contract
from tests.engine.support.workspaces import PROJECT

TODAY = datetime.now(UTC).date()
PARTS = ("action", "what", "to", "bytes", "rule")
ARCHIVE = f"data/archive/{TODAY}"


@pytest.fixture
def kept(project):
    """Return settings with a live model, a prediction log of yesterday and a table of scored rows."""
    promoted(project)
    rows = rows_asked(project, 20)
    answer = live.LiveModel(project).answer(rows)
    write(
        project,
        "data/predictions/served-2020-01-01-7f3a9c02.jsonl",
        lines(rows, answer, "2020-01-01T10:00:00"),
    )
    write(project, f"data/predictions/served-{TODAY}-7.jsonl", lines(rows, answer, f"{TODAY}T00:00:00"))
    with engine.connect(project) as connection:
        scored(connection, project, "old", "2020-01-01")
        scored(connection, project, "new", TODAY)
    return project


def write(project, name, text):
    """Write a file of the workspace."""
    path = project.workspace / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def lines(rows, answer, stamp):
    """Return what is logged of an answer."""
    logged = prediction_log.log_rows(rows, answer)
    return "".join(json.dumps({"predicted_at": stamp, **row}, default=str) + "\n" for row in logged)


def scored(connection, project, name, day):
    """Write a table as `score` does, of what was served, predicted on `day`."""
    served = project.workspace / "data" / "predictions" / "served-2020-01-01-7f3a9c02.jsonl"
    query = f"SELECT * REPLACE (TIMESTAMP '{day}' AS predicted_at) FROM read_json('{served}')"
    engine.write_parquet(connection, query, served.with_name(f"scored-{name}.parquet"))


def content(project):
    """Return the bytes of every file of the workspace but the audit log, by name."""
    files = (path for path in project.workspace.rglob("*") if path.is_file())
    found = {path.relative_to(project.workspace).as_posix(): path.read_bytes() for path in files}
    found.pop("data/lifecycle.jsonl", None)
    return found


def audit(project):
    """Return the lines of the audit log."""
    text = audit_log_path(project).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def aged(path, days):
    """Make a file as old as that."""
    then = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(path, (then, then))


def rows_of(project, key):
    """Return how many rows of `key` each file under data/ has that has any."""
    return {trace.path.name: trace.rows for trace in erasure.find_traces(project, key)}


def limits(archive, purge=99_999):
    """Return the retention of predictions, in days."""
    return {
        "RETENTION__PREDICTIONS__ARCHIVE_AFTER_DAYS": str(archive),
        "RETENTION__PREDICTIONS__PURGE_AFTER_DAYS": str(purge),
    }


def test_archive_shows_first_and_changes_nothing(kept, monkeypatch, capsys):
    before = content(kept)
    assert run(monkeypatch, kept, "archive", **limits(90)) == 0
    said = capsys.readouterr().out
    assert "predictions: served-2020-01-01-7f3a9c02.jsonl" in said
    assert "predictions: scored-old.parquet" in said
    assert "nothing was moved; `archive --really` moves these 2 to data/archive/" in said
    assert content(kept) == before
    assert not audit_log_path(kept).exists()


def test_archive_moves_what_is_old_and_nothing_else(kept, monkeypatch):
    before = content(kept)
    assert run(monkeypatch, kept, "archive", "--really", **limits(90)) == 0
    old = ("predictions/scored-old.parquet", "predictions/served-2020-01-01-7f3a9c02.jsonl")
    moved = {f"data/{name}": f"{ARCHIVE}/{name}" for name in old}
    assert content(kept) == {moved.get(name, name): held for name, held in before.items()}
    rule = "predictions after 90 days"
    expected = [("archive", name, to, len(before[name]), rule) for name, to in moved.items()]
    assert [tuple(line[part] for part in PARTS) for line in audit(kept)] == expected


def test_purge_deletes_what_is_old_in_its_place_and_in_the_archive(kept, monkeypatch, capsys):
    assert run(monkeypatch, kept, "archive", "--really", **limits(90)) == 0
    write(kept, "data/rejected/scored-x.parquet", "x")
    aged(kept.workspace / "data/rejected/scored-x.parquet", 200)
    before = content(kept)
    assert run(monkeypatch, kept, "purge", **limits(90, 100)) == 0
    assert "nothing was deleted; `purge --really` deletes these 3 for good" in capsys.readouterr().out
    assert content(kept) == before
    assert run(monkeypatch, kept, "purge", "--really", **limits(90, 100)) == 0
    gone = {
        f"{ARCHIVE}/predictions/scored-old.parquet",
        f"{ARCHIVE}/predictions/served-2020-01-01-7f3a9c02.jsonl",
        "data/rejected/scored-x.parquet",
    }
    assert content(kept) == {name: held for name, held in before.items() if name not in gone}
    purged = [line for line in audit(kept) if line["action"] == "purge"]
    assert {line["what"] for line in purged} == gone
    assert purged[-1]["rule"] == "rejected after 180 days"


def test_versions_that_are_needed_stay(kept, monkeypatch):
    spare, named, tried = (
        variant(kept, lambda info, note=note: info.update(note=note)) for note in ("a", "b", "c")
    )
    canary.start_canary(kept, tried, 0.1)
    (file,) = (kept.workspace / "data" / "predictions").glob(f"served-{TODAY}-*")
    live_now = registry.read_live(kept).versions[-1]
    file.write_text(file.read_text(encoding="utf-8").replace(live_now, named, 1), encoding="utf-8")
    for name in (spare, named, tried, live_now):
        aged(versions.model_folder(kept) / name / versions.SUMS, 400)
    assert run(monkeypatch, kept, "archive", "--really", **limits(99_998)) == 0
    assert {path.name for path in versions.model_folder(kept).glob("2*")} == {named, tried, live_now}
    assert (kept.workspace / ARCHIVE / "versions" / spare / "model.onnx").is_file()
    assert [line["what"] for line in audit(kept)] == [f"models/{spare}"]


def test_where_nothing_is_old_nothing_is_done(kept, monkeypatch, capsys):
    before = content(kept)
    assert run(monkeypatch, kept, "archive", "--really", **limits(99_998)) == 0
    assert run(monkeypatch, kept, "purge", "--really", **limits(99_998)) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == ["nothing is old enough for the archive", "nothing is old enough to be deleted"]
    assert content(kept) == before


def test_what_is_in_the_archive_already_is_not_overwritten(kept, monkeypatch, capsys):
    write(kept, f"{ARCHIVE}/predictions/scored-old.parquet", "another")
    before = content(kept)
    assert run(monkeypatch, kept, "archive", "--really", **limits(90)) == 1
    assert "scored-old.parquet" in capsys.readouterr().err
    assert content(kept) == before


def test_a_key_is_deleted_everywhere_and_others_stay(kept, monkeypatch, capsys):
    rows = rows_asked(kept, 20)
    key, other = rows[3][KEY], rows[4][KEY]
    run(monkeypatch, kept, "archive", "--really", **limits(90))
    small = kept.workspace / "sample" / "500" / "data" / f"{contract.TABLE}.parquet"
    small.parent.mkdir(parents=True)
    table = load.table_path(kept, contract.TABLE)
    small.write_bytes(table.read_bytes())
    before, count = content(kept), rows_of(kept, other)
    capsys.readouterr()
    assert run(monkeypatch, kept, "purge", "--key", key) == 0
    assert "nothing was deleted" in capsys.readouterr().out
    assert content(kept) == before
    assert run(monkeypatch, kept, "purge", "--key", key, "--really") == 0
    assert "6 rows deleted" in capsys.readouterr().out
    with pytest.raises(errors.ProjectError, match="nothing of it is kept"):
        erasure.find_traces(kept, key)
    raw = {name for name in before if name.startswith("data/raw/")}
    assert rows_of(kept, other) == {name: n for name, n in count.items() if f"data/raw/{name}" not in raw}
    assert {f"data/raw/{name}.parquet" for name in kept.project.raw_tables} <= raw
    after = content(kept)
    assert not raw & set(after)
    assert not any(key.encode() in held for name, held in after.items() if name.endswith(".jsonl"))
    untouched = [name for name in before if name.startswith(("models/", "reports/"))]
    assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}
    said = [line for line in audit(kept) if line["action"] == "purge key"]
    assert sorted(line["what"] for line in said if line["rows"]) == sorted(
        [
            f"{ARCHIVE}/predictions/scored-old.parquet",
            f"{ARCHIVE}/predictions/served-2020-01-01-7f3a9c02.jsonl",
            f"data/{contract.TABLE}.parquet",
            "data/predictions/scored-new.parquet",
            f"data/predictions/served-{TODAY}-7.jsonl",
            f"sample/500/data/{contract.TABLE}.parquet",
        ]
    )
    assert key not in audit_log_path(kept).read_text(encoding="utf-8")


def test_a_text_that_names_the_key_is_told(kept, monkeypatch, capsys):
    key = rows_asked(kept, 4)[3][KEY]
    write(kept, "reports/one-example.md", f"# {key}, step by step\n")
    write(kept, "reports/another.md", f"# {key}0, step by step\n")
    assert run(monkeypatch, kept, "purge", "--key", key) == 0
    said = capsys.readouterr().out.splitlines()
    told = [line for line in said if "names it too" in line]
    assert told == ["reports/one-example.md names it too; delete it there yourself"]


def test_a_rejected_row_of_the_key_is_deleted(kept):
    path = load.rejected_path(kept, "scored-x")
    table = load.require_table(kept, contract.TABLE)
    with engine.connect(kept) as connection:
        engine.write_parquet(connection, f"SELECT *, 'late: missing' AS reason FROM {table} LIMIT 10", path)
        first = engine.rows(connection, f"SELECT {KEY} FROM {engine.parquet(path)}")[0][KEY]
        times = path.stat().st_mtime_ns
        list(erasure.erase(kept, first, erasure.find_traces(kept, first)))
        left = engine.rows(connection, f"SELECT {KEY} FROM {engine.parquet(path)}")
    assert (len(left), first in {item[KEY] for item in left}) == (9, False)
    assert path.stat().st_mtime_ns == times


def test_other_lines_of_the_log_stay_as_they_are(kept):
    key = rows_asked(kept, 20)[3][KEY]
    file = kept.workspace / "data" / "predictions" / f"served-{TODAY}-7.jsonl"
    unfinished = json.dumps({KEY: key, "prediction": 1})[:-3]
    file.write_text(file.read_text(encoding="utf-8") + unfinished, encoding="utf-8")
    before = file.read_bytes().split(b"\n")
    list(erasure.erase(kept, key, erasure.find_traces(kept, key)))
    after = file.read_bytes().split(b"\n")
    assert [number for number, line in enumerate(before) if line != after[number]] == [3, 20]
    assert [len(line) for line in after] == [len(line) for line in before]
    assert (after[3].strip(), after[20].strip()) == (b"", b"")


def test_what_logs_meanwhile_goes_on_and_loses_no_line(kept):
    rows = rows_asked(kept, 20)
    log = prediction_log.PredictionLog(prediction_log.prediction_folder(kept))
    model = live.LiveModel(kept)
    log.append(prediction_log.log_rows(rows, model.answer(rows)))
    list(erasure.erase(kept, rows[3][KEY], erasure.find_traces(kept, rows[3][KEY])))
    log.append(prediction_log.log_rows(rows[5:], model.answer(rows[5:])))
    log.close()
    (file,) = prediction_log.prediction_folder(kept).glob(f"served-*-{log._name}.jsonl")
    found = [json.loads(line)[KEY] for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert found == [row[KEY] for row in [*rows[:3], *rows[4:], *rows[5:]]]


def test_a_key_that_was_deleted_is_not_loaded_again(kept):
    key = rows_asked(kept, 1)[0][KEY]
    with engine.connect(kept) as connection:
        query = f"SELECT count(*) AS n FROM {load.require_table(kept, contract.TABLE)}"
        before = engine.row(connection, query)["n"]
        list(erasure.erase(kept, key, erasure.find_traces(kept, key)))
        assert engine.row(connection, query)["n"] == before - 1
    assert pipeline.run_etl(kept, lambda step: None).loaded == before - 1
    with pytest.raises(errors.ProjectError, match="nothing of it is kept"):
        erasure.find_traces(kept, key)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--key", " "), "--key: is empty; write the key as it stands in the data"),
        (("--key", "nobody"), f"--key nobody: nothing of it is kept; is it written as in the column {KEY}?"),
    ],
)
def test_a_key_that_is_none_is_refused_in_one_line(kept, monkeypatch, capsys, arguments, sentence):
    before = content(kept)
    assert run(monkeypatch, kept, "purge", *arguments, "--really") == 1
    assert capsys.readouterr().err == f"error: {sentence}\n"
    assert content(kept) == before


def test_a_table_that_was_not_accepted_is_deleted_by_its_age_and_by_key(kept, monkeypatch, capsys):
    table = load.table_path(kept, kept.project.table_name)
    aside = load.table_path(kept.with_table(accepted=False), kept.project.table_name)
    aside.parent.mkdir()
    aside.write_bytes(table.read_bytes())
    key = rows_asked(kept, 1)[0][KEY]
    assert run(monkeypatch, kept, "purge", "--key", key, "--really") == 0
    with engine.connect(kept) as connection:
        there = engine.rows(connection, f"SELECT count_if({KEY} = '{key}') AS n FROM '{aside}'")
    assert there == [{"n": 0}]
    aged(aside, 29)
    assert run(monkeypatch, kept, "purge", "--really") == 0
    assert aside.is_file()
    aged(aside, 31)
    capsys.readouterr()
    assert run(monkeypatch, kept, "purge", "--really") == 0
    assert not aside.exists()
    assert table.is_file()
    assert audit(kept)[-1]["what"] == f"data/not-accepted/{kept.project.table_name}.parquet"


def test_a_retention_that_makes_no_sense_is_refused_with_its_line(kept, monkeypatch, capsys):
    assert run(monkeypatch, kept, "purge", **limits(90, 90)) == 1
    said = capsys.readouterr().err
    assert "retention.predictions: purge_after_days must be more than archive_after_days" in said
    with pytest.raises(ValidationError, match="greater than or equal to 2"):
        sections.Keep(purge_after_days=1)


def test_the_project_has_a_retention():
    found = read_settings(PROJECT).section(sections.Retention)
    assert found.predictions.purge_after_days > found.predictions.archive_after_days


def test_copies_of_a_bucket_go_with_a_key_and_with_age(kept, monkeypatch, capsys):
    with engine.connect(kept) as connection:
        write(kept, "data/source/flights.csv", "month\n1\n")
        write(kept, "data/source/rides/year=2013/part.csv", "x\n1\n")
        traces = erasure.find_traces(kept, rows_of_one(connection, kept))
    copies = {trace.path.name for trace in traces if "source" in trace.path.parts}
    assert copies == {"flights.csv", "part.csv"}
    for name in ("flights.csv", "rides/year=2013/part.csv"):
        aged(kept.workspace / "data" / "source" / name, 200)
    old = kept.model_copy(
        update={
            "retention": sections.Retention(raw=sections.Keep(archive_after_days=90, purge_after_days=180))
        }
    )
    assert not [item for item in retirement.to_archive(old, TODAY) if item.path.suffix == ".csv"]
    gone = {item.path.name for item in retirement.purge(old, retirement.to_purge(old, TODAY))}
    assert gone >= {"flights.csv", "part.csv"}


def rows_of_one(connection, project):
    """Return a key that is kept."""
    return engine.row(
        connection, f"SELECT {KEY} AS k FROM {load.require_table(project, PROJECT.table_name)} LIMIT 1"
    )["k"]


def test_raw_tables_of_spark_go_with_a_key_and_with_age(kept, monkeypatch, capsys):
    part, current = "data/spark/raw/flights/v-1/part-0.parquet", "data/spark/raw/flights/CURRENT"
    loaded = kept.workspace / "data/spark" / contract.TABLE / "v-1" / "part-0.parquet"
    loaded.parent.mkdir(parents=True)
    loaded.write_bytes(load.table_path(kept, contract.TABLE).read_bytes())

    def brought_in():
        write(kept, current, "v-1")
        (kept.workspace / part).parent.mkdir()
        (kept.workspace / part).write_bytes(load.raw_path(kept, "flights").read_bytes())

    brought_in()
    old = kept.model_copy(update={"retention": sections.Retention(raw=sections.Keep(purge_after_days=180))})
    assert [item for item in retirement.to_purge(old, TODAY) if "spark" in item.path.parts] == []
    aged(kept.workspace / current, 200)
    (gone,) = [item.path for item in retirement.purge(old, retirement.to_purge(old, TODAY))]
    assert gone == (kept.workspace / current).parent
    assert not gone.exists()
    brought_in()
    with engine.connect(kept) as connection:
        key = rows_of_one(connection, kept)
    capsys.readouterr()
    assert run(monkeypatch, kept, "purge", "--key", key) == 0
    assert re.search(r"^data/spark/raw/flights +all$", capsys.readouterr().out, re.MULTILINE)
    assert run(monkeypatch, kept, "purge", "--key", key, "--really") == 0
    assert not gone.exists()
    count = f"SELECT count_if({KEY} = '{key}') AS gone, count(*) AS n FROM '{loaded}'"
    with engine.connect(kept) as connection:
        found = engine.row(connection, count)
    assert found["gone"] == 0
    assert found["n"] > 0
