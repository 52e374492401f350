"""Is the code that made the live version in the repository, and has a second person looked at it?"""

import subprocess
from pathlib import Path

from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext
from handrail.stages.checklist import read_checklist
from handrail.training.experiment_log import CODE

REPORT = "2-research/report.md"
REVIEWED = "Specification reviewed"
LINE = "%H%x1f%h%x1f%an%x1f%cn%x1f%(trailers:key=Reviewed-by,valueonly,separator=%x2C)%x1f%s"


def specification(context: ReadinessContext) -> str:
    """Find the commit of the live version in the history, clean, and each later change to it reviewed.

    The first commit is reviewed by a signed item of the report; a later one on the main line by a trailer
    `Reviewed-by` of somebody else, or by another who committed it; one that was merged, by the merge.
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
    only_direct = ("log", "--first-parent", "--no-merges", f"--format={LINE}", commit, "--", *CODE)
    direct = (_git(context.settings.root, *only_direct) or "").splitlines()
    alone = [_format_commit(line) for line in direct[:-1] if not _reviewed(line)]
    if alone:
        raise ProjectError(
            f"{each}: nobody reviewed it; add a trailer Reviewed-by, or merge a branch" for each in alone
        )
    return (
        f"{context.version.name} was made by {commit[:8]}, which is in the history; reviewed on "
        f"{signed[0].date} by {signed[0].owner}, and so were {len(direct) - 1} later changes"
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


def _reviewed(line: str) -> bool:
    _, _, author, committer, reviewers, _ = line.split("\x1f")
    others = [name for name in (committer, *reviewers.split(",")) if name and not name.startswith(author)]
    return bool(others)


def _format_commit(line: str) -> str:
    _, short, author, _, _, subject = line.split("\x1f")
    return f"commit {short} of {author}, {subject!r}"
