"""Is the code that made the live version in the repository, and has a second person looked at it?"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext
from handrail.stages.checklist import read_checklist
from handrail.training.experiment_log import CODE

REPORT = "2-research/report.md"
REVIEWED = "Specification reviewed"
SERVICES = ("github", "gitlab", "web-flow")  # who commit what somebody merges or squashes on the web
NOBODY = ("noreply", "no-reply")  # their addresses; a person's hidden one has a name before the @
FIELDS = (
    "%H",
    "%h",
    "%P",
    "%an <%ae>",
    "%cn <%ce>",
    "%(trailers:key=Co-authored-by,valueonly,separator=%x1e)",
    "%(trailers:key=Reviewed-by,valueonly,separator=%x1e)",
    "%s",
)
LINE = "%x1f".join(FIELDS)


@dataclass(frozen=True)
class Person:
    """Somebody whom git names; the same person has the same name or the same address."""

    name: str
    address: str

    @classmethod
    def of(cls, text: str) -> "Person":
        """Return who is meant by `Ada <ada@example.org>`."""
        name, _, address = text.strip().removesuffix(">").rpartition("<")
        return cls((name.strip() or address).casefold(), address.casefold() if name else "")

    @property
    def can_review(self) -> bool:
        """Whether it is a person at all: no bot, and not the service that commits for whoever clicked."""
        service = self.name in SERVICES or self.address.partition("@")[0] in NOBODY
        return not (service or self.name.endswith("[bot]"))

    def among(self, others: "tuple[Person, ...]") -> bool:
        """Return whether it is one of them."""
        return any(
            self.name == each.name or (self.address and self.address == each.address) for each in others
        )


@dataclass(frozen=True)
class Change:
    """A commit of the main line: who wrote what it brings, and who else has seen to it."""

    short: str
    subject: str
    authors: tuple[Person, ...]
    others: tuple[Person, ...]

    @property
    def reviewed(self) -> bool:
        """Whether somebody who has written nothing of it has put a name to it."""
        return any(each.can_review and not each.among(self.authors) for each in self.others)


def specification(context: ReadinessContext) -> str:
    """Find the commit of the live version in the history, clean, and each later change to it reviewed.

    The first commit is reviewed by a signed item of the report; a later one by a trailer `Reviewed-by` of
    somebody else, by another who committed it, or, merged as a branch, by who merged it and has written
    nothing of it. That a service on the web squashed or merged it says of nobody that they looked.
    """
    commit = _found_again(context)
    signed = [
        item for item in read_checklist(context.settings, REPORT) if item.item == REVIEWED and item.done
    ]
    if context.settings.borrowed or not signed:
        raise ProjectError(
            f"{REPORT}: {REVIEWED} is not ticked, or only for the worked example; read contract.py, "
            "transform.sql and project.yaml with a second person"
        )
    changes = [*_changes(context.settings.root, commit)]
    alone = [each for each in changes[:-1] if not each.reviewed]
    if alone:
        raise ProjectError(
            f"commit {each.short} of {', '.join(who.name for who in each.authors)}, {each.subject!r}: nobody "
            "else has looked at it, as far as git knows; add a trailer Reviewed-by, or let others merge"
            for each in alone
        )
    return (
        f"{context.version.name} was made by {commit[:8]}, which is in the history; reviewed on "
        f"{signed[0].date} by {signed[0].owner}, and so were {len(changes) - 1} later changes"
    )


def _found_again(context: ReadinessContext) -> str:
    """Return the commit that the live version was trained from; raises ProjectError where it can't be had."""
    name, code = context.version.name, context.version.info.get("code") or {}
    if not code.get("commit"):
        raise ProjectError(f"{name}: no commit is known of its code; commit everything, and train again")
    its = f"{name}: its code is {code['commit'][:8]}"
    if code["changed"]:
        raise ProjectError(f"{its} with changes that nobody committed; commit them, and train again")
    if _git(context.settings.root, "merge-base", "--is-ancestor", code["commit"], "HEAD") is None:
        raise ProjectError(f"{its}, which is not in the history here; push that commit")
    return code["commit"]


def _git(root: Path, *arguments: str) -> str | None:
    """Return what git says, or None where it refuses."""
    command = ["git", "--no-optional-locks", *arguments]
    done = subprocess.run(  # noqa: S603
        command, cwd=root, capture_output=True, text=True, encoding="utf-8", check=False
    )
    return done.stdout if done.returncode == 0 else None


def _changes(root: Path, commit: str) -> Iterator[Change]:
    """Yield each commit of the main line that changed the code, the newest first."""
    for line in (
        _git(root, "log", "--first-parent", f"--format={LINE}", commit, "--", *CODE) or ""
    ).splitlines():
        whole, short, parents, author, committer, together, reviewers, subject = line.split("\x1f")
        named = [each for each in reviewers.split("\x1e") if each]
        if " " in parents:  # a merge: whoever made it has looked at what the branch brings
            authors, named = _authors(root, whole), [author, *named]
        else:
            authors, named = [author, *together.split("\x1e")], [committer, *named]
        yield Change(short, subject, _people(authors), _people(named))


def _authors(root: Path, merge: str) -> list[str]:
    """Return who has written what a merge brings to the code."""
    brought = (
        "log",
        "--no-merges",
        f"--format={FIELDS[3]}%x1e{FIELDS[5]}",
        f"{merge}^1..{merge}",
        "--",
        *CODE,
    )
    return [each for line in (_git(root, *brought) or "").splitlines() for each in line.split("\x1e")]


def _people(texts: list[str]) -> tuple[Person, ...]:
    return tuple(dict.fromkeys(Person.of(text) for text in texts if text.strip()))
