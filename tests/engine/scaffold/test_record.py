"""The record: enough to bake the same again, no secret in it, and it says where it is not enough."""

import json
import subprocess
from pathlib import Path

import pytest

from handrail.scaffold.record import (
    Template,
    as_text,
    examine,
    place_on_this_machine,
    public_address,
    record,
)

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("typed", "recorded"),
    [
        ("https://example.com/team/handrail.git", "https://example.com/team/handrail.git"),
        ("git+https://example.com/handrail", "git+https://example.com/handrail"),
        ("https://example.com:8443/handrail.git", "https://example.com:8443/handrail.git"),
        ("https://token@example.com/handrail.zip", "https://example.com/handrail.zip"),
        ("https://me:secret@example.com/handrail.git", "https://example.com/handrail.git"),
        ("https://me:se@cret@example.com/handrail.git", "https://example.com/handrail.git"),
        ("https://me:se/cret@example.com/handrail.git", None),
        ("https://example.com/a.zip?private_token=secret#x", "https://example.com/a.zip"),
        ("ssh://git@example.com/team/handrail.git", "ssh://git@example.com/team/handrail.git"),
        ("ssh://git:secret@example.com:22/x.git", "ssh://git@example.com:22/x.git"),
        ("git+ssh://git@example.com/x.git", "git+ssh://git@example.com/x.git"),
        ("git@example.com:team/handrail.git", "git@example.com:team/handrail.git"),
        ("gh:team/handrail", None),
        ("corp:handrail.zip", None),
        ("/srv/templates/handrail", None),
        ("../handrail", None),
        ("~/handrail", None),
        ("C:\\templates\\handrail", None),
        ("C:/templates/handrail.zip", None),
        ("\\\\server\\templates\\handrail", None),
        ("file:///srv/handrail", None),
        ("git+file:///srv/handrail", None),
        ("file://me:secret@host/srv/handrail", None),
        ("", None),
    ],
)
def test_public_address(typed, recorded):
    assert public_address(typed) == recorded


def test_a_whole_record_can_be_baked_again():
    kept = record(
        Template("0.2.0", "https://example.com/x.git", SHA, "ml"),
        "0.2.0+h1a2b3c4d",
        {"ci": "none"},
        standard={"README.md": "", ".gitignore": "0123456789abcdef"},
    )
    assert kept == {
        "template": "https://example.com/x.git",
        "version": "0.2.0",
        "commit": SHA,
        "dirty": False,
        "directory": "ml",
        "engine": "0.2.0+h1a2b3c4d",
        "answers": {"ci": "none"},
        "reproducible": True,
        "standard": {"README.md": "", ".gitignore": "0123456789abcdef"},
    }


def test_an_index_is_recorded_without_its_password():
    template = Template("0.2.0", "https://example.com/x.git", SHA)
    kept = record(template, "0.2.0+h1a2b3c4d", {}, "https://me:secret@pypi.example.com/simple")
    assert kept["engine_index"] == "https://pypi.example.com/simple"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (
            Template("0.2.0", None, SHA),
            "the template was a folder or file on one machine: say where it is now",
        ),
        (Template("0.2.0", "https://example.com/x.zip"), "the template's commit is not known"),
        (
            Template("0.2.0", "https://example.com/x", SHA, dirty=True),
            "the template had changes that were not committed",
        ),
        (
            Template("0.2.0", "https://example.com/x", SHA, pushed=False),
            "the template's commit was on no branch or tag of its remote repository",
        ),
        (
            Template("0.2.0", dirty=True),
            "the template was a folder or file on one machine: say where it is now; "
            "the template's commit is not known; the template had changes that were not committed",
        ),
    ],
)
def test_a_record_that_is_not_enough_says_why(template, reason):
    kept = record(template, "0.2.0+h1a2b3c4d", {})
    assert (kept["reproducible"], kept["reason"]) == (False, reason)


def test_it_is_written_sorted_and_in_plain_text():
    text = as_text({"b": "Zoë", "a": 1})
    assert text == '{\n  "a": 1,\n  "b": "Zoë"\n}\n'
    assert json.loads(text) == {"a": 1, "b": "Zoë"}


def git(folder: Path, *command: str) -> str:
    options = ("-c", "user.name=Me", "-c", "user.email=me@example.com", "-c", "commit.gpgSign=false")
    done = subprocess.run(["git", *options, *command], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def monorepo(tmp_path) -> Path:
    """A repository in which a template lies in `templates/ml`."""
    template = tmp_path / "all" / "templates" / "ml"
    template.mkdir(parents=True)
    (template / "cookiecutter.json").write_text("{}")
    git(tmp_path / "all", "init", "--quiet", "--initial-branch", "main")
    git(tmp_path / "all", "add", "--all")
    git(tmp_path / "all", "commit", "--quiet", "--message", "all")
    return template


def test_a_clone_is_known_by_its_origin(monorepo, tmp_path):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(tmp_path / "all"), str(clone))
    git(clone, "remote", "set-url", "origin", "https://me:secret@example.com/all.git")
    template = clone / "templates" / "ml"
    commit = git(clone, "rev-parse", "HEAD")
    expected = Template("0.2.0", "https://example.com/all.git", commit, "templates/ml")
    assert examine(template, "0.2.0", "gh:team/all") == expected
    assert examine(template, "0.2.0", str(template)) == expected
    (template / "new.txt").write_text("not committed")
    assert examine(template, "0.2.0", "gh:team/all").dirty
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "more")
    found = examine(template, "0.2.0", str(template))
    assert (found.dirty, found.pushed) == (False, False)


def test_what_python_leaves_behind_is_no_change(monorepo):
    (monorepo / "hooks" / "__pycache__").mkdir(parents=True)
    (monorepo / "hooks" / "__pycache__" / "x.pyc").write_text("x")
    found = examine(monorepo, "0.2.0", str(monorepo))
    assert (found.dirty, found.address, found.directory) == (False, None, "templates/ml")


def test_a_template_that_its_repository_does_not_hold_has_no_commit(monorepo):
    copy = monorepo.parent / "copy"
    copy.mkdir()
    (copy / "cookiecutter.json").write_text("{}")
    assert examine(copy, "0.2.0", str(copy)) == Template("0.2.0")


def test_nothing_is_written_into_the_template(monorepo):
    git(monorepo, "status")
    (monorepo / "cookiecutter.json").touch()  # git would refresh its index now
    index = (monorepo.parents[1] / ".git" / "index").read_bytes()
    examine(monorepo, "0.2.0", str(monorepo))
    assert (monorepo.parents[1] / ".git" / "index").read_bytes() == index


def test_without_git_the_address_is_still_known(monorepo, monkeypatch):
    monkeypatch.setenv("PATH", "")
    address = "https://example.com/all.git"
    assert examine(monorepo, "0.2.0", address) == Template("0.2.0", address)


def test_an_archive_says_where_in_it_the_template_lay(tmp_path):
    unpacked = tmp_path / "tmpx1y2z3_4" / "all-main" / "templates" / "ml"
    unpacked.mkdir(parents=True)
    found = examine(unpacked, "0.2.0", "https://example.com/all.zip")
    assert found == Template("0.2.0", "https://example.com/all.zip", directory="templates/ml")


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        (".", "/a/handrail"),
        ("../handrail", "/a/handrail"),
        ("file:///b/handrail.git", "file:///b/handrail.git"),
        ("git+file:///b/handrail", "git+file:///b/handrail"),
        ("handrail.zip", ""),
        ("https://me:se/cret@example.com/x.git", ""),
    ],
)
def test_a_template_without_a_public_address_is_found_again_on_this_machine(typed, place):
    assert place_on_this_machine(Path("/a/handrail"), typed) == place
