"""What is loaded stays in service, whatever happens on the disk; what is live is changed by one at a time."""

import json
import os
import shutil
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import pytest
from fastapi.testclient import TestClient

from handrail import errors
from handrail.files import write_whole
from handrail.registry import acceptance, canary, versions
from handrail.registry import live as registry
from handrail.serving import api, inference
from handrail.serving.inference import LiveModel
from tests.engine.support.lived import live_version, promoted, rows_asked, run, variant
from tests.engine.support.workspaces import copied

API_KEY = "0123456789abcdef"


@pytest.fixture
def live(trained, tmp_path):
    """Return settings of a workspace whose version is live."""
    return promoted(copied(trained, tmp_path))


@pytest.fixture
def client(live, monkeypatch):
    """Return a client of its service, which sees a switch with the next request."""
    monkeypatch.setattr(api, "LOOK_SECONDS", 0.0)
    app = live.project.create_app(live.model_copy(update={"api_key": API_KEY}))
    return TestClient(app, headers={"X-API-Key": API_KEY}, raise_server_exceptions=False)


def asked(client, settings):
    """Return the answer for the first row of the live period."""
    body = json.dumps({"records": rows_asked(settings, 1)}, default=str)
    return client.post("/predict", content=body, headers={"Content-Type": "application/json"}).json()


def stale(client):
    """Return what the service says of itself: in /ready, and in /metrics."""
    lines = client.get("/metrics").text.splitlines()
    return client.get("/ready").json(), "model_stale 1.0" in lines


def broken(settings, how):
    """Break what is live on the disk in one way, and return what brings it back."""
    path = registry.live_path(settings)
    before = path.read_text(encoding="utf-8")
    if how == "gone":
        path.unlink()
    elif how == "half written":
        path.write_text(before[:30], encoding="utf-8")
    elif how == "a folder":
        path.unlink()
        path.mkdir()
    else:
        write_whole(path, before.replace(live_version(settings).name, "2013-09-01-00000000"))

    def mend():
        if path.is_dir():
            path.rmdir()
        write_whole(path, before)

    return mend


@pytest.mark.parametrize("how", ["gone", "half written", "a folder", "a version that is not there"])
def test_what_is_loaded_stays_in_service(client, live, how):
    good = asked(client, live)
    assert stale(client) == ({"status": "ready", "source": "model"}, False)
    mend = broken(live, how)
    assert asked(client, live) == good
    ready, told = stale(client)
    assert (ready["status"], told) == ("ready", True)
    assert registry.live_path(live).name in ready["model_stale"] or "no such model" in ready["model_stale"]
    mend()
    assert stale(client) == ({"status": "ready", "source": "model"}, False)
    second = variant(live, lambda info: info.update(seed=1))
    registry.make_live(live, second)
    assert asked(client, live)["version"] == second


def damaged(settings, name, how):
    """Damage a version's files on the disk in one way, and return what brings them back."""
    folder = versions.version_folder(settings, name)
    kept = shutil.copytree(folder, settings.workspace / "kept")
    model, sums = folder / "model.onnx", folder / versions.SUMS
    if how == "deleted":
        model.unlink()
    elif how == "half of it":
        model.write_bytes(model.read_bytes()[: model.stat().st_size // 2])
    elif how == "a byte of it, at the same time":
        content, then = bytearray(model.read_bytes()), model.stat()
        content[100] ^= 1
        model.write_bytes(content)
        os.utime(model, ns=(then.st_atime_ns, then.st_mtime_ns))
    elif how == "no checksums":
        sums.unlink()
    elif how == "another file beside it":
        (folder / "more.onnx").write_bytes(b"")
    else:
        shutil.rmtree(folder)

    def mend():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(kept, folder)

    return mend


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("deleted", "files are missing or strange: model.onnx"),
        ("half of it", "the checksum of model.onnx is wrong"),
        ("a byte of it, at the same time", "the checksum of model.onnx is wrong"),
        ("no checksums", "SHA256SUMS is missing"),
        ("another file beside it", "files are missing or strange: more.onnx"),
        ("no folder", "no such model version"),
    ],
)
@pytest.mark.parametrize("whose", ["live", "canary"])
def test_files_that_are_damaged_while_they_are_loaded_are_told(client, live, whose, how, said):
    second = variant(live, lambda info: info.update(seed=1))
    canary.start_canary(live, second, 0.5)
    good = asked(client, live)
    name = live_version(live).name if whose == "live" else second
    mend = damaged(live, name, how)
    assert asked(client, live) == good
    ready, told = stale(client)
    assert (ready["status"], told) == ("ready", True)
    assert ready["model_stale"].startswith("what is loaded is not whole on the disk any more: ")
    assert said in ready["model_stale"]
    assert name in ready["model_stale"]
    mend()
    assert stale(client) == ({"status": "ready", "source": "model"}, False)
    assert asked(client, live) == good


def test_what_is_damaged_can_be_left_for_another_version(client, live):
    second = variant(live, lambda info: info.update(seed=1))
    damaged(live, live_version(live).name, "deleted")
    assert stale(client)[1]
    registry.make_live(live, second)
    assert asked(client, live)["version"] == second
    assert stale(client) == ({"status": "ready", "source": "model"}, False)


def test_files_are_read_again_only_when_they_look_otherwise(live, monkeypatch):
    model, read = LiveModel(live), []
    load = inference.load_version
    monkeypatch.setattr(inference, "load_version", lambda *given: read.append(given) or load(*given))
    for _ in range(3):
        model.follow()
    assert not read
    path = model.version.model
    path.touch()
    for _ in range(3):
        model.follow()
    assert len(read) == 1
    assert not model.stale


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(116, "Stale file handle")]
)
def test_a_disk_that_does_not_answer_changes_nothing(client, live, monkeypatch, error):
    good = asked(client, live)

    def refuse(model):
        raise error

    with monkeypatch.context() as unreadable:
        unreadable.setattr(LiveModel, "_stamp_now", refuse)
        assert asked(client, live) == good
        ready, told = stale(client)
    assert told
    assert ready["model_stale"].endswith(error.strerror)
    assert stale(client) == ({"status": "ready", "source": "model"}, False)


def test_a_switch_that_came_before_its_files_is_taken_when_they_are_there(client, live):
    first, second = live_version(live).name, variant(live, lambda info: info.update(seed=1))
    folder = versions.version_folder(live, second)
    registry.make_live(live, second)
    shutil.move(folder, folder.with_name(".later"))
    assert asked(client, live)["version"] == first
    shutil.move(folder.with_name(".later"), folder)
    assert asked(client, live)["version"] == second


def test_a_service_loads_beside_its_answers_and_waits_longer_after_each_failure(live, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(inference, "monotonic", lambda: clock[0])
    model = LiveModel(live, 0.5)
    first, loads = model.version.name, []
    load, loaded = model._load, threading.Event()

    def slowly():
        loads.append(clock[0])
        assert loaded.wait(10)
        return load()

    monkeypatch.setattr(model, "_load", slowly)
    second = variant(live, lambda info: info.update(seed=1))
    registry.make_live(live, second)
    clock[0] = 0.6
    assert model.follow().version.name == first
    assert model.follow().version.name == first  # one is loading it already
    loaded.set()
    wait_for(lambda: model.version.name == second)
    assert loads == [0.6]
    mend, moments = broken(live, "gone"), []
    for tenth in range(10, 500):
        clock[0] = tenth / 10
        count = len(loads)
        model.follow()
        wait_for(lambda: not model._loading)
        moments += [clock[0]] * (len(loads) - count)
    waits = [later - earlier for earlier, later in pairwise(moments)]
    assert waits == pytest.approx([1, 2, 4, 8, 16], abs=0.15)
    mend()
    clock[0] = 100
    model.follow()
    wait_for(lambda: not model.stale)


def wait_for(condition):
    for _ in range(500):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came")


def test_of_a_promotion_and_a_fallback_at_the_same_moment_none_is_lost(live):
    """The last of both is in live.json, and the history has all in an order that led there."""
    second = variant(live, lambda info: info.update(seed=1))
    first = live_version(live).name
    changes = [partial(registry.make_live, live, (second, first)[number % 2]) for number in range(20)]
    fallbacks = [partial(registry.use_fallback, live, f"rain {number}") for number in range(20)]
    with ThreadPoolExecutor(2) as both:
        for pair in zip(changes, fallbacks, strict=True):
            for done in [both.submit(each) for each in pair]:
                done.result()
    history = live.workspace / "models" / "history.jsonl"
    events = [json.loads(line) for line in history.read_text(encoding="utf-8").splitlines()][1:]
    assert len(events) == 40
    names, now = [first], registry.read_live(live)
    for event in events:
        if event["reason"] == "promoted":
            names.append(event["live"])
        assert event["live"] == names[-1]  # a fallback keeps the version that it found
    assert list(now.versions) == names
    assert (now.mode, now.reason) == (events[-1]["mode"], events[-1]["reason"])


def test_whoever_holds_the_lock_too_long_is_told_of(live, monkeypatch):
    monkeypatch.setattr(registry, "LOCKED_SECONDS", 0.2)
    with registry.changing_live(live), ThreadPoolExecutor(1) as other:
        late = other.submit(registry.use_fallback, live, "rain")
        with pytest.raises(errors.ProjectError, match="another command has been changing it for 0 s"):
            late.result()
    assert registry.read_live(live).mode == "model"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_what_is_live_can_be_read_by_the_service_whatever_the_umask(live):
    before = os.umask(0o077)
    try:
        name = variant(live, lambda info: info.update(seed=1))
        registry.make_live(live, name)
    finally:
        os.umask(before)
    folder = versions.version_folder(live, name)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (registry.live_path(live), folder)}
    assert modes == {"live.json": 0o644, folder.name: 0o755}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o644}


def spoilt(settings, name):
    """Change a file of a version."""
    path = versions.version_folder(settings, name) / "model.onnx"
    path.write_bytes(path.read_bytes() + b" ")


def test_a_live_version_that_is_broken_can_be_left_by_rollback(live, monkeypatch, capsys):
    first, second = live_version(live).name, variant(live, lambda info: info.update(seed=1))
    registry.make_live(live, second)
    spoilt(live, second)
    assert run(monkeypatch, live, "rollback") == 0
    assert capsys.readouterr().out == f"{first} answers again\n"
    assert live_version(live).name == first


def test_and_by_a_promotion_where_it_is_the_only_one(live, monkeypatch, capsys, caplog):
    first, second = live_version(live).name, variant(live, lambda info: info.update(seed=1))
    spoilt(live, first)
    assert run(monkeypatch, live, "rollback") == 1
    assert "no earlier version to go back to" in capsys.readouterr().err
    assert acceptance.objections(live, versions.load_version(live, second)) == []
    assert run(monkeypatch, live, "promote", second) == 0
    assert live_version(live).name == second
    assert "was changed" in caplog.text or "nothing is compared with it" in caplog.text


def test_a_canary_beside_a_broken_version_can_be_withdrawn(live, monkeypatch, capsys):
    second = variant(live, lambda info: info.update(seed=1))
    canary.start_canary(live, second, 0.5)
    spoilt(live, live_version(live).name)
    assert run(monkeypatch, live, "rollback") == 0
    assert registry.read_live(live).canary is None
