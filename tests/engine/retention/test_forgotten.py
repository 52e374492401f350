"""A key is forgotten by a keyed hash, leftovers of killed runs go, and no link is followed or left half."""

import hmac
import json
import os
import subprocess
import sys
from hashlib import sha256

import pytest

from handrail import cli
from handrail.console import quietly
from handrail.errors import ProjectError
from handrail.etl import forgotten
from handrail.etl.pipeline import run_etl
from handrail.leftovers import remove_leftovers
from handrail.retention import erasure
from handrail.retention.audit_log import audit_log_path
from handrail.retention.links import kept_files
from tests.engine.testing.made_up_projects import Shape, made_up_project

SECRET = "nobody can guess this one"
PREFIX = "MADE_UP_"


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """Return settings of a made-up project with a loaded table, whose keys are numbers, and with a secret."""
    monkeypatch.setenv(f"{PREFIX}FORGETTING_SECRET", SECRET)
    settings = made_up_project(tmp_path, Shape()).settings()
    run_etl(settings, quietly)
    return settings


@pytest.fixture
def gone_process():
    """Return the number of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def keys_of(settings):
    """Return every loaded key."""
    return set(settings.project.frame("SELECT visit_id FROM visits")["visit_id"])


def erase(settings, key):
    """Delete what is kept of a key."""
    list(erasure.erase(settings, key, erasure.find_traces(settings, key)))


def test_a_guessed_key_is_not_found_by_its_hash(loaded):
    erase(loaded, "17")
    (line,) = forgotten.forgotten_path(loaded).read_text(encoding="utf-8").split()
    method, _, digest = line.split(":")
    assert (method, digest) == ("hmac-sha256", hmac.new(SECRET.encode(), b"17", sha256).hexdigest())
    guessed = {sha256(str(number).encode()).hexdigest() for number in range(3001)}
    logged = [json.loads(entry) for entry in audit_log_path(loaded).read_text(encoding="utf-8").splitlines()]
    assert {entry["key_hash"] for entry in logged} == {line}
    assert not guessed & set(line.split(":"))
    run_etl(loaded, quietly)
    assert keys_of(loaded) == set(range(1, 3001)) - {17}


def test_keys_forgotten_by_an_earlier_version_stay_out(loaded):
    path = forgotten.forgotten_path(loaded)
    path.write_text(f"{sha256(b'18').hexdigest()}\n", encoding="utf-8")
    erase(loaded, "19")
    run_etl(loaded, quietly)
    assert keys_of(loaded) == set(range(1, 3001)) - {18, 19}


def test_nothing_is_deleted_without_a_secret(loaded):
    without = loaded.model_copy(update={"forgetting_secret": None})
    with pytest.raises(ProjectError, match=r"^--key: MADE_UP_FORGETTING_SECRET is not set; give it 16 ch"):
        erase(without, "17")
    assert 17 in keys_of(loaded)
    assert not forgotten.forgotten_path(loaded).exists()


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (None, "MADE_UP_FORGETTING_SECRET is not set"),
        ("another that nobody can guess", "MADE_UP_FORGETTING_SECRET is another one than the keys were"),
    ],
)
def test_rows_that_were_deleted_are_not_loaded_again_for_want_of_the_secret(loaded, secret, said):
    erase(loaded, "17")
    with pytest.raises(ProjectError, match=f"^data/forgotten.txt: {said}"):
        run_etl(loaded.model_copy(update={"forgetting_secret": secret}), quietly)
    assert 17 not in keys_of(loaded)


@pytest.mark.parametrize("verb", [["etl"], ["purge"], ["purge", "--key", "17"]], ids=" ".join)
def test_what_killed_runs_have_left_goes(loaded, gone_process, verb):
    data, models = loaded.workspace / "data", loaded.workspace / "models"
    left = [
        data / f".visits.parquet.{gone_process}",
        data / f".raw-{gone_process}-x7f2/visits.parquet",
        data / ".raw-x7f2_a1/visits.parquet",
        data / f".spill-{gone_process}/block",
        data / f"rejected/.scored-a.parquet.{gone_process}",
        data / f"archive/2024-01-01/predictions/.served-2024-01-01-7.jsonl.{gone_process}",
        models / f".2024-01-01-0123abcd.{gone_process}/model.onnx",
        models / f".2024-01-01-0123abcd.gone-{gone_process}/model.onnx",
    ]
    stays = [
        data / f".visits.parquet.{os.getppid()}",  # still written
        data / ".notes-of-2024",
        data / ".gitkeep",
    ]
    for path in (*left, *stays):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("17", encoding="utf-8")
        for aged in (path, path.parent):
            os.utime(aged, (0, 0))
    assert cli.run(loaded.project, verb, warned=True) == 0
    assert [path for path in left if path.exists()] == []
    assert [path for path in stays if not path.exists()] == []


def test_what_was_just_written_may_be_another_machine_s(loaded, gone_process):
    fresh = loaded.workspace / "data" / f".visits.parquet.{gone_process}"
    fresh.write_text("17", encoding="utf-8")
    assert remove_leftovers(loaded) == []
    assert remove_leftovers(loaded, fresh_seconds=0) == [fresh]


@pytest.mark.skipif(os.name == "nt", reason="a link there needs a right of its own")
@pytest.mark.parametrize("verb", [["archive", "--really"], ["purge", "--really"]], ids=" ".join)
def test_an_item_that_is_a_link_is_refused_before_anything_is_touched(
    loaded, verb, tmp_path, monkeypatch, capsys
):
    rejected, elsewhere = loaded.workspace / "data" / "rejected", tmp_path / "elsewhere.parquet"
    elsewhere.write_bytes((rejected / "visits.parquet").read_bytes())
    old, link = rejected / "old.parquet", rejected / "linked.parquet"
    old.write_bytes(elsewhere.read_bytes())
    for path in (old, elsewhere):
        os.utime(path, (0, 0))
    link.symlink_to(elsewhere)
    monkeypatch.setenv(f"{PREFIX}RETENTION__REJECTED", json.dumps({f"{verb[0]}_after_days": 2}))
    assert cli.run(loaded.project, verb, warned=True) == 1
    assert capsys.readouterr().err == (
        f"error: {link}: a symbolic link to {elsewhere}; nothing was touched: put what it points to in its "
        "place, or delete the link\n"
    )
    assert old.exists()
    assert link.is_symlink()


@pytest.mark.skipif(os.name == "nt", reason="a link there needs a right of its own")
def test_a_key_is_found_in_an_archive_on_another_disk(loaded, tmp_path):
    disk = tmp_path / "disk"
    (disk / "2024-01-01").mkdir(parents=True)
    table = loaded.workspace / "data" / "visits.parquet"
    (disk / "2024-01-01" / "old.parquet").write_bytes(table.read_bytes())
    archive = loaded.workspace / "data" / "archive"
    archive.symlink_to(disk)
    (disk / "round").symlink_to(archive)
    assert [path.name for path in kept_files(archive)] == ["old.parquet"]
    erase(loaded, "17")
    assert not [trace for trace in erasure.find_traces(loaded, "18") if trace.rows > 1]
    with pytest.raises(ProjectError, match="nothing of it is kept"):
        erasure.find_traces(loaded, "17")


@pytest.mark.skipif(os.name == "nt", reason="a link there needs a right of its own")
def test_a_table_that_is_a_link_is_refused_for_a_key(loaded, tmp_path):
    table, elsewhere = loaded.workspace / "data" / "visits.parquet", tmp_path / "visits.parquet"
    table.rename(elsewhere)
    table.symlink_to(elsewhere)
    with pytest.raises(ProjectError, match=r"visits\.parquet: a symbolic link to .*; nothing was touched"):
        erasure.find_traces(loaded, "17")
