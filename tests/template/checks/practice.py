"""The verdict of sp-repo-review on a whole repository, and on the excuses that it makes."""

import re
from collections.abc import Iterator

from repo_review.processor import process

from tests.template.baking import Project
from tests.template.checks import in_each_project

ABOUT = re.compile(r"pyproject.toml|\.pre-commit-config.yaml|\.github/.*|\.gitlab-ci.yml|LICENSE|README.md")
KNOWN: dict[object, list[str]] = {}


@in_each_project
def good_practice(project: Project) -> Iterator[str]:
    """Yield each rule of good practice that is broken, and each that is excused though it is kept."""
    looked_at = {name: text for name, text in project.texts.items() if ABOUT.fullmatch(name)}
    key = frozenset(looked_at.items())
    if key not in KNOWN:
        KNOWN[key] = judged_by_repo_review(project)
    yield from KNOWN[key]


def judged_by_repo_review(project: Project) -> list[str]:
    """Return what sp-repo-review finds, in this process."""
    excused = process(project.path)
    strict = process(project.path, ignore=frozenset({"none"}))
    broken = {one.name: one.description for one in strict.results if one.result is False}
    left = {one.name for one in excused.results if one.result is False}
    found = [f"pyproject.toml:1: {name}: {broken[name]}: broken, and not excused" for name in sorted(left)]
    reasons = excuses(project)
    return found + [
        f"{place}: {name}: excused, though it is kept" for name, place in reasons if name not in broken
    ]


def excuses(project: Project) -> list[tuple[str, str]]:
    """Return each rule that is excused, with its place."""
    rows = project.texts["pyproject.toml"].partition("[tool.repo-review.ignore]\n")
    start = rows[0].count("\n") + 2
    names = [row.partition(" = ")[0] for row in rows[2].splitlines()]
    return [(name, f"pyproject.toml:{number}") for number, name in enumerate(names, start) if name]
