"""The first commit, and a lone `.git` in the way of cookiecutter."""

import re

import pytest

from handrail.scaffold import repository
from handrail.scaffold.repository import GitError, first_commit, reason, run_git


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder without a user's settings of git, and outside of any repository."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def project(home):
    """A project of two files."""
    folder = home / "late-flights"
    folder.mkdir()
    (folder / "README.md").write_text("hello")
    (folder / ".gitignore").write_text("*.md\n")
    return folder


def commit(project) -> str:
    return first_commit(project, "Bake it", "Zoë", "zoe@example.com")


def test_everything_is_committed_in_the_given_name(project):
    assert commit(project) == ""
    assert run_git(project, "log", "--format=%an <%ae> %s") == "Zoë <zoe@example.com> Bake it"
    assert run_git(project, "ls-files").split() == [".gitignore", "README.md"]
    assert run_git(project, "branch", "--show-current") == "main"


def test_a_lone_git_folder_is_used(project):
    run_git(project, "init", "--quiet", "--initial-branch", "trunk")
    run_git(project, "remote", "add", "origin", "https://example.com/x.git")
    assert commit(project) == ""
    assert run_git(project, "branch", "--show-current") == "trunk"
    assert run_git(project, "config", "remote.origin.url") == "https://example.com/x.git"


def test_a_repository_with_commits_is_left_alone(project):
    commit(project)
    (project / "new.txt").write_text("new")
    assert commit(project) == "This repository has commits already: nothing was committed. See git status."
    assert run_git(project, "rev-list", "--count", "HEAD") == "1"


def test_inside_another_repository_none_is_made_and_what_will_not_run_is_named(home, project):
    (project / ".github").mkdir()
    (project / ".gitlab-ci.yml").touch()
    run_git(home, "init", "--quiet")
    assert commit(project) == (
        "This folder is inside a git work tree already: no repository was made. Commit it there. "
        ".github will not run from here: only the top folder's does. "
        ".gitlab-ci.yml will not run from here: only the top folder's does."
    )
    assert not (project / ".git").exists()


def test_without_git_it_is_said(project, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert commit(project) == (
        "git is not installed: no repository was made. The files are complete. "
        "Later: git init, git add --all, git commit."
    )


def test_gits_own_variables_do_not_lead_elsewhere(home, project, monkeypatch):
    other = home / "other"
    run_git(home, "init", "--quiet", str(other))
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert commit(project) == ""
    assert run_git(other, "rev-list", "--all", "--count") == "0"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            "hint: x\nerror: gpg failed to sign the data\nfatal: failed to write",
            "error: gpg failed to sign the data",
        ),
        ("ruff....Failed\n\n- exit code: 1\n", "- exit code: 1"),
        ("", ""),
    ],
)
def test_the_reason_is_one_line_of_what_git_said(said, why):
    assert reason(said) == why


def test_a_failure_without_a_word_has_its_status(project):
    with pytest.raises(GitError, match=re.escape("git config ended with status 1")):
        run_git(project, "config", "absent.key")


def test_a_lone_git_folder_is_set_aside_and_put_back(home):
    folder = home / "x"
    run_git(home, "init", "--quiet", str(folder))
    assert repository.why_not_here(folder) == ""
    repository.set_aside(folder)
    assert not folder.exists()
    repository.put_back(folder)
    assert run_git(folder, "rev-parse", "--git-dir") == ".git"
    assert [path.name for path in home.iterdir()] == ["x"]


def test_an_empty_folder_is_no_obstacle(home):
    (home / "x").mkdir()
    assert repository.why_not_here(home / "x") == ""
    repository.set_aside(home / "x")
    repository.put_back(home / "x")
    assert not (home / "x").exists()


def test_what_is_an_obstacle_is_said(home, project, monkeypatch):
    assert repository.why_not_here(project) == (
        f"{project}: holds files already. Move it away, or bake into another folder with --output-dir."
    )
    (home / "x").mkdir()
    (home / ".x.git").mkdir()
    assert repository.why_not_here(home / "x") == (
        f"{home / '.x.git'}: is in the way of x/.git, left by a bake. Move it back or away."
    )
    (home / "y").mkdir()
    monkeypatch.chdir(home / "y")
    assert (
        repository.why_not_here(home / "y")
        == f"{home / 'y'}: is your working folder. Bake from the one above: cd .."
    )
