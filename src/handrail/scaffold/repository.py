"""A project's own git repository, and its first commit: by plain git, as the user has set it up."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

# What git sets while it runs a hook or an alias: it would lead our own calls to another repository.
LOCAL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")
LATER = "git init, git add --all, git commit"


class GitError(Exception):
    """A git command that failed; its text is git's own reason, in one line."""


def run_git(folder: Path, *command: str, options: Sequence[str] = ()) -> str:
    """Run git in a folder; return what it printed, without the line's end.

    `options` come before the command, as `-c name=value`. Raises GitError if it fails or there is no git.
    """
    line = ["git", "-C", str(folder), *options, *command]
    if os.name != "nt":  # UTF-8, whatever the locale
        line = [part.encode(errors="surrogateescape") for part in line]
    own = {key: value for key, value in os.environ.items() if key not in LOCAL}
    try:
        done = subprocess.run(line, env=own, capture_output=True, check=False)
    except OSError as error:
        raise GitError("git is not installed") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace") or done.stdout.decode(errors="replace")
        raise GitError(reason(said) or f"git {command[0]} ended with status {done.returncode}")
    return done.stdout.decode(errors="replace").rstrip("\n")


def reason(said: str) -> str:
    """Return the line of git's output that says why: the first that begins as an error, else the last."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("error: ", "fatal: "))]
    return (errors or lines[-1:] or [""])[0]


def first_commit(project: Path, message: str, name: str, mail: str) -> str:
    """Make a repository of a project and commit every file; return what has to be said about it, or nothing.

    A `.git` that is there already, without a commit, is used. Where git does not know who commits, it is
    `name` with `mail`. Whatever fails, the files stay as they are.
    """
    own = (project / ".git").exists()
    if not own and is_inside_work_tree(project):
        return inside_work_tree(project)
    try:
        if not own:
            run_git(project, "init", "--quiet", options=branch(project))
        elif has_commits(project):
            return "This repository has commits already: nothing was committed. See git status."
        run_git(project, "add", "--force", "--all")  # a user's own ignore rules are not about this project
    except GitError as error:
        return f"{error}: no repository was made. The files are complete. Later: {LATER}."
    try:
        run_git(project, "commit", "--quiet", "--message", message, options=identity(project, name, mail))
    except GitError as error:
        return f"git could not make the first commit: {error}. The files are complete and staged: git commit."
    return ""


def why_not_here(folder: Path) -> str:
    """Return why a project cannot be made as this folder, or nothing; a lone `.git` in it is no obstacle."""
    if not folder.is_dir():
        return ""
    if {path.name for path in folder.iterdir()} - {".git"}:
        return f"{folder}: holds files already. Move it away, or bake into another folder with --output-dir."
    if folder.samefile(Path.cwd()):
        return f"{folder}: is your working folder. Bake from the one above: cd .."
    if aside(folder).exists():
        return f"{aside(folder)}: is in the way of {folder.name}/.git, left by a bake. Move it back or away."
    return ""


def aside(folder: Path) -> Path:
    """Return where a lone `.git` of a folder is kept while the project is made."""
    return folder.with_name(f".{folder.name}.git")


def set_aside(folder: Path) -> None:
    """Remove an empty folder, or one with a lone `.git`, which is kept: cookiecutter insists on making it."""
    if folder.is_dir() and not folder.is_symlink():
        if (folder / ".git").exists():
            (folder / ".git").rename(aside(folder))
        folder.rmdir()


def put_back(folder: Path) -> None:
    """Move the lone `.git` back into its folder, if there was one."""
    if aside(folder).exists():
        folder.mkdir(exist_ok=True)
        aside(folder).rename(folder / ".git")


def is_inside_work_tree(project: Path) -> bool:
    """Return whether a folder above the project is a repository, whoever owns it."""
    return any((folder / ".git").exists() for folder in project.parents)


def inside_work_tree(project: Path) -> str:
    """Return what to say of a project inside another repository."""
    said = "This folder is inside a git work tree already: no repository was made. Commit it there."
    checks = [name for name in (".github", ".gitlab-ci.yml") if (project / name).exists()]
    return said + "".join(f" {name} will not run from here: only the top folder's does." for name in checks)


def has_commits(project: Path) -> bool:
    """Return whether there is a commit on the current branch."""
    try:
        run_git(project, "rev-parse", "--verify", "--quiet", "HEAD")
    except GitError:
        return False
    return True


def branch(project: Path) -> list[str]:
    """Return the options that name the first branch `main`: none where the user has chosen a name."""
    try:
        run_git(project, "config", "init.defaultBranch")
    except GitError:
        return ["-c", "init.defaultBranch=main"]
    return []


def identity(project: Path, name: str, mail: str) -> list[str]:
    """Return the options that say who commits: none where git knows it, from settings or environment."""
    try:
        run_git(project, "var", "GIT_COMMITTER_IDENT", options=("-c", "user.useConfigOnly=true"))
        run_git(project, "var", "GIT_AUTHOR_IDENT", options=("-c", "user.useConfigOnly=true"))
    except GitError:
        return ["-c", f"user.name={name}", "-c", f"user.email={mail}"]
    return []
