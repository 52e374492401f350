"""What git knows of a project's files: who wrote one last, what is not committed, where the web has them."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

REMOTE = re.compile(  # https://user:token@host/path, ssh://git@host:22/path, git@host:path
    r"(?:(?P<scheme>https?|ssh|git)://)?(?:[^@/]*@)?(?P<host>[\w.-]+)(?P<port>:\d+(?=/))?[:/]/?(?P<path>[^?#]+?)"
    r"(?:\.git)?/?"
)
FILE_AT_HEAD = {"github": "blob/HEAD", "gitlab": "-/blob/HEAD"}  # HEAD is the default branch there


class NoGitError(Exception):
    """There is no git, or the folder is in no repository."""


def last_author(root: Path, name: str) -> str:
    """Return who committed file `name` last, and when; empty where git knows nothing of it."""
    try:
        return _git(root, "log", "-1", "--format=%an, %as", "--", name).strip()
    except NoGitError:
        return ""


def uncommitted(root: Path) -> list[str]:
    """Return the files of the project at `root` that are new or changed since the last commit.

    The lock that `uv run` itself writes may be new. Raises NoGitError where git keeps nothing.
    """
    prefix = _git(root, "rev-parse", "--show-prefix").strip()  # the project may be one folder of a repository
    status = _git(root, "status", "--porcelain", "-z", "--no-renames", "--", ".")
    changed = [(line[:2], line[3:].removeprefix(prefix) or ".") for line in status.split("\0") if line]
    return [name for state, name in changed if (state, name) != ("??", "uv.lock")]


def web_address(root: Path) -> str:
    """Return where the project at `root` is read on GitHub or GitLab, at the default branch; else "".

    It follows from the remote `origin`, without any user, password or token of it.
    """
    try:
        remote = _git(root, "remote", "get-url", "origin").strip()
        inside = _git(root, "rev-parse", "--show-prefix").strip().strip("/")
    except NoGitError:
        return ""
    found = REMOTE.fullmatch(remote)
    if not found or "." not in found["host"]:
        return ""
    files = next((FILE_AT_HEAD[part] for part in found["host"].split(".") if part in FILE_AT_HEAD), None)
    if files is None:
        return ""
    port = found["port"] or "" if found["scheme"] in ("http", "https") else ""
    return "/".join(filter(None, (f"https://{found['host']}{port}", found["path"], files, inside)))


def _git(root: Path, *arguments: str) -> str:
    command: Sequence[str] = ("git", "--no-optional-locks", *arguments)
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=root, capture_output=True, text=True, encoding="utf-8", check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoGitError(str(error)) from None
    return done.stdout
