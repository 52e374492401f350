"""What holds for every baked project. A check takes projects and yields what it found in which of them.

Findings are sentences that begin with the file and its line. The same functions judge the template as it is
and copies of it that are broken on purpose.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from tests.template.baking import Project

Found = Iterator[tuple[Project, str]]
Check = Callable[[Iterable[Project]], Found]


def sentences(check: Check, projects: Iterable[Project]) -> list[str]:
    """Return what a check finds, each sentence once, with the first project that it holds for."""
    found = defaultdict(list)
    for project, sentence in check(projects):
        found[sentence].append(project.label)
    return [f"{sentence} [{len(labels)} projects, {labels[0]}]" for sentence, labels in found.items()]


def in_each_project(find: Callable[[Project], Iterable[str]]) -> Check:
    """Return the check that looks at one project after the other."""

    def check(projects):
        for project in projects:
            for sentence in find(project):
                yield project, sentence

    check.__name__ = find.__name__
    return check


def in_each_text(find: Callable[[str, str], Iterable[str]]) -> Check:
    """Return the check that looks at the name and content of each file; at the same file only once."""
    known: dict[tuple[str, str], list[str]] = {}

    def check(projects):
        for project in projects:
            for file in project.texts.items():
                if file not in known:
                    known[file] = list(find(*file))
                for sentence in known[file]:
                    yield project, sentence

    check.__name__ = find.__name__
    return check


def line_of(text: str, position: int) -> int:
    """Return the number of the line, from 1, in which a position of a text lies."""
    return text.count("\n", 0, position) + 1
