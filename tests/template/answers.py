"""The rules of the answers, for the questions of the template as it stands."""

import json
from functools import cache, partial
from pathlib import Path

from handrail.scaffold import answers
from handrail.scaffold.answers import NONE, slug_problems, suggestion, use_problems, well_formed

__all__ = [
    "NONE",
    "TEMPLATE",
    "choices",
    "chosen_words",
    "cookiecutter_json",
    "obstacle",
    "questions",
    "slug_problems",
    "suggestion",
    "use_problems",
    "well_formed",
]

TEMPLATE = Path(__file__).resolve().parents[2]


@cache
def cookiecutter_json() -> dict:
    """Return `cookiecutter.json` as written: the choices in their own order, the conditions."""
    return json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))


questions, choices, chosen_words, obstacle = (
    partial(rule, cookiecutter_json())
    for rule in (answers.questions, answers.choices, answers.chosen_words, answers.obstacle)
)
