"""The first commit and the record of the bake, with git, without it, and with odd settings of it."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hooks.post_gen_project import public_address
from tests.conftest import TEMPLATE, isolated, own_environment
from tests.trees import tree

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


def test_a_users_signing_hooks_and_ignore_rules_do_not_touch_the_bake(cookiecutter, tmp_path):
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "commit-msg", "post-commit"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
        (hooks / name).chmod(0o755)
    (tmp_path / "ignored").write_text("*.md\n*.yaml\n")
    (tmp_path / ".gitconfig").write_text(
        f"[commit]\ngpgSign = true\n[gpg]\nprogram = {tmp_path}/absent\n[init]\ndefaultBranch = trunk\n"
        f"[core]\nhooksPath = {hooks}\nexcludesFile = {tmp_path}/ignored\n"
    )
    done = cookiecutter("--no-input")
    assert (done.returncode, done.stderr) == (0, "")
    project = tmp_path / "late-flights"
    assert git(project, "rev-list", "--count", "HEAD") == "1"
    assert "README.md" in git(project, "ls-files").splitlines()
    assert not (tmp_path / "ran").exists()


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
        "git is not installed: no repository was made. Later: git init, git add --all, git commit."
    ]
    assert not (tmp_path / "late-flights" / ".git").exists()
    listed = (TEMPLATE / "tests" / "trees" / "operation.txt").read_text(encoding="utf-8").splitlines()
    assert tree(tmp_path / "late-flights") == listed


def test_inside_a_work_tree_no_repository_is_nested(cookiecutter, tmp_path):
    git(tmp_path, "init", "--quiet")
    done = cookiecutter("--no-input")
    assert done.stderr.splitlines() == [
        "This folder is inside a git work tree already: no repository was made. Commit it there."
    ]
    assert not (tmp_path / "late-flights" / ".git").exists()
    assert git(tmp_path, "ls-files") == ""


def test_a_commit_that_fails_is_one_clear_line(cookiecutter, tmp_path):
    fake = tmp_path / "tools" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'fatal: disk quota exceeded' >&2\nexit 128\n")
    fake.chmod(0o755)
    done = cookiecutter("--no-input", PATH=f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "git could not make the first commit: fatal: disk quota exceeded. "
        "The files are complete; commit them yourself."
    ]


def test_a_full_disk_is_one_clear_line_and_leaves_nothing_behind(tmp_path):
    def small_files_only():
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))

    line = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input", "--default-config"]
    done = subprocess.run(
        line,
        cwd=tmp_path,
        env=isolated(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        preexec_fn=small_files_only,
    )
    project = tmp_path / "late-flights"
    assert done.returncode == 1
    assert done.stdout == f"{project}: File too large. No project was made: mend that, then bake again.\n"
    assert not project.exists()


def test_the_record_names_no_machine_path(bake):
    text = bake().text(".handrail.json")
    record = json.loads(text)
    assert sorted(record) == ["answers", "commit", "template"]
    assert not re.search(r'"(/|[A-Za-z]:\\|~|file:)', text)
    assert record["answers"]["stage"] == "operation"
    assert text == json.dumps(record, ensure_ascii=False, indent=2) + "\n"


def test_the_record_names_the_templates_commit_and_public_address(tmp_path):
    template = tmp_path / "template"
    skipped = shutil.ignore_patterns(".git", ".venv", "build", "*_cache", "__pycache__")
    shutil.copytree(TEMPLATE, template, ignore=skipped)
    git(template, "init", "--quiet")
    git(template, "add", "--all")
    git(template, *ME, "-c", "commit.gpgSign=false", "commit", "--quiet", "--message", "all")
    git(template, "remote", "add", "origin", "https://me:secret@example.com/team/handrail.git")
    line = [sys.executable, "-m", "cookiecutter", str(template), "--no-input", "--default-config"]
    subprocess.run(line, cwd=tmp_path, env=own_environment(HOME=str(tmp_path)), check=True)
    record = json.loads((tmp_path / "late-flights" / ".handrail.json").read_text(encoding="utf-8"))
    assert record["template"] == "https://example.com/team/handrail.git"
    assert record["commit"] == git(template, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("typed", "recorded"),
    [
        ("gh:team/handrail", "gh:team/handrail"),
        ("git@github.com:team/handrail.git", "git@github.com:team/handrail.git"),
        ("https://token@example.com/handrail.zip", "https://example.com/handrail.zip"),
        ("/srv/templates/handrail", None),
        ("../handrail", None),
        ("C:\\templates\\handrail", None),
        ("file:///srv/handrail", None),
    ],
)
def test_public_address(typed, recorded):
    assert public_address(typed) == recorded
