"""Ask only the questions that earlier answers leave open; give every template the settled answers.

Cookiecutter loads this Jinja extension through `_extensions`. It has no conditional questions of its
own, so its prompts are wrapped; where they have changed, every question is asked and `settle` still
leaves out what cannot apply.
"""

import json
import re
import sys
from inspect import signature
from types import ModuleType

from cookiecutter import main, prompt
from jinja2 import Environment, TemplateSyntaxError, UndefinedError
from jinja2.ext import Extension
from jinja2.runtime import Context

from .answers import NONE, obstacle, questions, report_left_out, settle
from .baking import compiled_texts, wrapped_generation
from .pre_gen_project import problems


class SettledContext(Context):
    """A Jinja context that sees settled answers, whatever way they came in."""

    def __init__(self, environment, parent, *rest, **named):
        answers = parent.get("cookiecutter", {})
        if "__chosen" not in answers:
            settle(answers, given_answers()[1])
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
    """Wrap cookiecutter's functions once, and give every template the settled answers and the filters."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.context_class = SettledContext
        environment.bytecode_cache = compiled_texts()
        environment.filters.update(quoted=quoted, markdown=markdown, literal=literal)
        wrap(prompt, "prompt_choice_for_config", wrapped_choice)
        wrap(prompt, "read_user_variable", wrapped_text)
        wrap(prompt, "render_variable", wrapped_default)
        wrap(main, "generate_files", wrapped_generation)


def wrap(module: ModuleType, name: str, wrapper) -> None:
    """Replace cookiecutter's function unless that is done already or its parameters have changed."""
    original = getattr(module, name, None)
    replacement = wrapper(original)
    if original and not hasattr(original, "wrapped") and parameters(original) == parameters(replacement):
        replacement.wrapped = original
        setattr(module, name, replacement)


def parameters(function) -> list[str]:
    """Return the names of a function's parameters, in order."""
    return list(signature(function).parameters)


def given_answers() -> tuple[dict, dict]:
    """Return what the user gave in the cookiecutter configuration, and on the command line.

    Cookiecutter mixes both with the defaults before it loads an extension, so they are read from the function
    that is running. Empty where that function has changed.
    """
    frame = sys._getframe()
    while frame and frame.f_globals.get("__name__") != "cookiecutter.main":
        frame = frame.f_back
    known = frame.f_locals if frame else {}
    configured = (known.get("config_dict") or {}).get("default_context") or {}
    return configured, known.get("extra_context") or {}


def wrapped_choice(original):
    """Return a prompt that asks a choice only where it applies, numbered without gaps."""

    def ask(cookiecutter_dict, env, key, options, no_input, prompts=None, prefix=""):
        answers = cookiecutter_dict
        because = obstacle(key, answers)
        if not because:
            asked = [k for k in questions() if k in answers and not obstacle(k, answers)]
            return original(answers, env, key, options, no_input, prompts, f"  [dim][{len(asked) + 1}][/] ")
        configured, typed = given_answers()
        given = typed.get(key, configured.get(key, NONE))
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
