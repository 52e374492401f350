"""Ask only what earlier answers leave open, keep answers text, and give every template the settled answers.

`handrail_template_questions.py` loads this Jinja extension for each bake. Of cookiecutter it wraps the two
functions that ask, only if their parameters are the known ones, and only for this template; where they have
changed, every question is asked, and what cannot apply is left out all the same.
"""

import json
import logging
import re
import shutil
import sys
from functools import partial
from importlib import import_module
from inspect import signature
from itertools import pairwise
from pathlib import Path

import click
from cookiecutter import cli, prompt
from cookiecutter.config import get_user_config
from cookiecutter.exceptions import FailedHookException
from jinja2.ext import Extension
from jinja2.runtime import Context

# The package is the template's own `handrail.scaffold`, under a name that nothing else in the process has.
rules, names, record, repository, texts, wheel = (
    import_module(f"{__package__}.{name}")
    for name in ("answers", "names", "record", "repository", "texts", "wheel")
)
NONE = rules.NONE

FOLDER = "{{cookiecutter.project_slug}}"
JINJA = re.compile("{[{%#]")
VALUE = re.compile(r"{{ ?cookiecutter\.\w+ ?}}")
LATEST = []


class SettledContext(Context):
    """A Jinja context that sees settled answers, whatever way they came in."""

    def __init__(self, environment, parent, name, *rest, **named):
        environment.handrail.look_at(parent.get("cookiecutter", {}), name)
        super().__init__(environment, parent, name, *rest, **named)


class Questions(Extension):
    """What this template adds to cookiecutter, for one environment of Jinja; a bake has several."""

    def __init__(self, environment, template: Path) -> None:
        super().__init__(environment)
        self.template = template
        self.raw = json.loads((template / "cookiecutter.json").read_text(encoding="utf-8"))
        self.hooks = {path.read_text(encoding="utf-8") for path in (template / "hooks").glob("*_gen_*.py")}
        self.configured, self.typed = given()
        mine = " in your cookiecutter configuration"
        refuse(rules.unknown_questions(self.raw, self.typed))
        refuse(rules.unknown_choices(self.raw, self.configured, mine))
        environment.extend(handrail=self)
        environment.context_class = SettledContext
        environment.filters.update(quoted=texts.quoted, markdown=texts.markdown)
        environment.filters.update(refusals=self.refusals, for_hook=self.for_hook)
        LATEST[:] = [self]

    def preprocess(self, source, name, filename=None):
        """Return the Jinja of a text: an answer is none, whatever it holds; cookiecutter would run it.

        What cookiecutter renders without a `name` is an answer, a default, the name of a file, or a hook.
        """
        if name is not None or source in self.hooks:
            return source
        source = texts.mended(source)
        if not JINJA.search(source):
            return source
        for earlier, key in pairwise(rules.questions(self.raw)):
            if source == self.raw[key]:
                here = f"'{earlier}' in cookiecutter and '{key}' not in cookiecutter"
                return f"{{% if {here} %}}{source}{{% else %}}{texts.literal(source)}{{% endif %}}"
        if JINJA.search(VALUE.sub("", source)):
            return texts.literal(source)
        return (
            f"{{% if '__chosen' in cookiecutter %}}{source}{{% else %}}{texts.literal(source)}{{% endif %}}"
        )

    def look_at(self, answers: dict, file: str | None) -> None:
        """Settle the answers as soon as they are complete; refuse to write files that no hook will finish."""
        if "__chosen" not in answers and rules.questions(self.raw).keys() <= answers.keys():
            self.settle(answers)
        if file is not None and "__checked" not in answers:
            shutil.rmtree(answers.get("__made", ""), ignore_errors=True)
            refuse(["Without its hooks the template cannot be baked: leave out --accept-hooks no"])

    def settle(self, answers: dict) -> None:
        """Complete the answers in place: what cannot apply is `none`, and what follows from them is added."""
        for key in rules.questions(self.raw):
            because = rules.obstacle(self.raw, key, answers)
            if because and answers[key] != NONE:
                report_left_out(key, answers[key], because)
                answers[key] = NONE
        refuse(rules.refusals(self.raw, answers))
        answers |= rules.derived(self.raw, answers)
        refuse(names.without_part(self.template / FOLDER, self.raw["stage"][-1], answers["__chosen"]))
        answers["__engine"] = wheel.engine_version(self.template)
        if "_output_dir" in answers:
            folder = Path(answers["_output_dir"], answers["project_slug"])
            refuse([problem] if (problem := repository.why_not_here(folder)) else [])
            repository.set_aside(folder)
            answers["__made"] = str(folder)  # from here on, what is in it was written by this bake
            end_in_one_line(folder)

    def refusals(self, answers: dict) -> str:
        """Return, as Python, what is wrong with the answers; from then on it is known that hooks run."""
        answers["__checked"] = True
        return ascii(rules.refusals(self.raw, answers))

    def for_hook(self, answers: dict) -> str:
        """Return, as Python, what the last hook needs; cruft does not say where a project goes."""
        return ascii(
            {
                "template": str(self.template),
                "address": answers.get("_template"),
                "answers": {key: answers[key] for key in answers["__asked"]},
                "chosen": answers["__chosen"],
                "engine": answers["__engine"],
                "index": answers["_engine_index"],
                "author": (answers["__author_name"], answers["__author_email"]),
                "by_cookiecutter": "_repo_dir" in answers,
            }
        )


def refuse(sentences: list[str]) -> None:
    """Raise FailedHookException if there is anything to say; cookiecutter prints it and stops."""
    if sentences:
        raise FailedHookException("\n".join(sentences))


def given() -> tuple[dict, dict]:
    """Return what the user's configuration and the command line say; nothing if Python calls cookiecutter."""
    command = click.get_current_context(silent=True)
    if command is None or command.command is not cli.main:
        return {}, {}
    options, known = command.params, command.meta
    if options["replay"] or options["replay_file"]:
        return {}, {}
    if __name__ not in known:  # read once: cookiecutter leaves the folder that the file's name is relative to
        configured = get_user_config(options["config_file"], options["default_config"])
        known[__name__] = configured["default_context"], options["extra_context"] or {}
    return known[__name__]


def report_left_out(key: str, answer: str, because: str) -> None:
    """Say in one line on standard error that an answer cannot apply."""
    print(f"{key}={answer} does not apply with {because}: left out", file=sys.stderr)


def end_in_one_line(folder: Path) -> None:
    """Have the command, if it fails, leave nothing half made behind, and no traceback; see `tidy_up`."""
    command = click.get_current_context(silent=True)
    if command is None or command.command is not cli.main:
        return
    logging.getLogger("cookiecutter.hooks").addFilter(no_traceback)
    command.call_on_close(partial(tidy_up, folder, command.params["keep_project_on_failure"]))


def no_traceback(record: logging.LogRecord) -> bool:
    """Return whether a line of the log is no traceback: a failing hook has said what there is to say."""
    return not record.exc_info


def tidy_up(folder: Path, keep: bool) -> None:
    """Remove a project that is not whole, put a lone `.git` back. Raises ClickException for an OSError."""
    logging.getLogger("cookiecutter.hooks").removeFilter(no_traceback)
    error = sys.exc_info()[1]
    if error and not isinstance(error, SystemExit) and not keep and not (folder / record.NAME).exists():
        shutil.rmtree(folder, ignore_errors=True)
    repository.put_back(folder)
    if isinstance(error, OSError):
        what = f"{error.filename or folder}: {error.strerror or error}"
        raise click.ClickException(f"{what}. No project was made: mend that, then bake again.")


def own(environment) -> Questions | None:
    """Return our extension of an environment, or None if that is another template's."""
    return next((each for each in environment.extensions.values() if type(each) is Questions), None)


def wrap(name: str, wrapper) -> None:
    """Put a wrapper around a function of `cookiecutter.prompt`, if that has the parameters we know."""
    original = getattr(prompt, name, None)
    if original and list(signature(original).parameters) == list(signature(wrapper).parameters)[1:]:
        replacement = partial(wrapper, original)
        replacement.__wrapped__ = original
        setattr(prompt, name, replacement)


def ask_choice(original, cookiecutter_dict, env, key, options, no_input, prompts=None, prefix=""):
    """Ask a choice only where it applies, numbered without gaps."""
    ours, answers = own(env), cookiecutter_dict
    if not ours:
        return original(answers, env, key, options, no_input, prompts, prefix)
    because = rules.obstacle(ours.raw, key, answers)
    if not because:
        asked = [k for k in answers if k in ours.raw and not k.startswith("_")]
        number = 1 + sum(not rules.obstacle(ours.raw, k, answers) for k in asked)
        return original(answers, env, key, options, no_input, prompts, f"  [dim][{number}][/] ")
    other = options[0] if options != ours.raw[key] else NONE  # the given one comes first
    answer = ours.typed.get(key, ours.configured.get(key, other))
    if answer != NONE:
        report_left_out(key, answer, because)
    return NONE


def ask_text(original, var_name, default_value, prompts=None, prefix=""):
    """Ask for a text without a total, as that is still open, and again after a bad answer."""
    if not LATEST or prompts != LATEST[0].raw["__prompts__"]:
        return original(var_name, default_value, prompts, prefix)
    while True:
        shown = re.sub(r"/\d+", "", prefix, count=1)
        answer = texts.mended(original(var_name, default_value, prompts, shown))
        found = rules.problems({var_name: answer})
        if not found:
            return answer
        print(*found, sep="\n", file=sys.stderr)


wrap("prompt_choice_for_config", ask_choice)
wrap("read_user_variable", ask_text)
