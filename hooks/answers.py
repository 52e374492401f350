"""What follows from the answers: which questions apply, which words are chosen, what has to be refused."""

import json
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from cookiecutter.exceptions import FailedHookException

from .pre_gen_project import name_and_mail, problems, use_problems

TEMPLATE = Path(__file__).resolve().parents[1]
NONE = "none"


@cache
def template() -> dict:
    """Return `cookiecutter.json` as written: the choices in their own order, the conditions."""
    return json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))


@cache
def questions() -> dict:
    """Return the questions in the order they are asked: name to default text or list of choices."""
    return {key: default for key, default in template().items() if not key.startswith("_")}


def chosen_words(answers: dict) -> list[str]:
    """Return every word chosen so far; a stage chooses the stages before it too, `none` is no word."""
    words = []
    for key, choices in questions().items():
        if not isinstance(choices, list) or answers.get(key, NONE) == NONE:
            continue
        known = key == "stage" and answers[key] in choices
        words += choices[choices.index(answers[key]) :] if known else [answers[key]]
    return words


def obstacle(key: str, answers: dict) -> str:
    """Return the earlier answer that keeps `key` from applying, as `stage=discovery`, or an empty string."""
    missing = set(template()["_ask_when"].get(key, "").split()) - set(chosen_words(answers))
    for earlier, choices in questions().items():
        if earlier in answers and isinstance(choices, list) and missing & set(choices):
            return f"{earlier}={answers[earlier]}"
    return ""


def report_left_out(key: str, answer: str, because: str) -> None:
    """Say in one line on standard error that an answer cannot apply."""
    print(f"{key}={answer} does not apply with {because}: left out", file=sys.stderr)


def settle(answers: dict, typed: Iterable[str] = ()) -> None:
    """Complete the full answers in place: what cannot apply is `none`, and derived values are added.

    `typed` are the names given on the command line. Does nothing while questions are open or when it is done.
    Raises FailedHookException, which cookiecutter prints and ends with, naming every bad answer.
    """
    if "__chosen" in answers or not questions().keys() <= answers.keys():
        return
    left_out = {key: because for key in questions() if (because := obstacle(key, answers))}
    for key, because in left_out.items():
        if answers[key] != NONE:
            report_left_out(key, answers[key], because)
            answers[key] = NONE
    found = (
        unknown_questions(typed) + unknown_choices(answers)
        or problems(answers) + use_problems(answers)
        or occupied(answers)
    )
    if found:
        raise FailedHookException("\n".join(found))
    answers["__asked"] = [key for key in questions() if key not in left_out]
    answers["__chosen"] = chosen_words(answers)
    answers["__package"] = answers["project_slug"].replace("-", "_")
    answers["__author_name"], answers["__author_email"] = name_and_mail(answers["author"])
    answers["__spdx"] = template()["_spdx"][answers["license"]]


def unknown_questions(typed: Iterable[str]) -> list[str]:
    """Return which names are none of the template's; cookiecutter would drop them without a word."""
    return [
        f"{key}: is no question. Take one of: {', '.join(get_close_matches(key, questions()) or questions())}"
        for key in typed
        if key not in template()
    ]


def unknown_choices(answers: dict) -> list[str]:
    """Return which choices do not exist; only a replay file can hold such."""
    return [
        f"{key} {answers[key]!r}: is no such choice. Take one of: {', '.join(choices)}"
        for key, choices in questions().items()
        if isinstance(choices, list) and answers[key] not in (*choices, NONE)
    ]


def occupied(answers: dict) -> list[str]:
    """Return why the project's folder cannot be used: files in it would be mixed with the new ones."""
    folder = Path(answers.get("_output_dir", "."), answers["project_slug"])
    if "_output_dir" in answers and folder.is_dir() and any(folder.iterdir()):
        return [
            f"{folder}: holds files already. Move it away, or bake into another folder with --output-dir."
        ]
    return []
