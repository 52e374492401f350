"""What answers cost: the files that a project has by them, and the space that its packages take.

Files are counted in the template itself. Megabytes are a table, `sizes.json`, which
`benchmarks/environment_sizes.py` measures, and a test compares with what is really installed.
"""

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import answers as rules
from .names import kept_name

FOLDER = "{{cookiecutter.project_slug}}"
TABLE = Path("src", "handrail", "scaffold", "sizes.json")
ALWAYS = "discovery"


@dataclass(frozen=True)
class Weight:
    """How many files a project has, and how many megabytes its environment; None if that is not known."""

    files: int
    megabytes: float | None

    def beyond(self, least: "Weight") -> str:
        """Return in words what there is more than in `least`, empty where that is nothing."""
        files = self.files - least.files
        known = self.megabytes is not None and least.megabytes is not None
        megabytes = round(self.megabytes - least.megabytes) if known else 0
        words = [f"{files} {'file' if files == 1 else 'files'}"] if files > 0 else []
        return ", ".join(words + ([f"{megabytes} MB"] if megabytes > 0 else []))


@cache
def names(template: Path) -> tuple[str, ...]:
    """Return the files of a template's project, by their names there."""
    folder = template / FOLDER
    return tuple(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@cache
def table(template: Path) -> Mapping:
    """Return the sizes of packages, and which of them a word brings; empty where there is no such table."""
    try:
        return json.loads((template / TABLE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def files(template: Path, chosen: Set[str], index: bool = False) -> int:
    """Return how many files a project has: those of the template, its record, and the engine's wheel.

    index: the engine comes from an index, and no wheel is in the project
    """
    return sum(kept_name(name, chosen) is not None for name in names(template)) + (1 if index else 2)


def megabytes(template: Path, chosen: Set[str]) -> float | None:
    """Return how many megabytes the packages of a project take, or None where that was not measured."""
    known = table(template)
    if not known:
        return None
    parts, sizes = known["parts"], known["megabytes"]
    brought = {name for word in {ALWAYS, *chosen} for name in parts.get(word, ())}
    return sum(sizes[name] for name in brought)


def weight(template: Path, questions: Mapping, answers: Mapping[str, str]) -> Weight:
    """Return what a project with these answers weighs; a question without an answer takes its default."""
    chosen = set(rules.chosen_words(questions, completed(questions, answers)))
    index = bool(questions.get("_engine_index"))
    return Weight(files(template, chosen, index), megabytes(template, chosen))


def completed(questions: Mapping, answers: Mapping[str, str]) -> dict[str, str]:
    """Return the answers, the default of each question that is open, and none where one does not apply."""
    settled: dict[str, str] = {}
    for key, default in rules.questions(questions).items():
        first = default if isinstance(default, str) else default[0]
        settled[key] = rules.NONE if rules.obstacle(questions, key, settled) else answers.get(key, first)
    return settled


def effects(template: Path, questions: Mapping, answers: Mapping[str, str], key: str) -> dict[str, str]:
    """Return what each choice of a question adds, beside the choice that brings least of it."""
    found = {choice: weight(template, questions, {**answers, key: choice}) for choice in questions[key]}
    space = [each.megabytes for each in found.values() if each.megabytes is not None]
    least = Weight(min(each.files for each in found.values()), min(space) if space else None)
    return {choice: each.beyond(least) for choice, each in found.items()}
