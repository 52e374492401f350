"""What changed between two renderings, merged into a team's work by git.

The merge is tried in a repository of its own, in a temporary folder, which borrows the project's objects; so
until it is put in place nothing of the project is touched, git's own folder included. To put it in place, the
index is written first, at once, then the files: whatever stops that, `git reset --hard` takes it back.
"""

import os
import posixpath
import shlex
import shutil
import signal
import subprocess
import threading
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from .errors import UpdateError
from .record import NAME
from .repository import LOCAL, GitError, reason

UNDO = "git reset --hard"
NOBODY = ("-c", "user.name=Handrail", "-c", "user.email=handrail@localhost")
# A file that a team adds to a folder goes along where the template renames that folder.
MERGING = (
    *("-c", "core.hooksPath=.no-hooks", "-c", "core.fsmonitor=false", "-c", "core.sparseCheckout=false"),
    *("-c", "core.safecrlf=false", "-c", "rerere.enabled=false", "-c", "merge.directoryRenames=true"),
)
MARKER = b"<<<<<<< "
STATUS = {"A": "added", "M": "changed", "T": "changed", "D": "removed", "R": "renamed"}
STAGES = {
    "123": "you and the template changed it",
    "12": "you changed it, the template removed it",
    "13": "you removed it, the template changed it",
    "23": "you and the template added it",
    "1": "you and the template moved it",
    "2": "you moved it, the template changed or moved it",
    "3": "the template moved it, you changed or moved it",
}


class Entry(NamedTuple):
    """What the index holds for a file: mode, object, and stage, which is 0 where there is no conflict."""

    mode: str
    content: str
    stage: str


class Change(NamedTuple):
    """A file that the merge changes: `what` is a word of STATUS; `before` is the name it was renamed from."""

    what: str
    name: str
    before: str = ""


class Conflict(NamedTuple):
    """A file that people have to settle: why, and whether the two sides are marked in it."""

    name: str
    why: str
    marked: bool


class Pins(NamedTuple):
    """The files that pin the engine, by name in the project, and its version before and after."""

    files: list[str]
    old: str
    new: str


@dataclass(frozen=True)
class Work:
    """A team's project in its repository: `top` is the work tree, `prefix` the way from there, as `a/b/`.

    `beside`: the files outside of the project's folder that are its own, from the top.
    """

    top: Path
    prefix: str
    beside: frozenset[str] = frozenset()

    @property
    def project(self) -> Path:
        """The folder of the project."""
        return self.top / self.prefix

    @property
    def objects(self) -> Path:
        """Where the repository keeps its objects."""
        return self.place("objects")

    def place(self, name: str) -> Path:
        """Return where a file of git's own folder is."""
        return self.top / text(git(self.top, "rev-parse", "--git-path", name))

    @property
    def own(self) -> list[str]:
        """What is the project's in its repository, as git takes names of files; empty where that is all."""
        return ["--", self.prefix, *sorted(self.beside)] if self.prefix else []

    def holds(self, name: str) -> bool:
        """Return whether a file, by its name from the top, is the project's."""
        return name.startswith(self.prefix) or name in self.beside

    def shown(self, name: str) -> str:
        """Return the name of a file as seen from the project's folder."""
        return name.removeprefix(self.prefix) if name.startswith(self.prefix) else self._outside(name)

    def _outside(self, name: str) -> str:
        return posixpath.relpath(name, self.prefix)

    def undo(self, there: Iterable[str] = ()) -> str:
        """Return the command that takes an update back; `there` are files that are, or were, in the index."""
        if not self.prefix:
            return UNDO
        names = [self.prefix.rstrip("/"), *sorted(self.beside.intersection(there))]
        return shlex.join(["git", "restore", "-SW", *(f":/{name}" for name in names)])

    def state(self) -> tuple[str, bytes]:
        """Return the commit, and what is not committed; untracked files do not count. Raises GitError."""
        status = ("status", "--porcelain", "-z", "--untracked-files=no", *self.own)
        head = text(git(self.top, "rev-parse", "HEAD"))
        return head, git(self.top, *status, options=("--no-optional-locks", "--literal-pathspecs"))


def git(
    folder: Path, *command: str, given: bytes = b"", options: Iterable[str] = (), apart: bool = False
) -> bytes:
    """Run git in a folder with `given` as its input; return what it printed, as it is.

    `apart`: it writes into the project, and a Ctrl-C on the terminal does not reach it. Raises GitError.
    """
    own = {key: value for key, value in os.environ.items() if key not in LOCAL}
    own["LC_ALL"] = "C"
    if not apart:  # a merge is tried with what git itself holds
        own["GIT_LFS_SKIP_SMUDGE"] = "1"
    line = ["git", "-C", str(folder), *options, *command]
    try:
        done = subprocess.run(
            line if os.name == "nt" else [os.fsencode(part) for part in line],
            env=own,
            input=given,
            capture_output=True,
            check=False,
            start_new_session=apart,
        )
    except OSError as error:
        raise GitError("git is not installed") from error
    if done.returncode:
        said = reason(done.stderr.decode(errors="replace")) or f"status {done.returncode}"
        raise GitError(f"git {command[0]}: {said}")
    return done.stdout


def text(printed: bytes) -> str:
    """Return what git printed, without the line's end, as a text that can be a file's name."""
    return os.fsdecode(printed.removesuffix(b"\n").removesuffix(b"\r"))


def work_in(folder: Path) -> Work:
    """Return the repository that a folder lies in, with the way to it. Raises UpdateError."""
    try:
        top = Path(text(git(folder, "rev-parse", "--show-toplevel")))
        return Work(top, text(git(folder, "rev-parse", "--show-prefix")))
    except GitError as error:
        first = ". First: git init, git add --all, git commit" if "not a git repository" in str(error) else ""
        raise UpdateError(f"{folder}: {error}{first}") from error


def opened(project: Path) -> Work:
    """Return a project whose work is committed. Raises UpdateError."""
    work = work_in(project)
    try:
        git(project, "cat-file", "-e", f"HEAD:./{NAME}")
    except GitError as error:
        raise UpdateError(f"{project / NAME}: is not committed. First: git add --all, git commit") from error
    refuse_uncommitted(work)
    return work


def refuse_uncommitted(work: Work) -> None:
    """Raise UpdateError where something of the project is changed and not committed."""
    changed = names_of(work.state()[1])
    if work.prefix + NAME in changed:
        raise UpdateError(
            f"an update is not committed yet. Commit it: git commit; or take it back: {work.undo(changed)}"
        )
    refuse_changed(changed)


def refuse_changed(changed: Sequence[str]) -> None:
    """Raise UpdateError where there are files that are changed and not committed."""
    if changed:
        some = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
        raise UpdateError(f"{some}: changed and not committed. First: git commit, or git stash")


def names_of(status: bytes) -> list[str]:
    """Return the names in the output of `git status --porcelain -z`."""
    fields = iter(os.fsdecode(status).split("\0"))
    found = []
    for field in fields:
        if field:
            found.append(field[3:])
            if "R" in field[:2] or "C" in field[:2]:
                next(fields, "")
    return found


def entries(listed: bytes) -> dict[str, list[Entry]]:
    """Return the index by file, from the output of `git ls-files --stage -z`."""
    found = defaultdict(list)
    for line in filter(None, os.fsdecode(listed).split("\0")):
        described, _, name = line.partition("\t")
        found[name].append(Entry(*described.split(" ")))
    return dict(found)


@dataclass(frozen=True)
class Trial:
    """A merge in a repository of its own, in `folder`: what it would make of a team's work."""

    work: Work
    folder: Path
    state: tuple[str, bytes]

    @property
    def project(self) -> Path:
        """The folder of the project, as it would be."""
        return self.folder / self.work.prefix

    @cached_property
    def before(self) -> dict[str, list[Entry]]:
        """The index of the project now."""
        return entries(git(self.work.top, "ls-files", "--stage", "-z"))

    @cached_property
    def after(self) -> dict[str, list[Entry]]:
        """The index as it would be."""
        return entries(git(self.folder, "ls-files", "--stage", "-z"))

    @cached_property
    def differing(self) -> list[str]:
        """The files whose entry differs, from the top of the repository, sorted."""
        names = self.before.keys() | self.after.keys()
        return sorted(
            name for name in names if self.work.holds(name) and self.before.get(name) != self.after.get(name)
        )

    @property
    def undo(self) -> str:
        """The command that takes the merge back, once it is in place."""
        return self.work.undo(self.differing)

    @property
    def changes(self) -> list[Change]:
        """What the merge changes without a conflict, by name, from the project's folder."""
        fields = os.fsdecode(
            git(self.folder, "diff-index", "--cached", "-M", "-z", "--name-status", self.state[0])
        )
        found, words = [], iter(fields.split("\0"))
        for status in words:
            if status[:1] == "R":
                before, name = next(words), next(words)
                found.append(Change("renamed", self.work.shown(name), self.work.shown(before)))
            elif status[:1] in STATUS:
                found.append(Change(STATUS[status[0]], self.work.shown(next(words))))
            elif status:
                next(words)
        conflicts = {conflict.name for conflict in self.conflicts}
        return sorted(
            (change for change in found if change.name not in conflicts), key=lambda each: each.name
        )

    @cached_property
    def conflicts(self) -> list[Conflict]:
        """The files that people have to settle, by name, from the project's folder."""
        found = []
        for name, held in self.after.items():
            if any(entry.stage != "0" for entry in held):
                path = self.folder / name
                marked = path.is_file() and MARKER in path.read_bytes()
                found.append(
                    Conflict(self.work.shown(name), STAGES["".join(entry.stage for entry in held)], marked)
                )
        return sorted(found)

    def in_the_way(self) -> list[str]:
        """Return, one sentence each, what would be lost that git does not know: untracked, or held back."""
        gone = {name for name in self.differing if name not in self.after}
        written = [name for name in self.differing if name in self.after and name not in self.before]
        untracked = sorted({name for each in written for name in occupants(self.work.top, each, gone)})
        marks = os.fsdecode(git(self.work.top, "ls-files", "-v", "-z")).split("\0")
        held = {mark[2:] for mark in marks if mark[:1] == "S" or mark[:1].islower()} & {*self.differing}
        return [
            *(
                f"{self.work.shown(name)}: is not in git, and the update would write it. Move it away"
                for name in untracked
            ),
            *(
                f"{self.work.shown(name)}: git was told not to look at it. First: "
                "git update-index --no-skip-worktree --no-assume-unchanged, with this name"
                for name in sorted(held)
            ),
        ]

    def put_in_place(self) -> None:
        """Write index and files; `undo` takes any part of it back. Raises GitError, OSError."""
        top = self.work.top
        merged = {name: self.after[name] for name in self.differing if name in self.after}
        wanted = {entry.content for held in merged.values() for entry in held}
        packed = git(self.folder, "pack-objects", "--local", "--stdout", "-q", given=lines(wanted, "\n"))
        clean = [name for name, held in merged.items() if held[0].stage == "0"]
        with undisturbed():
            git(top, "unpack-objects", "-q", given=packed, apart=True)
            git(top, "update-index", "-z", "--index-info", given=self._index_lines(merged), apart=True)
            for name in self.differing:
                if name not in merged:
                    remove(top, name)
            git(top, "checkout-index", "--force", "-u", "-z", "--stdin", given=lines(clean, "\0"), apart=True)
            for name in merged.keys() - {*clean}:
                copy(self.folder / name, top / name)

    def _index_lines(self, merged: Mapping[str, list[Entry]]) -> bytes:
        absent = "0" * len(self.state[0])
        gone = [f"0 {absent} 0\t{name}" for name in self.differing if name in self.before]
        new = [f"{' '.join(entry)}\t{name}" for name, held in merged.items() for entry in held]
        return lines([*gone, *new], "\0")


def lines(each: Iterable[str], end: str) -> bytes:
    """Return texts as git reads them, each with its end."""
    return os.fsencode("".join(f"{line}{end}" for line in each))


def occupants(top: Path, name: str, gone: set[str]) -> list[str]:
    """Return the files that are where a new file goes: there, as a part of the way to it, or below it."""
    parents = [parent.as_posix() for parent in Path(name).parents][:-1]
    for parent in parents:
        path = top / parent
        if parent not in gone and os.path.lexists(path) and (path.is_symlink() or not path.is_dir()):
            return [parent]
    path = top / name
    if path.is_dir() and not path.is_symlink():
        below = (each.relative_to(top).as_posix() for each in path.rglob("*") if not each.is_dir())
        return [each for each in below if each not in gone]
    return [name] if os.path.lexists(path) and not gone.intersection(parents) else []


def remove(top: Path, name: str) -> None:
    """Remove a file, and the folders that it leaves empty."""
    path = top / name
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == top or not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()


def copy(source: Path, target: Path) -> None:
    """Make a file what another one is: its content, or absent."""
    if not os.path.lexists(source):
        target.unlink(missing_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copy2(source, target, follow_symlinks=False)


@contextmanager
def undisturbed() -> Generator[None]:
    """Let no Ctrl-C, and no request to end, come between the steps: they take a moment together."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    there = [getattr(signal, name) for name in names if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, signal.SIG_IGN) for each in there}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class Rendering(NamedTuple):
    """A project as it is baked: its folder, and what it has beside that in its repository, by name."""

    folder: Path
    beside: Mapping[str, bytes]


def tried(work: Work, old: Rendering, new: Rendering, pins: Pins, label: str, folder: Path) -> Trial:
    """Merge what changed from the old to the new rendering into a team's work, in a new folder.

    `label` names the new one where git marks a conflict. Raises UpdateError.
    """
    try:
        state = work.state()
        own_repository(work, folder)
        head = text(git(folder, "rev-parse", f"{state[0]}^{{tree}}"))
        base = tree_commit(folder, tree(work, old, folder, head), "the template before")
        theirs = tree_commit(folder, tree(work, new, folder, head), label, base)
        git(folder, "update-ref", "--no-deref", "HEAD", own_commit(work, head, pins, folder))
    except GitError as error:
        raise UpdateError(f"the update could not be tried: {error}") from error
    trial = Trial(work, folder, state)
    try:
        git(folder, "cherry-pick", "--no-commit", theirs, options=(*MERGING, *NOBODY))
    except GitError as error:
        if not trial.conflicts:
            raise UpdateError(f"the update could not be merged: {error}") from error
    return trial


def own_commit(work: Work, head: str, pins: Pins, repository: Path) -> str:
    """Check out the project; return a commit of it in which the new engine is pinned."""
    git(repository, "read-tree", head)
    inside = git(repository, "ls-files", "-z", *work.own, options=("--literal-pathspecs",))
    git(repository, "checkout-index", "--force", "-u", "-z", "--stdin", given=inside)
    for name in pins.files:
        path = repository / work.prefix / name
        if path.is_file() and not path.is_symlink():
            path.write_bytes(path.read_bytes().replace(pins.old.encode(), pins.new.encode()))
            git(repository, "add", "--force", "--", f"{work.prefix}{name}", options=MERGING)
    return tree_commit(repository, text(git(repository, "write-tree")), "yours")


def own_repository(work: Work, folder: Path) -> None:
    """Make the repository in which a merge is tried: with the project's objects and settings."""
    objects, settings, attributes = work.objects, work.place("config"), work.place("info/attributes")
    kind = text(git(work.top, "rev-parse", "--show-object-format"))
    hashes = [] if kind == "sha1" else [f"--object-format={kind}"]
    git(folder.parent, "init", "--quiet", "--template=", *hashes, str(folder))
    alternates = folder / ".git" / "objects" / "info" / "alternates"
    alternates.parent.mkdir(parents=True, exist_ok=True)
    alternates.write_bytes(os.fsencode(objects) + b"\n")
    git(folder, "config", "include.path", str(settings))
    if attributes.is_file():
        (folder / ".git" / "info").mkdir(exist_ok=True)
        shutil.copyfile(attributes, folder / ".git" / "info" / "attributes")


def tree(work: Work, rendering: Rendering, repository: Path, head: str) -> str:
    """Return the tree of a rendering, with all that is around the project in its repository."""
    where = ("--git-dir", str(repository / ".git"), "--work-tree", ".")
    git(rendering.folder, "read-tree", "--empty", options=where)
    git(rendering.folder, "add", "--all", "--force", ".", options=(*where, *MERGING))
    made = text(git(repository, "write-tree"))
    if not work.prefix:
        git(repository, "read-tree", made)
        return with_files(repository, rendering.beside)
    git(repository, "read-tree", head)
    removing = ("rm", "-r", "--cached", "--force", "--quiet", "--ignore-unmatch", *work.own)
    git(repository, *removing, options=("--literal-pathspecs",))
    git(repository, "read-tree", f"--prefix={work.prefix}", made)
    return with_files(repository, rendering.beside)


def with_files(repository: Path, files: Mapping[str, bytes]) -> str:
    """Add files to the index; return its tree."""
    for name, content in files.items():
        held = text(git(repository, "hash-object", "-w", "--stdin", given=content))
        git(repository, "update-index", "--add", "--cacheinfo", f"100644,{held},{name}")
    return text(git(repository, "write-tree"))


def tree_commit(repository: Path, made: str, message: str, *parents: str) -> str:
    """Commit a tree without touching any branch; return the commit."""
    after = [option for parent in parents for option in ("-p", parent)]
    return text(git(repository, "commit-tree", made, *after, "-m", message, options=NOBODY))
