"""A registry that machines share: whole versions, and no change of what is live that is lost."""

import json
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handrail import errors
from handrail.registry import canary, shared, versions
from handrail.registry import live as registry
from handrail.registry.history import read_history, tried_since, withdrawn
from handrail.serving import inference
from handrail.storage import folder as folders
from handrail.storage import s3
from handrail.storage.store import StorageError, open_store
from tests.engine.storage.conftest import any_place, azure_variables, gcs_variables, place, s3_variables
from tests.engine.support.lived import variant
from tests.engine.support.machines import attached, machine

__all__ = ["any_place", "azure_variables", "gcs_variables", "s3_variables"]


@pytest.fixture
def here(project, any_place):
    """Return the machine that has trained."""
    return attached(project, any_place)


@pytest.fixture
def there(project, any_place, tmp_path):
    """Return another one, with nothing but what is shared."""
    return machine(project, tmp_path / "there", any_place, data=False)


def store(settings):
    return open_store(settings.shared.registry, settings.root, "storage.registry")


def document(settings):
    return json.loads(store(settings).read("live.json")[0])


def versions_of(settings, count):
    """Return the name of the trained version, and of others like it."""
    first = versions.newest_version(settings)
    return [first, *(variant(settings, lambda info, n=n: info.update(seed=n)) for n in range(1, count))]


def test_what_one_machine_promotes_is_live_on_another(here, there):
    (name,) = versions_of(here, 1)
    registry.make_live(here, name)
    version, live = registry.load_live(there)
    assert (version.name, live.versions, live.reason) == (name, (name,), "promoted")
    for path in versions.version_folder(here, name).iterdir():
        assert (version.path / path.name).read_bytes() == path.read_bytes()
    assert inference.start_model(version) is not None


def test_rollback_canary_and_fallback_of_one_are_those_of_all(here, there):
    one, two, three = versions_of(here, 3)
    for name in (one, two):
        registry.make_live(here, name)
    canary.start_canary(here, three, 0.2)
    assert canary.load_canary(there, registry.read_live(there).canary).name == three
    assert tried_since(there, three) == document(here)["history"][-1]["at"]
    assert canary.end_canary(there, "worse", judged=three) == three
    assert registry.read_live(here).canary is None
    for settings in (here, there):  # whoever retrains next knows it
        assert [(each.name, each.reason) for each in withdrawn(settings)] == [(three, "worse")]
    assert registry.use_fallback(there, "the baseline did better", judged=two)
    assert registry.read_live(here).mode == "fallback"
    assert registry.roll_back(there, inference.start_model) == one
    assert registry.read_live(here).versions == (one,)
    assert registry.launch(there) == one
    reasons = [
        "promoted",
        "promoted",
        "canary",
        "worse",
        "the baseline did better",
        "rolled back",
        "launched",
    ]
    registry.read_live(here)
    for settings in (here, there):
        assert [event.reason for event in read_history(settings)] == reasons
    assert [event["reason"] for event in document(here)["history"]] == reasons


def test_of_machines_that_promote_at_once_none_is_lost(project, any_place, tmp_path):
    names = versions_of(project, 4)
    machines = [attached(project, any_place)]
    machines += [machine(project, tmp_path / f"machine-{n}", any_place, data=False) for n in range(1)]
    registry.make_live(machines[0], names[0])
    for each in machines:
        for name in names:
            shared.publish_version(store(each), project, name)
            versions.load_version(each, name)
    with ThreadPoolExecutor(6) as threads:
        done = threads.map(lambda pair: registry.make_live(*pair), zip(machines * 2, names[1:], strict=False))
        list(done)
    live = document(machines[0])
    assert live["versions"][0] == names[0]
    assert sorted(live["versions"]) == sorted(names)
    assert len(live["history"]) == len(names)
    for each in machines:
        assert registry.read_live(each).versions == tuple(live["versions"])


RACE = """
import sys
from dataclasses import replace
from handrail.registry import live as registry
from tests.engine.support.machines import attached
from tests.engine.support.workspaces import in_workspace
from pathlib import Path
settings = attached(in_workspace(Path(sys.argv[1])), sys.argv[2])
for name in sys.argv[4:]:
    if sys.argv[3] == "promote":
        registry.make_live(settings, name)
    else:
        registry.roll_back(settings, lambda version: None)
"""


@pytest.mark.slow
def test_processes_that_promote_and_roll_back_at_once_lose_nothing(
    project, s3_variables, monkeypatch, tmp_path
):
    address = place("s3", s3_variables, monkeypatch)
    names = versions_of(project, 7)
    here = attached(project, address)
    for name in names:
        registry.make_live(here, name)
    runs = []
    for number, verb in enumerate(("promote", "rollback", "promote")):
        workspace = tmp_path / f"machine-{number}"
        chosen = names[:3] if verb == "promote" else names[:2]
        command = [sys.executable, "-c", RACE, str(workspace), address, verb, *chosen]
        runs.append(subprocess.Popen(command, cwd=Path(__file__).parents[3], stderr=subprocess.PIPE))
    for run in runs:
        _, said = run.communicate(timeout=120)
        assert run.returncode == 0, said.decode()
    live = document(here)
    reasons = [event["reason"] for event in live["history"]]
    assert (reasons.count("promoted"), reasons.count("rolled back")) == (7 + 6, 2)
    stack = []
    for event in live["history"]:  # what is live follows from the history, change by change
        if event["reason"] == "promoted":
            stack = [*(stack[:-1] if stack[-1:] == [event["live"]] else stack), event["live"]]
        else:
            stack = stack[:-1]
        assert stack[-1] == event["live"]
    assert stack == live["versions"]


def test_what_was_compared_with_something_else_changes_nothing(here, there):
    one, two, three = versions_of(here, 3)
    registry.make_live(here, one)
    judged = registry.read_live(there)
    registry.make_live(here, two)
    shared.publish_version(store(here), here, three)
    with pytest.raises(errors.ProjectError, match=f"was changed meanwhile, {two} is live"):
        registry.make_live(there, three, judged)
    assert document(here)["versions"] == [one, two]


def test_a_version_that_is_not_whole_is_not_there(here, there):
    (name,) = versions_of(here, 1)
    shared.publish_version(store(here), here, name)
    store(here).delete(f"versions/{name}/SHA256SUMS")
    with pytest.raises(errors.ProjectError, match="no such model version"):
        versions.load_version(there, name)
    assert not versions.version_folder(there, name).exists()
    shared.publish_version(store(here), here, name)
    assert versions.load_version(there, name).name == name


def test_a_version_that_was_changed_is_refused_and_not_kept(here, there):
    (name,) = versions_of(here, 1)
    shared.publish_version(store(here), here, name)
    store(here).write(f"versions/{name}/model.onnx", b"another model")
    with pytest.raises(errors.ProjectError) as refused:
        versions.load_version(there, name)
    assert str(refused.value) == (
        f"{store(here).url}/versions/{name}: the checksum of model.onnx is wrong; nothing of it is used"
    )
    assert not [*versions.model_folder(there).glob("*")]


def test_a_list_of_checksums_that_was_changed_with_the_files_is_refused(here, there):
    (name,) = versions_of(here, 1)
    registry.make_live(here, name)
    sums = store(here).read(f"versions/{name}/SHA256SUMS")[0]
    store(here).write(f"versions/{name}/SHA256SUMS", sums + b"0" * 64 + b"  more\n")
    store(here).write(f"versions/{name}/more", b"")
    with pytest.raises(errors.ProjectError, match=r"is wrong|is that of a version whose name ends in"):
        registry.load_live(there)


KILLED = """
import os, signal, sys
from pathlib import Path
from handrail.registry import live as registry, versions
from handrail.storage import s3
from tests.engine.support.machines import attached
from tests.engine.support.workspaces import in_workspace
settings = attached(in_workspace(Path(sys.argv[1])), sys.argv[2])
real, count = s3.S3Store.write, 0
def write(store, key, content, only_if=None):
    global count
    count += 1
    if count > int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(store, key, content, only_if)
s3.S3Store.write = write
registry.make_live(settings, versions.newest_version(settings))
"""


@pytest.mark.slow
def test_a_promotion_that_is_killed_anywhere_leaves_nothing_half(
    project, s3_variables, monkeypatch, tmp_path
):
    name = versions.newest_version(project)
    files = len([*versions.version_folder(project, name).iterdir()])
    for number in range(files + 1):
        address = place("s3", s3_variables, monkeypatch)
        command = [sys.executable, "-c", KILLED, str(project.workspace), address, str(number)]
        done = subprocess.run(command, cwd=Path(__file__).parents[3], check=False, capture_output=True)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        there = machine(project, tmp_path / f"there-{number}", address, data=False)
        assert registry.read_live(there) is None
        whole = number == files
        assert shared.fetch_version(there, name) is whole
        registry.make_live(attached(project, address), name)  # the next one goes on where it was
        assert registry.load_live(there)[0].name == name


@pytest.fixture
def cut_off(monkeypatch):
    """Return a function after which no storage can be reached."""

    def cut(*_, **__):
        raise StorageError("storage.registry: s3://gone: no answer after 3 attempts")

    def make():
        for kind in (folders.FolderStore, s3.S3Store):
            for name in ("read", "write", "entries"):
                monkeypatch.setattr(kind, name, cut)

    return make


@pytest.fixture
def away(project, tmp_path):
    """Return a machine that shares a folder."""
    return attached(project, str(tmp_path / "shared"))


def test_what_was_seen_last_stays_where_the_registry_can_not_be_reached(away, cut_off, caplog):
    one, two = versions_of(away, 2)
    registry.make_live(away, one)
    cut_off()
    for _ in range(3):
        time.sleep(0.002)
        assert registry.load_live(away)[0].name == one
    said = "storage.registry: s3://gone: no answer after 3 attempts; what was live when last seen stays"
    assert [record.getMessage() for record in caplog.records].count(said) == 1
    with pytest.raises(errors.ProjectError, match="no answer after 3 attempts"):
        registry.make_live(away, two)
    assert registry.read_live(away).versions == (one,)


def test_where_nothing_was_seen_yet_it_is_told(project, tmp_path, cut_off):
    there = machine(project, tmp_path / "there", str(tmp_path / "shared"), data=False)
    cut_off()
    with pytest.raises(errors.ProjectError, match="no answer after 3 attempts"):
        registry.load_live(there)


def test_a_shared_file_that_is_none_changes_nothing_here(away, caplog):
    (name,) = versions_of(away, 1)
    registry.make_live(away, name)
    store(away).write("live.json", b'{"versions": []')
    assert registry.load_live(away)[0].name == name
    assert "not readable" in caplog.text
    with pytest.raises(errors.ProjectError, match=r"live\.json: not readable .* promote a version again"):
        registry.use_fallback(away, "x")


def test_what_is_live_before_anything_is_shared_is_the_beginning(project, tmp_path):
    one, two = versions_of(project, 2)
    registry.make_live(project, one)
    here = attached(project, str(tmp_path / "shared"))
    there = machine(project, tmp_path / "there", str(tmp_path / "shared"), data=False)
    assert registry.read_live(there) is None
    assert registry.read_live(here).versions == (one,)
    registry.make_live(here, two)
    assert registry.read_live(there).versions == (one, two)
    assert registry.roll_back(there, inference.start_model) == one


def test_a_machine_whose_model_the_registry_never_knew_goes_on_with_it_and_says_so(project, tmp_path, caplog):
    one, two = versions_of(project, 2)
    registry.make_live(project, one)
    registry.launch(project)
    place, before = str(tmp_path / "shared"), registry.live_path(project).read_bytes()
    there = machine(project, tmp_path / "there", place, data=False)
    shutil.copytree(versions.version_folder(project, two), versions.version_folder(there, two))
    registry.make_live(there, two)
    here = attached(project, place)
    assert registry.load_live(here)[0].name == one
    said = f"{two} is live there, and {one}, which is live here, was never in it; to go by it, move "
    assert said in caplog.text
    for change in (
        lambda: registry.make_live(here, one),
        lambda: registry.roll_back(here, inference.start_model),
    ):
        with pytest.raises(
            errors.ProjectError, match=r"was never in it; to go by it, move .*live\.json away"
        ):
            change()
    assert registry.live_path(here).read_bytes() == before
    registry.live_path(here).unlink()
    assert registry.read_live(attached(project, place)).versions == (two,)


def test_that_nothing_is_live_at_an_address_is_said(project, tmp_path, caplog):
    (one,) = versions_of(project, 1)
    there = machine(project, tmp_path / "there", str(tmp_path / "mistyped"), data=False)
    with pytest.raises(
        errors.ProjectError, match=r"no model is live yet, nor in .*mistyped/models \(is the add"
    ):
        registry.load_live(there)
    registry.make_live(project, one)
    here = attached(project, str(tmp_path / "mistyped"))
    for _ in range(2):
        time.sleep(0.002)
        assert registry.load_live(here)[0].name == one
    said = (
        "mistyped/models: nothing is live in this registry; what is live here stays, and its next promotion"
    )
    assert caplog.text.count(said) == 1


def test_what_is_tried_elsewhere_changes_nothing_that_is_shared(away, tmp_path):
    one, two = versions_of(away, 2)
    registry.make_live(away, one)
    copy = away.model_copy(update={"workspace": tmp_path / "copy"})
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "models").symlink_to(away.workspace / "models")
    registry.make_live(copy, two)
    assert document(away)["versions"] == [one]


def test_many_changes_keep_the_last_of_their_history(away, monkeypatch):
    monkeypatch.setattr(shared, "MOST_EVENTS", 3)
    (name,) = versions_of(away, 1)
    for _ in range(5):
        registry.make_live(away, name)
    assert len(document(away)["history"]) == 3
    assert len(read_history(away)) == 5


def test_a_race_without_end_is_told(away, monkeypatch):
    (name,) = versions_of(away, 1)
    monkeypatch.setattr(registry, "replace_shared", lambda *_: False)
    monkeypatch.setattr(registry.time, "sleep", lambda seconds: None)
    with pytest.raises(
        errors.ProjectError, match=r"other machines have changed it 20 times meanwhile; nothing"
    ):
        registry.make_live(away, name)
    assert registry.read_live(away) is None


def test_a_write_whose_answer_was_lost_is_no_conflict(away, monkeypatch):
    (name,) = versions_of(away, 1)
    real = folders.FolderStore.write

    def write(kept, key, content, only_if=None):
        real(kept, key, content, only_if)
        return real(kept, key, content, only_if)  # tried again, as libraries do

    monkeypatch.setattr(folders.FolderStore, "write", write)
    registry.make_live(away, name)
    assert len(document(away)["history"]) == 1
    assert registry.read_live(away).versions == (name,)
