"""The versions of a template, from clones of small repositories."""

import subprocess
from pathlib import Path

import pytest

from handrail.scaffold.errors import UpdateError
from handrail.scaffold.history import cloned, git_address, uncommitted

OWN = ("-c", "user.name=Me", "-c", "user.email=me@example.com", "-c", "commit.gpgSign=false")


def git(folder: Path, *command: str) -> str:
    done = subprocess.run(["git", *OWN, *command], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def committed(folder: Path, *tags: str) -> str:
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "next")
    for tag in tags:
        git(folder, "tag", tag)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def template(tmp_path) -> Path:
    folder = tmp_path / "template"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    return folder


@pytest.mark.parametrize("prefix", ["", "file://", "git+file://"])
def test_a_version_is_a_tag_a_number_a_branch_or_a_commit(template, tmp_path, prefix):
    first = committed(template, "v0.2.0")
    git(template, "branch", "side")
    second = committed(template, "v0.10.0", "v0.9.0", "v1.0.0-rc1", "vain")
    history = cloned(f"{prefix}{template}", tmp_path / "clone")
    names = ("v0.2.0", "0.2.0", "side", first, first[:9])
    assert [history.commit(name) for name in names] == [first] * len(names)
    assert history.commit("main") == second
    assert history.releases == ["v0.2.0", "v0.9.0", "v0.10.0"]
    with pytest.raises(UpdateError) as refusal:
        history.commit("--upload-pack=x")
    assert str(refusal.value).endswith(
        "has no tag, branch or commit '--upload-pack=x'. Its newest versions: v0.2.0, v0.9.0, v0.10.0"
    )


def test_the_newest_is_the_last_release_unless_that_would_lead_back(template, tmp_path):
    first = committed(template)
    release = committed(template, "v0.2.0")
    after = committed(template)
    head = committed(template)
    history = cloned(str(template), tmp_path / "clone")
    assert history.newest(first) == history.newest(release) == release
    assert history.newest(after) == history.newest(head) == head
    git(template, "checkout", "--quiet", "-b", "side", first)
    side = committed(template)
    git(template, "checkout", "--quiet", "main")
    assert cloned(str(template), tmp_path / "again").newest(side) == release


def test_without_a_release_the_newest_is_the_branch(template, tmp_path):
    first, head = committed(template), committed(template)
    assert cloned(str(template), tmp_path / "clone").newest(first) == head


def test_a_template_that_was_never_pushed_is_known_as_such(template, tmp_path):
    """A folder's clone has the remote branches of that folder, and its origin: so a record can say it."""
    pushed = committed(template)
    git(tmp_path, "clone", "--quiet", str(template), "mine")
    git(tmp_path / "mine", "config", "remote.origin.url", "https://example.com/template.git")
    head = committed(tmp_path / "mine")
    history = cloned(str(tmp_path / "mine"), tmp_path / "clone")
    containing = [git(history.clone, "branch", "--remotes", "--contains", each) for each in (pushed, head)]
    assert [bool(each) for each in containing] == [True, False]
    assert git(history.clone, "config", "remote.origin.url") == "https://example.com/template.git"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("gh:someone/handrail", "https://github.com/someone/handrail.git"),
        ("git+https://example.com/x.git", "https://example.com/x.git"),
        ("git@example.com:x/y.git", "git@example.com:x/y.git"),
        ("ssh://git@example.com/x.git", "ssh://git@example.com/x.git"),
        ("git+file:///a/b", "file:///a/b"),
    ],
)
def test_addresses_of_cookiecutter_as_git_takes_them(address, expected):
    assert git_address(address) == expected


@pytest.mark.parametrize(
    "address", ["/not/there", "--upload-pack=touch /tmp/x", "ext::sh -c true", "file:///not/there"]
)
def test_what_cannot_be_cloned_is_refused_in_a_line(tmp_path, address):
    with pytest.raises(UpdateError) as refusal:
        cloned(address, tmp_path / "clone")
    assert str(refusal.value).startswith(f"{address}: the template cannot be read: ")
    assert str(refusal.value).endswith(". Name another: --template")
    assert "\n" not in str(refusal.value)


def test_changes_that_are_not_committed_are_seen(template):
    committed(template)
    assert not uncommitted(str(template))
    (template / "__pycache__").mkdir()
    (template / "__pycache__" / "x.pyc").write_text("")
    assert not uncommitted(str(template))
    (template / "new.txt").write_text("")
    assert uncommitted(str(template))
    assert not uncommitted(f"file://{template}")
