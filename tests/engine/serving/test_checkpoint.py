"""A run that was stopped is taken up, by the same of everything; what comes of it is what would have."""

import os
import random
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from handrail.compute import duckdb as engine
from handrail.contract import schema
from handrail.errors import ProjectError
from handrail.etl import load
from handrail.leftovers import PARTS_SECONDS, remove_leftovers
from handrail.predictor import Predictor
from handrail.registry import canary
from handrail.registry import live as registry
from handrail.serving import batch, checkpoint, rows_to_score
from tests.engine.support.lived import ASKED, CONTRACT, KEY, live_version, promoted, variant
from tests.engine.support.names import contract
from tests.engine.support.workspaces import PROJECT, copied

GROUP = 2048  # rows of a row group: the engine writes no smaller ones
LIMITED = next(
    c for c in schema.columns(schema.request_model(CONTRACT)) if c.ge is not None and not c.nullable
)
SECONDS = 60


@pytest.fixture
def project(trained, tmp_path, monkeypatch):
    """Return settings of a workspace whose version is live, where every input is a large one."""
    monkeypatch.setattr(batch, "FEW_ROWS", 0)
    monkeypatch.setattr(batch, "FEW_BYTES", 0)
    monkeypatch.setattr(batch, "PART_ROWS", GROUP)
    monkeypatch.setattr(batch, "BATCH_ROWS", GROUP // 2)
    monkeypatch.setattr(rows_to_score, "write_parquet", write_groups)
    return promoted(copied(trained, tmp_path))


@pytest.fixture
def source(project, tmp_path):
    """Return a file of several parts, with rows that are broken and keys that are repeated."""
    return write(project, tmp_path / "in.parquet")


def write_groups(connection, query, path):
    """Write the rows of a query in small row groups."""
    connection.execute(f"COPY ({query}) TO {engine.literal(path)} (FORMAT parquet, ROW_GROUP_SIZE {GROUP})")


def write(project, path, more=""):
    """Write the loaded rows in row groups of one part each, or with commas."""
    asked = ", ".join(f'"{name}"' for name in ASKED)
    bad = f"CASE WHEN hash({KEY}) % 97 = 0 THEN {LIMITED.ge} - 1 ELSE {LIMITED.name} END AS {LIMITED.name}"
    rows = f"SELECT {asked} FROM {load.require_table(project, contract.TABLE)}"
    query = f"SELECT * REPLACE ({bad}) FROM ({rows}) {more} UNION ALL ({rows} ORDER BY {KEY} LIMIT 10)"
    form = f"FORMAT parquet, ROW_GROUP_SIZE {GROUP}" if path.suffix == ".parquet" else "FORMAT csv, HEADER"
    with engine.connect(project) as connection:
        connection.execute(f"COPY ({query}) TO {engine.literal(path)} ({form})")
    return path


def score(project, source, output=None):
    """Score a file."""
    given = batch.rows_to_score(project, source, None, None)
    return batch.score_rows(project, given, output or project.workspace / "out" / "scored.parquet")


def rows_of(path):
    """Return the rows of a file but for the time of the prediction, in the order of all that is in them."""
    table = pq.read_table(path)
    names = [name for name in table.column_names if name != "predicted_at"]
    return sorted(tuple(map(str, row.values())) for row in table.select(names).to_pylist())


def both(project, found):
    """Return the rows that were scored, and those that were rejected."""
    return rows_of(found.path), rows_of(load.rejected_path(project, f"scored-{found.path.stem}"))


class StoppedError(Exception):
    """Stands for the end of the process."""


def stop_after(monkeypatch, parts):
    """Let scoring stop once so many parts are kept."""
    keep, kept = checkpoint.Checkpoint.keep, []

    def keep_and_stop(self, first, predictions):
        keep(self, first, predictions)
        kept.append(first)
        if len(kept) == parts:
            raise StoppedError

    monkeypatch.setattr(checkpoint.Checkpoint, "keep", keep_and_stop)


def stopped(project, source, monkeypatch, parts=3):
    """Score a file until `parts` are kept."""
    with monkeypatch.context() as patched:
        stop_after(patched, parts)
        with pytest.raises(StoppedError):
            score(project, source)


@pytest.fixture
def predicted(monkeypatch):
    """Return the numbers of rows that models were asked for."""
    counts, predict = [], Predictor.predict

    def counted(self, features):
        counts.append(len(features))
        return predict(self, features)

    monkeypatch.setattr(Predictor, "predict", counted)
    return counts


def asked_of_models(counts):
    """Return how many rows models were asked for, without the first answers of those that are loaded."""
    found = sum(number for number in counts if number > 1)
    counts.clear()
    return found


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_what_was_predicted_is_not_predicted_again(project, tmp_path, monkeypatch, predicted, suffix):
    source = write(project, tmp_path / f"in.{suffix}")
    undisturbed = both(project, score(project, source))
    every = asked_of_models(predicted)
    stopped(project, source, monkeypatch)
    asked_of_models(predicted)
    found = score(project, source)
    assert both(project, found) == undisturbed
    (note,) = found.notes
    number, _, said = note.partition(" ")
    assert said == "rows had been predicted by a run that was stopped"
    rest = asked_of_models(predicted)
    assert (int(number.replace(",", "")) + rest, rest < every - 2 * GROUP) == (every, True)
    assert [path.name for path in found.path.parent.iterdir()] == [found.path.name]


def test_lines_are_not_read_again(project, tmp_path, monkeypatch):
    source = write(project, tmp_path / "in.csv")
    undisturbed = both(project, score(project, source))
    stopped(project, source, monkeypatch)
    monkeypatch.setattr(rows_to_score, "_write_texts", None)
    assert both(project, score(project, source)) == undisturbed


def test_rows_of_the_table_are_taken_up(project, monkeypatch):
    table = load.table_path(project, contract.TABLE)
    small = table.with_name("small.parquet")
    with engine.connect(project) as connection:
        write_groups(connection, f"SELECT * FROM {engine.parquet(table)}", small)
    small.replace(table)
    given = batch.rows_to_score(project, None, project.dates.live_from, None)
    output = batch.output_path(project, given.name)
    undisturbed = rows_of(batch.score_rows(project, given, output).path)
    with monkeypatch.context() as patched:
        stop_after(patched, 1)
        with pytest.raises(StoppedError):
            batch.score_rows(project, given, output)
    found = batch.score_rows(project, given, output)
    assert found.notes[0].endswith(" rows had been predicted by a run that was stopped")
    assert rows_of(found.path) == undisturbed


def test_canary_and_live_version_are_taken_up_together(project, source, monkeypatch):
    canary.start_canary(project, variant(project, lambda info: info.update(seed=1)), 0.3)
    undisturbed = both(project, score(project, source))
    stopped(project, source, monkeypatch)
    assert both(project, score(project, source)) == undisturbed


def rewritten(project, source):
    """Write the input anew, with other values."""
    write(project, source, "WHERE hash(1) IS NOT NULL")
    os.utime(source, ns=(1, 1))


def other_version(project, source):
    """Make another version live."""
    registry.make_live(project, variant(project, lambda info: info.update(seed=2)))


CHANGES = {"the input": rewritten, "what answers": other_version}


@pytest.mark.parametrize("what", CHANGES)
def test_what_has_changed_begins_anew_and_is_said(project, source, monkeypatch, predicted, what):
    score(project, source)
    every = asked_of_models(predicted)
    stopped(project, source, monkeypatch)
    asked_of_models(predicted)
    CHANGES[what](project, source)
    found = score(project, source)
    assert found.notes == (f"begun anew: an earlier run was stopped, and {what} has changed since",)
    assert asked_of_models(predicted) == every
    assert {row["version"] for row in pq.read_table(found.path).to_pylist()} == {live_version(project).name}


def test_a_part_that_is_not_whole_is_predicted_again(project, source, monkeypatch):
    undisturbed = both(project, score(project, source))
    stopped(project, source, monkeypatch)
    (folder,) = (project.workspace / "out").glob(".*.parts")
    first, second, *_ = sorted(path for path in folder.iterdir() if path.name[-1].isdecimal())
    first.write_bytes(first.read_bytes()[:-3])
    second.write_bytes(b"")
    (folder / checkpoint.ABOUT).write_text("{", encoding="utf-8")
    assert both(project, score(project, source)) == undisturbed


def test_an_input_that_changes_meanwhile_is_refused(project, source, monkeypatch):
    keep = checkpoint.Checkpoint.keep

    def keep_and_change(self, first, predictions):
        keep(self, first, predictions)
        os.utime(source, ns=(1, 1))

    score(project, source)
    good = (project.workspace / "out" / "scored.parquet").read_bytes()
    monkeypatch.setattr(checkpoint.Checkpoint, "keep", keep_and_change)
    with pytest.raises(ProjectError, match=r"^in.parquet: .* was changed while it was read; score it again$"):
        score(project, source)
    assert (project.workspace / "out" / "scored.parquet").read_bytes() == good


def test_a_second_run_of_the_same_output_is_told(project, source):
    output = project.workspace / "out" / "scored.parquet"
    folder = output.with_name(f".{output.name}.parts")
    folder.mkdir(parents=True)
    with FileLock(folder / "lock"), pytest.raises(ProjectError, match="another `score` is writing it; wait"):
        score(project, source)
    assert score(project, source).path == output


def test_a_full_disk_leaves_the_last_good_result(project, source, monkeypatch):
    output = score(project, source).path
    good, parts = output.read_bytes(), output.with_name(f".{output.name}.parts")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            score(project, source)
    assert output.read_bytes() == good
    assert [path for path in output.parent.iterdir() if path not in (output, parts)] == []
    assert score(project, source).path == output
    assert [*output.parent.iterdir()] == [output]


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_large_input_that_is_refused_leaves_nothing(project, tmp_path, suffix):
    source = write(project, tmp_path / f"in.{suffix}")
    with engine.connect(project) as connection:
        rows = engine.parquet(source) if suffix == "parquet" else f"read_csv({engine.literal(source)})"
        table = connection.sql(f"SELECT * EXCLUDE ({LIMITED.name}) FROM {rows}").to_arrow_table()
        connection.register("without", table)
        connection.execute(f"COPY without TO {engine.literal(source)} (FORMAT {suffix})")
    with pytest.raises(ProjectError, match=f"no column {LIMITED.name}, "):
        score(project, source)
    assert [*(project.workspace / "out").iterdir()] == []


def test_the_fallback_and_a_small_input_need_no_parts(project, source, monkeypatch):
    monkeypatch.setattr(checkpoint.Checkpoint, "keep", None)
    registry.use_fallback(project, "it rained")
    assert score(project, source).source == "fallback"
    registry.make_live(project, live_version(project).name)
    monkeypatch.setattr(batch, "FEW_ROWS", 10**6)
    assert score(project, source).source == "model"


def test_a_part_in_which_the_model_failed_is_not_kept(project, source, monkeypatch):
    kept, asked, keep, predict = [], count(), checkpoint.Checkpoint.keep, Predictor.predict

    def fails_once(self, features):
        found = predict(self, features)
        return np.full_like(found, np.nan) if next(asked) == 4 else found

    def noted(self, first, predictions):
        kept.append(first)
        keep(self, first, predictions)

    monkeypatch.setattr(Predictor, "predict", fails_once)
    monkeypatch.setattr(checkpoint.Checkpoint, "keep", noted)
    assert score(project, source).source == "fallback and model"
    assert 0 < len(kept) < len(rows_to_score.row_group_sizes(source))


def test_parts_that_nobody_takes_up_go_after_a_week(project, source, monkeypatch):
    folder = project.workspace / "data" / "predictions"
    with monkeypatch.context() as patched:
        stop_after(patched, 1)
        with pytest.raises(StoppedError):
            score(project, source, folder / "scored-in.parquet")
    (parts,) = folder.glob(".*.parts")
    assert (remove_leftovers(project), parts.exists()) == ([], True)
    old = time.time() - PARTS_SECONDS - 10
    os.utime(parts, (old, old))
    with FileLock(parts / "lock"):
        os.utime(parts, (old, old))
        assert (remove_leftovers(project, fresh_seconds=0), parts.exists()) == ([], True)
    os.utime(parts, (old, old))
    assert (remove_leftovers(project), parts.exists()) == ([parts], False)


def test_parts_hold_no_rows_for_whoever_deletes_a_key(project, tmp_path, monkeypatch):
    stopped(project, write(project, tmp_path / "in.csv"), monkeypatch)
    (parts,) = (project.workspace / "out").glob(".*.parts")
    parts.rename(project.workspace / "data" / parts.name)
    assert remove_leftovers(project, fresh_seconds=0) == [project.workspace / "data" / parts.name]


RUN = """
import sys
from importlib import import_module
from pathlib import Path

from handrail.compute.duckdb import literal
from handrail.config.settings import read_settings
from handrail.serving import batch, rows_to_score

def write_groups(connection, query, path):
    connection.execute(f"COPY ({query}) TO {literal(path)} (FORMAT parquet, ROW_GROUP_SIZE 2048)")

rows_to_score.write_parquet = write_groups
package, root, workspace, source, output, rows = sys.argv[1:]
batch.FEW_ROWS, batch.FEW_BYTES, batch.PART_ROWS, batch.BATCH_ROWS = 0, 0, int(rows), int(rows) // 2
project = import_module(package).project.at(Path(root))
settings = read_settings(project).model_copy(update={"workspace": Path(workspace)})
print("begun", flush=True)
given = batch.rows_to_score(settings, Path(source), None, None)
print(batch.score_rows(settings, given, Path(output)).notes, flush=True)
"""


def begun(project, source, output):
    """Start scoring in a process of its own, and return it when it has begun."""
    line = [sys.executable, "-c", RUN, PROJECT.package, PROJECT.root, project.workspace, source, output]
    process = subprocess.Popen([*map(str, line), str(GROUP)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    return process


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no such signal")
@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_kills_at_any_moment_change_nothing(project, tmp_path, suffix):
    source, output = write(project, tmp_path / f"in.{suffix}"), project.workspace / "out" / "scored.parquet"
    undisturbed = both(project, score(project, source))
    rejected = load.rejected_path(project, "scored-scored")
    started = time.monotonic()
    assert begun(project, source, output).wait(SECONDS) == 0
    seconds, moments = time.monotonic() - started, random.Random(os.environ.get("HANDRAIL_SEED", "kills"))
    output.unlink()
    kills = parts = 0
    while kills < 10:
        process = begun(project, source, output)
        time.sleep(moments.uniform(0, seconds / 2))
        process.send_signal(signal.SIGKILL)
        kills += process.wait(SECONDS) == -signal.SIGKILL
        parts += any(output.parent.glob(".*.parts/*-0"))
        if output.exists():  # it was whole before the kill
            assert rows_of(output) == undisturbed[0]
            output.unlink()
    process = begun(project, source, output)
    assert process.wait(SECONDS) == 0
    assert (rows_of(output), rows_of(rejected), parts > 0) == (*undisturbed, True)
    assert [*output.parent.iterdir()] == [output]
    assert [*Path(project.workspace / "data").rglob(".*")] == []
