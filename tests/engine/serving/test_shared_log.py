"""The log that machines share: whole segments under names of their own, read by whoever monitors."""

import json
import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic_core import to_json

from handrail import errors
from handrail.compute import duckdb as engine
from handrail.monitoring import outcomes
from handrail.registry import live as registry
from handrail.registry import versions
from handrail.retention import erasure
from handrail.retention.audit_log import audit_log_path
from handrail.serving import activity, batch, shared_log
from handrail.serving.prediction_log import PredictionLog, prediction_folder, shared_prediction_folder
from handrail.storage import folder as folders
from handrail.storage.store import StorageError, open_store
from tests.engine.storage.conftest import any_place, azure_variables, gcs_variables, place, s3_variables
from tests.engine.support.lived import predict, rows_asked, variant
from tests.engine.support.machines import attached, machine

__all__ = ["any_place", "azure_variables", "gcs_variables", "s3_variables"]


@pytest.fixture
def here(project, any_place):
    """Return a machine with a live model."""
    settings = attached(project, any_place)
    registry.make_live(settings, versions.newest_version(settings))
    return settings


@pytest.fixture
def there(project, any_place, here, tmp_path):
    """Return another machine, with the same tables."""
    return machine(project, tmp_path / "there", any_place)


@pytest.fixture
def alone(project, tmp_path):
    """Return a machine that shares a folder."""
    settings = attached(project, str(tmp_path / "shared"))
    registry.make_live(settings, versions.newest_version(settings))
    return settings


def store(settings):
    return open_store(settings.shared.predictions, settings.root, "storage.predictions")


def keys(settings):
    return [entry.key for entry in store(settings).entries("predictions/")]


def test_a_dry_run_sends_nothing(alone):
    predict(alone, rows_asked(alone)[:20])
    shared_log.fetch(alone, dry_run=True)
    assert keys(alone) == []
    shared_log.fetch(alone)
    assert len(keys(alone)) == 1


def count(settings):
    """Return how many predictions a machine sees."""
    with engine.connect(settings) as connection:
        query = f"SELECT count(*) AS n FROM ({outcomes.all_predictions(settings)})"
        return engine.row(connection, query)["n"]


def test_each_machine_sees_what_both_have_predicted(here, there):
    rows = rows_asked(here, 30)
    predict(here, rows[:20])
    predict(there, rows[20:])
    shared_log.send(here)
    shared_log.send(there)
    for each in (here, there):
        shared_log.fetch(each)
        shared_log.fetch(each)
        assert count(each) == 30
    assert len(keys(here)) == 2


def test_only_whole_new_lines_are_sent(here):
    log = PredictionLog(prediction_folder(here))
    log.append([{"prediction": 0.5}])
    assert shared_log.send(here) == 1
    assert shared_log.send(here) == 0
    log.append([{"prediction": 0.25}, {"prediction": 0.125}])
    log.close()
    (path,) = prediction_folder(here).glob("*.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"prediction": 0.0')
    assert shared_log.send(here) == 1
    assert shared_log.unsent_bytes(here) == len(b'{"prediction": 0.0')
    sent = [store(here).read(key)[0] for key in keys(here)]
    assert b"".join(sent) == whole
    assert [each.count(b"\n") for each in sent] == [1, 2]


def test_a_large_file_goes_in_several_segments(alone, monkeypatch):
    monkeypatch.setattr(shared_log, "MOST_BYTES", 1000)
    predict(alone, rows_asked(alone, 10))
    shared_log.send(alone)
    (path,) = prediction_folder(alone).glob("*.jsonl")
    sent = [store(alone).read(key)[0] for key in keys(alone)]
    assert b"".join(sent) == path.read_bytes()
    assert len(sent) > 3
    assert all(each.endswith(b"\n") for each in sent)


KILLED = """
import os, signal, sys
from pathlib import Path
from handrail.serving import shared_log
from handrail.storage import s3
from tests.engine.support.machines import attached
from tests.engine.support.workspaces import in_workspace
settings = attached(in_workspace(Path(sys.argv[1])), sys.argv[2])
real = s3.S3Store.write
def write(store, key, content, only_if=None):
    if sys.argv[3] == "after":
        real(store, key, content, only_if)
    os.kill(os.getpid(), signal.SIGKILL)
s3.S3Store.write = write
shared_log.send(settings)
"""


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_killed_process_was_sending_is_sent_once(project, s3_variables, monkeypatch, tmp_path, when):
    address = place("s3", s3_variables, monkeypatch)
    here = attached(project, address)
    registry.make_live(here, versions.newest_version(here))
    rows = rows_asked(here, 30)
    predict(here, rows[:20])
    command = [sys.executable, "-c", KILLED, str(here.workspace), address, when]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    predict(here, rows[20:])
    shared_log.send(here)
    there = machine(project, tmp_path / "there", address)
    shared_log.fetch(there)
    assert count(there) == 30


def test_rows_that_are_scored_again_take_the_place_of_those_before(here, there):
    output = batch.output_path(here, "flights")
    for _ in range(2):
        source = batch.rows_to_score(here, None, date(2013, 9, 1), date(2013, 9, 3))
        scored = batch.score_rows(here, source, output)
        shared_log.send(here)
    shared_log.fetch(there)
    assert count(there) == scored.rows
    (key,) = keys(here)
    assert key.startswith(f"predictions/{output.stem}.")
    assert key.endswith(".parquet")
    shared_log.fetch(here)
    assert count(here) == scored.rows


def test_what_spark_has_scored_into_a_folder_is_sent_whole_and_replaced_whole(here, there):
    folder = prediction_folder(here) / "scored-2013-09-01-end-abc.parquet"

    def scored(*days):
        if folder.is_dir():
            shutil.rmtree(folder)
        source = batch.rows_to_score(here, None, date(2013, 9, 1), date(2013, 9, 4))
        output = batch.output_path(here, "once")
        batch.score_rows(here, source, output)
        for day in days:
            part = (
                folder / f"by_day={day}" / "part-00000-1f.c000.snappy.parquet"
            )  # one task writes several days
            part.parent.mkdir(parents=True)
            query = f"SELECT * FROM '{output}' WHERE CAST(scheduled_at AS DATE) = '{day}'"
            with engine.connect(here) as connection:
                engine.write_parquet(connection, query, part)
        output.unlink()

    scored("2013-09-01", "2013-09-02", "2013-09-03")
    assert (shared_log.send(here), keys(here)) == (0, [])  # without _SUCCESS it is not whole
    (folder / "_SUCCESS").touch()
    assert shared_log.unsent_bytes(here) > 0
    assert shared_log.send(here) == 3
    assert shared_log.unsent_bytes(here) == 0
    machine = json.loads((prediction_folder(here) / ".sent.json").read_text())["machine"]
    names = [
        f"predictions/scored-2013-09-01-end-abc-by_day-2013-09-0{day}-part-00000-1f.c000.snappy.{machine}."
        for day in (1, 2, 3)
    ]
    assert [key.rpartition(".")[0].rpartition(".")[0] + "." for key in keys(here)] == names
    shared_log.fetch(there)
    whole = count(here)
    assert count(there) == whole > 0
    scored("2013-09-02")
    (folder / "_SUCCESS").touch()
    assert shared_log.send(here) == 1
    assert len(keys(here)) == 1
    for each in (here, there):  # no machine takes its own for another's
        shared_log.fetch(each)
        assert 0 < count(each) < whole
    assert count(here) == count(there)


def test_a_version_that_answered_elsewhere_is_brought_in(here, there):
    predict(here, rows_asked(here, 20))
    first = versions.newest_version(here)
    registry.make_live(here, variant(here, lambda info: info.update(seed=1)))
    shared_log.send(here)
    shared_log.fetch(there)
    assert versions.load_version(there, first).name == first
    with engine.connect(there) as connection:
        query = f"SELECT count(*) AS n FROM ({outcomes.live_predictions(there)})"
        assert engine.row(connection, query)["n"] == 20


def test_what_services_did_is_seen_elsewhere(here, there):
    folder = activity.activity_folder(here)
    folder.mkdir(parents=True, exist_ok=True)
    line = {"from": "2013-09-01T10:00:00", "to": "2013-09-01T10:01:00", "answers": {"200": 7, "500": 3}}
    (folder / "2013-09-01-0a1b2c3d.ndjson").write_text(json.dumps(line) + "\n", encoding="utf-8")
    shared_log.send(here)
    shared_log.fetch(there)
    for each in (here, there):
        shared_log.fetch(each)
        seen = activity.read_activity(each, date(2013, 9, 1), date(2013, 9, 2))
        assert (seen.requests, seen.failed_share) == (10, 0.3)


def test_what_is_deleted_there_goes_here_and_what_is_blanked_is_blanked(here, there):
    predict(here, rows_asked(here, 20))
    shared_log.send(here)
    shared_log.fetch(there)
    (key,) = keys(here)
    content = store(here).read(key)[0]
    first = content.index(b"\n")
    store(here).write(key, b" " * first + content[first:])
    shared_log.fetch(there)
    assert count(there) == 19
    store(here).delete(key)
    shared_log.fetch(there)
    assert not [*shared_prediction_folder(there).glob("[!.]*")]


@pytest.mark.parametrize("kind", [".jsonl", ".parquet"])
def test_what_is_being_sent_from_here_is_not_taken_for_another_s(alone, monkeypatch, kind):
    predict(alone, rows_asked(alone, 20))
    source = batch.rows_to_score(alone, None, date(2013, 9, 2), date(2013, 9, 3))
    batch.score_rows(alone, source, batch.output_path(alone, "few"))
    before = count(alone)

    def killed(folder, name, what):
        raise KeyboardInterrupt

    monkeypatch.setattr(shared_log._Folder, "_note", killed)  # sent, and not noted yet
    files = prediction_folder(alone).glob(f"[!.]*{kind}")
    monkeypatch.setattr(shared_log._Folder, "_files", lambda each: {path.name: path for path in files})
    with pytest.raises(KeyboardInterrupt):
        shared_log.send(alone)
    monkeypatch.setattr(shared_log, "send", lambda settings: 0)
    shared_log.fetch(alone)
    assert [Path(key).suffix for key in keys(alone)] == [kind]
    assert count(alone) == before


def test_what_can_not_be_sent_is_kept_and_told_and_sent_later(alone, monkeypatch, caplog):
    predict(alone, rows_asked(alone, 20))

    def cut(*_, **__):
        raise StorageError("storage.predictions: s3://gone: no answer after 3 attempts")

    sharing = shared_log.Sharing(alone)
    with monkeypatch.context() as broken:
        broken.setattr(folders.FolderStore, "write", cut)
        for _ in range(3):
            sharing.send()
        assert "no answer" in sharing.unsent
        sharing.end()
    (path,) = prediction_folder(alone).glob("*.jsonl")
    told = [record.getMessage() for record in caplog.records]
    why = "storage.predictions: s3://gone: no answer after 3 attempts"
    assert told == [
        f"predictions are kept here, and not sent: {why}",
        f"{path.stat().st_size:,} bytes stay here unsent: {why}",
    ]
    sharing.send()
    assert sharing.unsent == ""
    assert store(alone).read(keys(alone)[0])[0] == path.read_bytes()


def test_monitoring_is_told_where_others_can_not_be_asked(alone, monkeypatch):
    predict(alone, rows_asked(alone, 20))

    def cut(*_, **__):
        raise StorageError("storage.predictions: s3://gone: no answer after 3 attempts")

    monkeypatch.setattr(folders.FolderStore, "entries", cut)
    with pytest.raises(errors.ProjectError, match="no answer after 3 attempts"):
        shared_log.fetch(alone)
    assert count(alone) == 20


def test_a_service_sends_soon_and_at_its_end_and_follows_what_is_live(here, there):
    body = json.loads(to_json({"records": rows_asked(here, 1)}))
    key = {"X-API-Key": "a key of the tests"}
    serving = there.model_copy(update={"api_key": "a key of the tests"})
    app = serving.project.create_app(serving)
    other = variant(here, lambda info: info.update(seed=1))
    with TestClient(app) as client:
        assert client.post("/predict", json=body, headers=key).status_code == 200
        assert eventually(lambda: len(keys(here)) == 1)
        registry.make_live(here, other)
        assert eventually(lambda: client.get("/version").json()["version"] == other)
        assert client.post("/predict", json=body, headers=key).json()["version"] == other
        assert "predictions_unsent" not in client.get("/ready").json()
    shared_log.fetch(here)
    assert count(here) == 2


def eventually(holds, seconds=20):
    """Tell whether something comes to hold."""
    from threading import Event

    pause = Event()
    for _ in range(seconds * 20):
        if holds():
            return True
        pause.wait(0.05)
    return False


def test_a_key_is_deleted_from_what_machines_share(here, there):
    rows = rows_asked(here, 20)
    predict(here, rows[:10])
    predict(there, rows[5:])
    scored = prediction_folder(there) / "scored-few.parquet"
    with engine.connect(there) as connection:
        query = f"SELECT * FROM ({outcomes.all_predictions(there)}) LIMIT 8"
        engine.write_parquet(connection, query, scored)
    shared_log.send(there)
    shared_log.fetch(here)
    before, key = count(here), rows[7][here.project.key]
    traces = erasure.find_traces(here, key)
    assert {trace.path.parent.parent.name for trace in traces if not trace.raw} >= {"data", "shared"}
    done = list(erasure.erase(here, key, traces))
    assert erasure.erase_shared(here, key) == 3
    assert len(done) >= 3
    shared_log.fetch(here)
    assert count(here) == before - 3
    assert erasure.erase_shared(here, key) == 0
    assert '"shared predictions, 3 objects"' in audit_log_path(here).read_text(encoding="utf-8")
