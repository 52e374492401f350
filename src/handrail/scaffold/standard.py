"""The files that are meant to be alike in all projects, and those that each has: by them it is checked.

The record of a bake, `.handrail.json`, keeps a hash of each of the first; of the second it keeps the name.
"""

import hashlib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

ALIKE = (
    ".github/*",
    ".gitlab-ci.yml",
    ".gitignore",
    ".pre-commit-config.yaml",
    "*/.dockerignore",
    "*/Dockerfile",
    "*/alerts*.yml",
    "*/cloud/*",
    "*/compose.yaml",
    "dags/*",
    "tests/test_project.py",
)
THERE = (
    "[1-4]-*/README.md",
    "1-discovery/decision.md",
    "2-research/report.md",
    "3-production/launch.md",
    "4-operation/HANDOVER.md",
    "4-operation/runbook.md",
    "AGENTS.md",
    "README.md",
    "project.yaml",
    "src/*/contract.py",
)
LETTERS = 16  # of the hash


def standard_files(project: Path) -> dict[str, str]:
    """Return the standard files of a project that was just baked: a hash, or "" if any content will do."""
    found = {}
    for path in sorted(path for path in project.rglob("*") if path.is_file()):
        name = path.relative_to(project).as_posix()
        if matches(name, ALIKE):
            found[name] = content_hash(path)
        elif matches(name, THERE):
            found[name] = ""
    return found


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Return whether a name, with forward slashes, fits one of the patterns."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def content_hash(path: Path) -> str:
    """Return the hash of a text, the same whether its lines end as on Windows or not. Raises OSError."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()[:LETTERS]


def deviations(project: Path, kept: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each standard file that is `missing` from a project, or `altered` in it, with that word."""
    for name, known in kept.items():
        path = project / name
        if not path.is_file():
            yield name, "missing"
        elif known and content_hash(path) != known:
            yield name, "altered"
