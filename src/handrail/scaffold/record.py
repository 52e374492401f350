"""What a project keeps of its bake, in `.handrail.json`: enough to bake the same again, and no secret.

Never in it: a path of a machine, a password, a token.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from .repository import GitError, run_git

NAME = ".handrail.json"
# The setting of git, which stays on one machine, that says where a template is that the record cannot name.
REMEMBERED = "handrail.template"
WEB = re.compile(r"(git\+|hg\+)?(https?|ssh|git|ftps?)$")
HOST = re.compile(r"[\w.+-]+@[\w.-]+:(?!//)[^\s@]+$")  # user@host:path, as git and ssh write it
TEMPORARY = re.compile(r"tmp\w{8}")  # as Python names temporary folders
# A template may belong to another user, and nothing in it may be written.
READING = ("--no-optional-locks", "-c", "safe.directory=*", "-c", "core.fsmonitor=false")

ON_A_MACHINE = "the template was a folder or file on one machine: say where it is now"
NO_COMMIT = "the template's commit is not known"
CHANGED = "the template had changes that were not committed"
NOT_PUSHED = "the template's commit was on no branch or tag of its remote repository"


@dataclass(frozen=True)
class Template:
    """A template as it was found: an address without secrets, or None; a commit, or None.

    `directory` is where it lies inside its repository, with forward slashes, empty for the top.
    """

    version: str
    address: str | None = None
    commit: str | None = None
    directory: str = ""
    dirty: bool = False
    pushed: bool = True


def record(
    template: Template,
    engine: str,
    answers: Mapping[str, str],
    index: str = "",
    standard: Mapping[str, str] | None = None,
) -> dict:
    """Return what `.handrail.json` holds.

    `engine` is the engine's version, its content's hash included; `index` the address of the package index
    that the project takes it from, empty where it carries the wheel itself; `standard` the files by which
    the project is checked.
    """
    missing = {
        ON_A_MACHINE: template.address is None,
        NO_COMMIT: template.commit is None,
        CHANGED: template.dirty,
        NOT_PUSHED: not template.pushed and template.address is not None,
    }
    reasons = [sentence for sentence, applies in missing.items() if applies]
    known = {
        "template": template.address,
        "version": template.version,
        "commit": template.commit,
        "dirty": template.dirty,
        "directory": template.directory,
        "engine": engine,
        "answers": dict(answers),
        "reproducible": not reasons,
        "standard": dict(standard or {}),
    }
    known |= {"engine_index": public_address(index)} if index else {}
    return known | ({"reason": "; ".join(reasons)} if reasons else {})


def as_text(kept: Mapping) -> str:
    """Return a record as it is written: sorted, so that two of them can be compared line by line."""
    return json.dumps(kept, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def public_address(address: str) -> str | None:
    """Return an address without what may be secret, or None for a path, and for what cannot be told from one.

    Left out: user and password of a web address, the password of one over ssh (`ssh://git@` stays), and
    parameters, which often are tokens. An abbreviation such as `gh:` is no address: ask the clone.
    """
    if HOST.match(address):
        return address
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # a password with a slash, say
        return None
    if not (WEB.match(parts.scheme) and parts.hostname) or "@" in parts.path:
        return None
    user = f"{parts.username}@" if parts.username and parts.scheme.endswith("ssh") else ""
    host = parts.netloc.rpartition("@")[2].removesuffix(port)
    return urlunsplit((parts.scheme, f"{user}{host}{port}", parts.path, "", ""))


def place_on_this_machine(template: Path, typed: str) -> str:
    """Return where a template without a public address is found again on this machine, or an empty text."""
    if typed.startswith(("file://", "git+file://")):
        return typed
    return "" if "://" in typed or typed.lower().endswith(".zip") else str(template)


def remember(project: Path, place: str) -> None:
    """Keep where a template is in the settings of a project's repository, which nobody else gets to see."""
    answer_or_nothing(project, "config", REMEMBERED, place)


def template_of(kept: Mapping, repository: Path) -> str:
    """Return where a project's template is, by its record, or else by this machine; empty if neither says."""
    return kept["template"] or answer_or_nothing(repository, "config", REMEMBERED)


def keep_place(repository: Path, kept: Mapping, typed: str) -> None:
    """Keep on this machine where the template is, if the record cannot say it and nothing is kept yet."""
    local = Path(typed).expanduser()
    place = str(local.resolve()) if local.is_dir() else place_on_this_machine(local, typed)
    if place and not template_of(kept, repository):
        remember(repository, place)


def examine(template: Path, version: str, typed: str | None) -> Template:
    """Return what is known of a template in a folder, asking git; `typed` is the address that the user gave.

    What git cannot say (not installed, an archive, a folder that is not committed) is left open.
    """
    address = public_address(typed or "")
    try:
        ask(template, "ls-files", "--error-unmatch", "cookiecutter.json")
        commit, *directory = ask(template, "rev-parse", "HEAD", "--show-prefix").splitlines()
        changes = ask(template, "status", "--porcelain", "--", ".", ":(exclude,glob)**/__pycache__/**")
    except GitError:
        return Template(version, address, directory=directory_of_archive(template, typed or ""))
    origin = answer_or_nothing(template, "config", "remote.origin.url")
    return Template(
        version,
        address or public_address(origin),
        commit,
        "".join(directory).rstrip("/"),
        dirty=bool(changes),
        pushed=bool(
            answer_or_nothing(template, "for-each-ref", "--contains=HEAD", "refs/remotes", "refs/tags")
        ),
    )


def directory_of_archive(template: Path, typed: str) -> str:
    """Return where in an archive the template lay: cookiecutter unpacks it into a temporary folder."""
    if not typed.lower().endswith(".zip"):
        return ""
    parts = template.parts
    unpacked = [at for at, part in enumerate(parts) if TEMPORARY.fullmatch(part)]
    return "/".join(parts[unpacked[-1] + 2 :]) if unpacked else ""


def ask(template: Path, *command: str) -> str:
    """Return git's answer about a template. Raises GitError."""
    return run_git(template, *command, options=READING)


def answer_or_nothing(template: Path, *command: str) -> str:
    """Return git's answer about a template, or an empty text if it has none."""
    try:
        return ask(template, *command)
    except GitError:
        return ""
