"""Checks of the template itself: every `@word` and every condition can come true."""

import json
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from functools import cache
from itertools import product
from pathlib import Path

from handrail.scaffold.names import CACHES, WITHOUT, WORD, kept_name
from tests.template.answers import NONE, choices, chosen_words
from tests.template.checks import line_of
from tests.template.combinations import filled

FOLDER = "{{cookiecutter.project_slug}}"
WORDS = {word for options in choices().values() for word in options if word != NONE}
CONDITION = re.compile(r"{%-? *(?:el)?if (.+?) *-?%}")
TESTED = re.compile(r"'([a-z0-9_]+)' (?:not )?in cookiecutter\.__chosen")
INDEX = "cookiecutter._engine_index"  # a setting of the template itself; either way somebody bakes projects
TemplateCheck = Callable[[Path], Iterator[str]]


def paths(template: Path) -> dict[str, Path]:
    """Return every file of the project's folder, by its name in it."""
    folder = template / FOLDER
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path for name, path in sorted(files.items()) if CACHES.isdisjoint(name.split("/"))}


def rendered_texts(template: Path) -> dict[str, str]:
    """Return the text of every file that goes through Jinja."""
    copied = json.loads((template / "cookiecutter.json").read_text(encoding="utf-8"))["_copy_without_render"]
    rendered = {
        name: path
        for name, path in paths(template).items()
        if not any(fnmatch(name, pattern) for pattern in copied)
    }
    return {name: path.read_text(encoding="utf-8") for name, path in rendered.items()}


def worlds(words: set[str]) -> Iterator[set[str]]:
    """Yield what can be chosen, as far as these words go: each valid answer to the questions concerned."""
    asked = [key for key, options in choices().items() if key == "stage" or words & set(options)]
    for answers in product(*[(*choices()[key], NONE) for key in asked]):
        row = filled(dict(zip(asked, answers, strict=True)))
        if row:
            yield set(chosen_words(row))


@cache
def outcomes(condition: str) -> set[bool]:
    """Return what a condition can come to, over all projects."""
    plain = condition.replace("cookiecutter.__chosen", "chosen").replace(INDEX, "index")
    code, chosen = compile(plain, condition, "eval"), list(worlds(set(TESTED.findall(condition))))
    return {
        bool(eval(code, {"chosen": words, "index": index})) for words in chosen for index in (True, False)
    }


def at_names_can_come_true(template: Path) -> Iterator[str]:
    """Yield each `@word` that is no answer, and each file whose words no project has together."""
    for name in paths(template):
        asked = [set(either.split("+")) for either in WORD.findall(name)]
        words = set().union(*asked)
        plain = {word.removeprefix(WITHOUT) for word in words}
        for word in sorted(plain - WORDS):
            yield f"{name}:1: @{word}: no question has such an answer"
        if plain <= WORDS and not any(kept_name(name, chosen) for chosen in worlds(plain)):
            yield f"{name}:1: no project has {' and '.join(sorted(words))} together"


def conditions_can_come_true(template: Path) -> Iterator[str]:
    """Yield each condition that asks for what nobody can answer, or that always comes to the same."""
    for name, text in rendered_texts(template).items():
        for match in CONDITION.finditer(text):
            place, condition = f"{name}:{line_of(text, match.start())}: {{% if {match[1]} %}}", match[1]
            unknown = sorted(set(TESTED.findall(condition)) - WORDS)
            if not re.fullmatch(r"( |and|or|not|\(|\))*", TESTED.sub("", condition).replace(INDEX, "")):
                yield f"{place}: only words of __chosen may be asked for"
            elif unknown:
                yield f"{place}: no question has the answer {', '.join(unknown)}"
            elif len(outcomes(condition)) == 1:
                yield f"{place}: {'always' if outcomes(condition) == {True} else 'never'} true"


def blocks_are_plain(template: Path) -> Iterator[str]:
    """Yield each block tag that is not alone on its line, nested, or left open."""
    for name, text in rendered_texts(template).items():
        depth = 0
        for number, line in enumerate(text.splitlines(), 1):
            if "{%" in line and "{% now" not in line:
                depth += len(re.findall("{% (?:if|for)", line)) - len(re.findall("{% end", line))
                if not re.fullmatch(r" *{% .+ %}", line):
                    yield f"{name}:{number}: a block tag stands alone on its line"
                if depth > 1:
                    yield f"{name}:{number}: a block inside a block"
        if depth:
            yield f"{name}:{len(text.splitlines())}: a block is left open"


def no_jinja_in_the_package(template: Path) -> Iterator[str]:
    """Yield each Python file with a block tag in it, and each module under src/ that is no plain Python."""
    for name, path in paths(template).items():
        if name.endswith(".py"):
            text = path.read_text(encoding="utf-8")
            package = name.startswith("src/")
            for match in re.finditer(r"{%|{#|{{ *cookiecutter" if package else "{%|{#", text):
                what = "Jinja in the package" if package else "a block tag in Python"
                yield f"{name}:{line_of(text, match.start())}: {what}"
