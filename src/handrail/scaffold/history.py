"""A template's repository, cloned into a temporary folder: its versions, and the files of each."""

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .errors import UpdateError
from .record import READING, answer_or_nothing, public_address
from .repository import GitError, run_git

RELEASE = re.compile(r"v(\d+)\.(\d+)\.(\d+)")
SHORT = 7
ABBREVIATIONS = {
    "gh": "https://github.com/{}.git",
    "gl": "https://gitlab.com/{}.git",
    "bb": "https://bitbucket.org/{}",
}
# No hook of the user's runs in a folder that is thrown away.
QUIET = ("-c", "core.hooksPath=.no-hooks", "-c", "core.fsmonitor=false", "-c", "advice.detachedHead=false")


@dataclass(frozen=True)
class Version:
    """One version of a template: its commit, where its files are, the number in its pyproject.toml."""

    commit: str
    folder: Path
    number: str

    def __str__(self) -> str:
        return f"{self.number} ({self.commit[:SHORT]})"


@dataclass(frozen=True)
class History:
    """A clone of a template's repository; `shown` is its address without secrets.

    `directory` is where the template lies in it, with forward slashes; None if the address does not say.
    """

    clone: Path
    shown: str
    directory: str | None = None

    def commit(self, name: str) -> str:
        """Return the commit of a tag, a version, a branch or a commit. Raises UpdateError."""
        for place in (f"refs/tags/{name}", f"refs/tags/v{name}", f"refs/heads/{name}"):
            if found := self._resolved(place):
                return found
        found = self._resolved(f"refs/remotes/origin/{name}") or self._resolved(name)
        if not found and re.fullmatch("[0-9a-f]{40,64}", name):
            answer_or_nothing(self.clone, "fetch", "--quiet", "origin", name)
            found = self._resolved(name)
        if not found:
            raise UpdateError(
                f"{self.shown}: has no tag, branch or commit {name!r}{self._releases_in_words()}"
            )
        return found

    def newest(self, since: str) -> str:
        """Return the commit of the newest release; of the default branch, where `since` is later than it."""
        head = self._resolved("HEAD")
        newest = [self.commit(name) for name in self.releases[-1:]]
        candidates = [*newest, *([head] if head else [])]
        if not candidates:
            raise UpdateError(f"{self.shown}: has no commit")
        return next((commit for commit in candidates if self._holds(commit, since)), candidates[0])

    @property
    def latest(self) -> str:
        """The commit of the newest release, or of the default branch where nothing is released yet."""
        return self.commit(self.releases[-1]) if self.releases else self.commit("HEAD")

    @cached_property
    def releases(self) -> list[str]:
        """The tags that are called like a version, the newest last."""
        tags = answer_or_nothing(self.clone, "tag", "--list", "v*").split()
        matches = [match for match in map(RELEASE.fullmatch, tags) if match]
        return [match[0] for match in sorted(matches, key=lambda match: tuple(map(int, match.groups())))]

    def version(self, commit: str, folder: Path, directory: str) -> Version:
        """Write the files of a commit into a new folder. Raises UpdateError if that is no such template."""
        try:
            command = ("worktree", "add", "--quiet", "--detach", "--force", str(folder), commit)
            run_git(self.clone, *command, options=QUIET)
        except GitError as error:
            raise UpdateError(f"{self.shown}: {error}") from error
        template = folder / directory
        if missing := missing_of_template(template):
            where = f"{directory}/{missing}".lstrip("/")
            raise UpdateError(
                f"{self.shown}: {where} is not there at {commit[:SHORT]}, so that is no Handrail template"
            )
        return Version(commit, template, number_of(template))

    def _resolved(self, name: str) -> str:
        command = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return answer_or_nothing(self.clone, *command).removeprefix("--end-of-options").strip()

    def _holds(self, commit: str, earlier: str) -> bool:
        try:
            run_git(self.clone, "merge-base", "--is-ancestor", earlier, commit)
        except GitError:
            return False
        return True

    def _releases_in_words(self) -> str:
        return f". Its newest versions: {', '.join(self.releases[-3:])}" if self.releases else ""


def missing_of_template(folder: Path) -> str:
    """Return a file that a folder lacks to be a Handrail template; empty where it is one."""
    needed = ("cookiecutter.json", "pyproject.toml", "src/handrail/scaffold/__init__.py")
    return next((name for name in needed if not (folder / name).is_file()), "")


def number_of(template: Path) -> str:
    """Return the version of the template in a folder."""
    described = tomllib.loads((template / "pyproject.toml").read_text(encoding="utf-8"))
    return described["project"]["version"]


def cloned(address: str, folder: Path) -> History:
    """Clone a template's repository, whatever kind of address it has. Raises UpdateError.

    Of a folder on this machine, what is committed is taken, and what is said of it elsewhere: it keeps the
    address of its own origin.
    """
    shown = public_address(address) or address
    if re.search(r"\.zip$|^hg\+", address, re.IGNORECASE):
        raise UpdateError(
            f"{shown}: an update needs the template's history. Name its git repository: --template"
        )
    local = Path(address).expanduser()
    options = ("--quiet", "--no-checkout", "--template=", "--origin", "origin")
    if not local.exists():
        _clone(folder, (*options, "--", git_address(address)), address, shown)
        run_git(folder, "config", "remote.origin.url", address)
        return History(folder, shown)
    top = answer_or_nothing(local, "rev-parse", "--show-toplevel")
    # With all the names that it has: so it is seen if a commit was ever pushed.
    _clone(folder, ("--quiet", "--mirror", "--template=", "--", top or str(local.resolve())), address, shown)
    origin = answer_or_nothing(local, "config", "remote.origin.url")
    run_git(folder, "config", "remote.origin.url", origin or top or address)
    inside = answer_or_nothing(local, "rev-parse", "--show-prefix").rstrip("/")
    return History(folder, shown, inside if top else None)


def _clone(folder: Path, arguments: tuple[str, ...], address: str, shown: str) -> None:
    try:
        run_git(folder.parent, "clone", *arguments, str(folder), options=QUIET)
    except GitError as error:
        said = str(error).replace(address, shown).replace(git_address(address), shown)
        raise UpdateError(
            f"{shown}: the template cannot be read: {said}. Name another: --template"
        ) from error


def git_address(address: str) -> str:
    """Return an address as git takes it, for one as cookiecutter does."""
    short, _, rest = address.partition(":")
    return ABBREVIATIONS[short].format(rest) if short in ABBREVIATIONS else address.removeprefix("git+")


def uncommitted(address: str) -> bool:
    """Return whether a template is a folder on this machine with changes that are not committed."""
    folder = Path(address).expanduser()
    changed = ("status", "--porcelain", "--", ".", ":(exclude,glob)**/__pycache__/**")
    try:
        return folder.is_dir() and bool(run_git(folder, *changed, options=READING))
    except GitError:
        return False
