"""The words in `@` names and in conditions are answers that somebody can give."""

import re
from collections import Counter
from fnmatch import fnmatch
from itertools import chain

import pytest

from hooks.answers import NONE, template
from hooks.post_gen_project import WORD, kept_name
from tests.combinations import choices, covering, label
from tests.conftest import TEMPLATE

PROJECT = TEMPLATE / "{{cookiecutter.project_slug}}"
WORDS = {word for options in choices().values() for word in options if word != NONE}
CONDITION = re.compile(r"{%-? *(?:el)?if (.+?) *-?%}")
TESTED = re.compile(r"'([a-z0-9_]+)' (?:not )?in cookiecutter\.__chosen")


def sources() -> dict[str, str]:
    """Return the text of every file of the template that is rendered, by its path in the project."""
    copied = template()["_copy_without_render"]
    paths = {path.relative_to(PROJECT).as_posix(): path for path in PROJECT.rglob("*") if path.is_file()}
    rendered = [name for name in paths if not any(fnmatch(name, pattern) for pattern in copied)]
    return {name: paths[name].read_text(encoding="utf-8") for name in rendered if "__pycache__" not in name}


def test_words_are_unique_over_all_questions():
    every = [word for options in choices().values() for word in options if word != NONE]
    assert [word for word, count in Counter(every).items() if count > 1] == []
    assert all(re.fullmatch("[a-z0-9_]+", word) for word in every)


def test_every_at_name_is_an_answer():
    named = {word for path in PROJECT.rglob("*@*") for word in WORD.findall(path.name)}
    assert named <= WORDS
    assert "production" in named


def test_every_word_in_a_condition_is_an_answer():
    conditions = list(chain.from_iterable(CONDITION.findall(text) for text in sources().values()))
    assert conditions
    for condition in conditions:
        rest = TESTED.sub("", condition)
        assert set(TESTED.findall(condition)) <= WORDS, condition
        assert re.fullmatch(r"( |and|or|not|\(|\))*", rest), (
            f"{condition}: only words of __chosen may be asked for"
        )


def test_every_word_to_wait_for_is_an_answer_to_an_earlier_question():
    asked = list(choices())
    for key, words in template()["_ask_when"].items():
        earlier = {word for question in asked[: asked.index(key)] for word in choices()[question]}
        assert set(words.split()) <= earlier


def test_the_packages_python_holds_no_jinja():
    for path in (PROJECT / "src").rglob("*.py"):
        assert not re.search(r"{%|{{ *cookiecutter|{#", path.read_text(encoding="utf-8")), path


def test_blocks_stand_alone_on_their_line_and_are_not_nested():
    for name, text in sources().items():
        depth = 0
        for number, line in enumerate(text.splitlines(), 1):
            if "{%" in line and "{% now" not in line:
                assert re.fullmatch(r" *{% .+ %}", line), f"{name}:{number}"
                depth += len(re.findall("{% (?:if|for)", line)) - len(re.findall("{% end", line))
                assert depth in (0, 1), f"{name}:{number}: nested"
        assert depth == 0, name


def test_every_choice_changes_the_project(bake):
    """A choice that changes no file is a question without a part behind it."""
    for key, options in choices().items():
        stage = {} if key == "stage" else {"stage": "operation"}
        contents = [contents_of(bake(**stage, **{key: option})) for option in options]
        assert len({frozenset(content.items()) for content in contents}) == len(options), key


def contents_of(project) -> dict[str, str]:
    names = [name for name in project.files if name != ".handrail.json"]
    return {name: project.text(name) for name in names if not name.endswith((".png", ".ico"))}


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
