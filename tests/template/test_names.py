"""The words in `@` names and in conditions are answers that somebody can give, alone and together."""

import re
from collections import Counter
from itertools import chain

import pytest

from handrail.scaffold.names import WITHOUT, WORD, kept_name
from tests.projects.test_installed import PROJECTS
from tests.template.answers import NONE, choices, cookiecutter_json
from tests.template.baking import TEMPLATE
from tests.template.checks import template
from tests.template.combinations import covering, filled, label

PROJECT = TEMPLATE / template.FOLDER
TEMPLATE_CHECKS = [
    template.at_names_can_come_true,
    template.conditions_can_come_true,
    template.blocks_are_plain,
    template.no_jinja_in_the_package,
]


@pytest.mark.parametrize("check", TEMPLATE_CHECKS, ids=lambda check: check.__name__)
def test_template(check):
    assert list(check(TEMPLATE)) == []


def test_there_are_names_and_conditions_to_check():
    texts = template.rendered_texts(TEMPLATE).values()
    assert {word for path in PROJECT.rglob("*@*") for word in WORD.findall(path.name)} >= {"production"}
    assert len([*chain.from_iterable(template.CONDITION.findall(text) for text in texts)]) > 10


def test_words_are_unique_over_all_questions():
    every = [word for options in choices().values() for word in options if word != NONE]
    assert [word for word, count in Counter(every).items() if count > 1] == []
    assert all(re.fullmatch("[a-z0-9_]+", word) and not word.startswith(WITHOUT) for word in every)


def test_every_word_to_wait_for_is_an_answer_to_an_earlier_question():
    asked = list(choices())
    for key, words in cookiecutter_json()["_ask_when"].items():
        earlier = {word for question in asked[: asked.index(key)] for word in choices()[question]}
        assert set(words.split()) <= earlier


def test_every_answer_is_installed_and_run_in_some_project():
    """A licence changes no behaviour; every other answer is executed, with README, tests and demo."""
    complete = [filled(answers) for answers in PROJECTS.values()]
    run = {(key, row[key]) for row in complete for key in row}
    every = {(key, option) for key, options in choices().items() for option in options if key != "license"}
    missing = sorted(f"{key}={option}" for key, option in every - run)
    assert missing == [], "give these to a project in PROJECTS of tests/projects/test_installed.py"


@pytest.mark.slow
def test_every_choice_changes_the_project(bake):
    """A choice that changes no file is a question without a part behind it."""
    for key, options in choices().items():
        stage = {} if key == "stage" else {"stage": "operation"}
        contents = [contents_of(bake(**stage, **{key: option})) for option in options]
        assert len({frozenset(content.items()) for content in contents}) == len(options), key


def contents_of(project) -> dict[str, bytes]:
    return {name: content for name, content in project.contents.items() if name != ".handrail.json"}


@pytest.mark.parametrize("answers", covering(), ids=label)
def test_no_two_parts_claim_one_name(answers):
    chosen = set(answers.values()) | {NONE}
    stages = choices()["stage"]
    chosen |= set(stages[stages.index(answers["stage"]) :])
    paths = [path.relative_to(PROJECT).as_posix() for path in PROJECT.rglob("*")]
    kept = [name for path in paths if (name := kept_name(path, chosen))]
    assert [name for name, count in Counter(kept).items() if count > 1] == []


def test_no_file_of_the_template_is_executable():
    assert [path for path in PROJECT.rglob("*") if path.is_file() and path.stat().st_mode & 0o111] == []
