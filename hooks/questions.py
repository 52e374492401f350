"""Ask only the questions that earlier answers leave open, and settle what follows from the answers.

Cookiecutter loads this Jinja extension through `_extensions`. It has no conditional questions of its
own, so its prompts are wrapped; where they have changed, every question is asked and `settle` still
leaves out what cannot apply.
"""

import json
import re
import sys
from functools import cache
from inspect import signature
from pathlib import Path

from cookiecutter import prompt
from cookiecutter.exceptions import FailedHookException
from jinja2 import Environment, TemplateSyntaxError, UndefinedError
from jinja2.ext import Extension
from jinja2.runtime import Context

from .pre_gen_project import name_and_mail, problems, use_problems

TEMPLATE = Path(__file__).resolve().parents[1]
NONE = "none"


@cache
def template() -> dict:
    """Return `cookiecutter.json` as written: the choices in their own order, the conditions."""
    return json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8"))


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


def given_answers() -> dict:
    """Return what the user gave on the command line or in the cookiecutter configuration.

    Cookiecutter mixes it with the defaults before it loads an extension, so it is read from the function
    that is running. Empty where that function has changed.
    """
    frame = sys._getframe()
    while frame and frame.f_globals.get("__name__") != "cookiecutter.main":
        frame = frame.f_back
    known = frame.f_locals if frame else {}
    configured = (known.get("config_dict") or {}).get("default_context") or {}
    return {**configured, **(known.get("extra_context") or {})}


def report_left_out(key: str, answer: str, because: str) -> None:
    """Say in one line on standard error that an answer cannot apply."""
    print(f"{key}={answer} does not apply with {because}: left out", file=sys.stderr)


def settle(answers: dict) -> None:
    """Complete the full answers in place: what cannot apply is `none`, and derived values are added.

    Does nothing while questions are open or when it is done already.
    Raises FailedHookException, which cookiecutter prints and ends with, naming every bad answer.
    """
    if "__chosen" in answers or not questions().keys() <= answers.keys():
        return
    for key in questions():
        because = obstacle(key, answers)
        if because and answers[key] != NONE:
            report_left_out(key, answers[key], because)
            answers[key] = NONE
    found = unknown_choices(answers) or problems(answers) + use_problems(answers) or occupied(answers)
    if found:
        raise FailedHookException("\n".join(found))
    answers["__chosen"] = chosen_words(answers)
    answers["__package"] = answers["project_slug"].replace("-", "_")
    answers["__author_name"], answers["__author_email"] = name_and_mail(answers["author"])
    answers["__spdx"] = template()["_spdx"][answers["license"]]


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


class SettledContext(Context):
    """A Jinja context that sees settled answers, whatever way they came in."""

    def __init__(self, environment, parent, *rest, **named):
        settle(parent.get("cookiecutter", {}))
        super().__init__(environment, parent, *rest, **named)


def quoted(text: str) -> str:
    """Return text in double quotes, valid in TOML, YAML, JSON and Python alike."""
    return json.dumps(text, ensure_ascii=False)


def literal(answers: dict) -> str:
    """Return the answers to the questions as a Python dictionary, for a hook to start with."""
    return repr({key: answers[key] for key in questions()})


def markdown(text: str) -> str:
    """Return text with everything escaped that Markdown would take for markup."""
    text = re.sub(r"([\\`*_\[\]<>#|~&$])", r"\\\1", text)
    text = re.sub(r"^([-+=])", r"\\\1", text)
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", text)


class Questions(Extension):
    """Wrap cookiecutter's prompts once, and give every template the settled answers and the filters."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.context_class = SettledContext
        environment.filters.update(quoted=quoted, markdown=markdown, literal=literal)
        wrap("prompt_choice_for_config", wrapped_choice)
        wrap("read_user_variable", wrapped_text)
        wrap("render_variable", wrapped_default)


def wrap(name: str, wrapper) -> None:
    """Replace cookiecutter's function unless that is done already or its parameters have changed."""
    original = getattr(prompt, name, None)
    replacement = wrapper(original)
    if original and not hasattr(original, "wrapped") and parameters(original) == parameters(replacement):
        replacement.wrapped = original
        setattr(prompt, name, replacement)


def parameters(function) -> list[str]:
    """Return the names of a function's parameters, in order."""
    return list(signature(function).parameters)


def wrapped_choice(original):
    """Return a prompt that asks a choice only where it applies, numbered without gaps."""

    def ask(cookiecutter_dict, env, key, options, no_input, prompts=None, prefix=""):
        answers = cookiecutter_dict
        because = obstacle(key, answers)
        if not because:
            asked = [k for k in questions() if k in answers and not obstacle(k, answers)]
            return original(answers, env, key, options, no_input, prompts, f"  [dim][{len(asked) + 1}][/] ")
        given = given_answers().get(key, NONE)
        if given != NONE:
            report_left_out(key, given, because)
        return NONE

    return ask


def wrapped_text(original):
    """Return a prompt that shows no total, as that is still open, and asks again after a bad answer."""

    def ask(var_name, default_value, prompts=None, prefix=""):
        while True:
            answer = original(var_name, default_value, prompts, re.sub(r"/\d+", "", prefix, count=1))
            found = problems({var_name: answer})
            if not found:
                return answer
            print(*found, sep="\n", file=sys.stderr)

    return ask


def wrapped_default(original):
    """Return a rendering of defaults that takes text as it is where it holds no valid Jinja."""

    def render(env, raw, cookiecutter_dict):
        if isinstance(raw, str) and "{" not in raw:
            return raw
        try:
            return original(env, raw, cookiecutter_dict)
        except (TemplateSyntaxError, UndefinedError):
            return raw

    return render
