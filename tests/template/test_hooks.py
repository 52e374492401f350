"""The first commit and the record of the bake, with git, without it, and with odd settings of it."""

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.template.baking import TEMPLATE, isolated
from tests.template.trees import TREES, listed, tree

ME = ("-c", "user.name=Me", "-c", "user.email=me@example.com")


def git(folder: Path, *command: str) -> str:
    done = subprocess.run(["git", *command], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_first_commit_holds_everything(cookiecutter, tmp_path):
    done = cookiecutter("--no-input")
    project = tmp_path / "late-flights"
    assert git(project, "log", "--format=%an <%ae> %s") == (
        "Your Name <you@example.com> Bake late-flights with Handrail"
    )
    assert git(project, "branch", "--show-current") == "main"
    assert git(project, "-c", "core.quotePath=false", "ls-files").splitlines() == tree(project)
    assert git(project, "status", "--porcelain") == ""
    assert done.stdout.splitlines() == [
        "late-flights is ready. Next:",
        "  cd late-flights",
        "  uv run late-flights demo",
        "  uv run pytest",
    ]


def test_the_next_commands_fit_stage_and_folder(cookiecutter, tmp_path):
    done = cookiecutter("--no-input", "stage=discovery", "--output-dir", "elsewhere")
    assert done.stdout.splitlines()[1:3] == [
        f"  cd {tmp_path / 'elsewhere' / 'late-flights'}",
        "  uv run late-flights status",
    ]


def test_a_known_user_is_the_author(cookiecutter, tmp_path):
    (tmp_path / ".gitconfig").write_text("[user]\nname = Known\nemail = known@example.com\n")
    cookiecutter("--no-input")
    assert git(tmp_path / "late-flights", "log", "--format=%an <%ae>") == "Known <known@example.com>"


@pytest.mark.slow
def test_a_users_ignore_rules_branch_and_template_of_git_are_followed(cookiecutter, tmp_path):
    """What a user ignores everywhere is not what this project holds; all else is as she has set it up."""
    template = tmp_path / "git-template"
    template.mkdir()
    (template / "description").write_text("mine")
    (tmp_path / "ignored").write_text("*.md\n*.yaml\n*.whl\nvendor/\n")
    (tmp_path / ".gitconfig").write_text(
        f"[init]\ndefaultBranch = trunk\ntemplateDir = {template}\n"
        f"[core]\nexcludesFile = {tmp_path}/ignored\n"
    )
    done = cookiecutter("--no-input")
    assert (done.returncode, done.stderr) == (0, "")
    project = tmp_path / "late-flights"
    assert git(project, "branch", "--show-current") == "trunk"
    assert (project / ".git" / "description").read_text() == "mine"
    assert git(project, "ls-files").splitlines() == tree(project)


def test_a_failing_hook_of_the_user_is_one_line_and_the_files_are_complete(cookiecutter, tmp_path):
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\necho 'error: no ticket is named' >&2\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    (tmp_path / ".gitconfig").write_text(f"[core]\nhooksPath = {hooks}\n")
    done = cookiecutter("--no-input")
    assert done.returncode == 0
    assert done.stderr == (
        "git could not make the first commit: error: no ticket is named. "
        "The files are complete and staged: git commit.\n"
    )
    project = tmp_path / "late-flights"
    assert git(project, "diff", "--cached", "--name-only").splitlines() == tree(project)


@pytest.mark.slow
def test_a_user_who_signs_gets_a_signed_commit(cookiecutter, tmp_path):
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (tmp_path / ".gitconfig").write_text(
        f"[commit]\ngpgSign = true\n[gpg]\nformat = ssh\n[user]\nsigningKey = {key}.pub\n"
    )
    done = cookiecutter("--no-input")
    assert (done.returncode, done.stderr) == (0, "")
    assert "BEGIN SSH SIGNATURE" in git(tmp_path / "late-flights", "cat-file", "commit", "HEAD")


@pytest.mark.slow
def test_signing_that_fails_is_one_line(cookiecutter, tmp_path):
    (tmp_path / ".gitconfig").write_text(f"[commit]\ngpgSign = true\n[gpg]\nprogram = {tmp_path}/absent\n")
    done = cookiecutter("--no-input")
    assert done.returncode == 0
    (said,) = done.stderr.splitlines()
    assert said.startswith(f"git could not make the first commit: fatal: cannot run {tmp_path}/absent: ")


@pytest.mark.slow
def test_gits_variables_of_another_repository_are_not_followed(cookiecutter, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    done = cookiecutter("--no-input", GIT_DIR=str(other / ".git"), GIT_INDEX_FILE=str(other / "index"))
    assert done.returncode == 0
    assert git(tmp_path / "late-flights", "rev-list", "--count", "HEAD") == "1"
    assert git(other, "rev-list", "--all", "--count") == "0"


def test_without_git_the_project_is_complete_and_says_so(cookiecutter, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    done = cookiecutter("--no-input", PATH=str(tools))
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "git is not installed: no repository was made. The files are complete. "
        "Later: git init, git add --all, git commit."
    ]
    assert not (tmp_path / "late-flights" / ".git").exists()
    expected = (TREES / "operation.txt").read_text(encoding="utf-8").splitlines()
    assert listed(tree(tmp_path / "late-flights")) == expected


def test_inside_a_work_tree_no_repository_is_nested(cookiecutter, tmp_path):
    git(tmp_path, "init", "--quiet")
    done = cookiecutter("--no-input")
    assert done.stderr.splitlines() == [
        "This folder is inside a git work tree already: no repository was made. Commit it there. "
        ".github will not run from here: only the top folder's does."
    ]
    assert not (tmp_path / "late-flights" / ".git").exists()
    assert git(tmp_path, "ls-files") == ""


@pytest.mark.slow
def test_a_commit_that_fails_is_one_clear_line(cookiecutter, tmp_path):
    fake = tmp_path / "tools" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'fatal: disk quota exceeded' >&2\nexit 128\n")
    fake.chmod(0o755)
    done = cookiecutter("--no-input", PATH=f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "fatal: disk quota exceeded: no repository was made. The files are complete. "
        "Later: git init, git add --all, git commit."
    ]


def test_a_full_disk_is_one_clear_line_and_leaves_nothing_behind(tmp_path):
    def small_files_only():
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))

    line = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input", "--default-config"]
    done = subprocess.run(
        line,
        cwd=tmp_path,
        env=isolated(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_files_only,
    )
    project = tmp_path / "late-flights"
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert re.fullmatch(
        r"Error: .*: File too large\. No project was made: mend that, then bake again\.", said
    )
    assert not project.exists()
