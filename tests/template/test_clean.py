"""Whatever was answered, the baked project is clean: every pair of answers, random ones, named ones."""

import os
import re
import shutil
from collections.abc import Iterator

import pytest

from tests.template.answers import NONE, choices, chosen_words
from tests.template.baking import SEED, TEMPLATE, Project, bake_without_git
from tests.template.checks import code, judges, markdown, practice, sentences, texts
from tests.template.combinations import at_random, covering
from tests.template.traces import TRACES
from tests.template.trees import NAMED

CHECKS = [
    texts.no_marker_is_left,
    texts.tidy,
    texts.parses,
    texts.no_word_of_an_absent_part,
    texts.no_empty_folder,
    markdown.paths_and_links_exist,
    markdown.commands_exist,
    markdown.every_verb_is_in_the_readme,
    markdown.every_folder_of_the_package_is_in_the_readme,
    markdown.agents_are_told_all_on_a_page,
    markdown.lines_to_change_are_there,
    markdown.names_of_the_engine_exist,
    markdown.code_uses_what_the_engine_promises,
    code.linted_and_formatted,
    code.own_imports_are_there,
    code.dependencies_are_used_and_named,
    judges.workflows_fit_their_schema,
    judges.workflows_are_safe,
    judges.containers_are_sound,
    judges.devcontainers_fit_their_schema,
    judges.stacks_are_sound,
    judges.shell_is_sound,
    judges.hooks_are_valid,
    judges.spelled_right,
    practice.good_practice,
]
RANDOM = int(os.environ.get("HANDRAIL_RANDOM", "40"))
CHOSEN = [*covering(), *NAMED.values()]
LOTS, FAST_LOTS = 4, 2
# Lots of answers in which every pair occurs, of those that have names, and of random ones.
KINDS = covering(), [*NAMED.values()], at_random(RANDOM, os.environ[SEED])
ANSWERS = [answers[n::LOTS] for answers in KINDS for n in range(LOTS)]


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(n, marks=[pytest.mark.xdist_group(f"lot {n}"), *[pytest.mark.slow] * (n >= FAST_LOTS)])
        for n in range(len(ANSWERS))
    ],
)
def lot(request, tmp_path_factory) -> Iterator[list[Project]]:
    """A part of all projects, baked once for all checks."""
    folder = tmp_path_factory.mktemp("lot")
    yield [
        bake_without_git(TEMPLATE, folder / str(number), answers)
        for number, answers in enumerate(ANSWERS[request.param])
    ]
    shutil.rmtree(folder)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_clean(check, lot):
    found = sentences(check, lot)
    assert not found, "\n".join(["", *found])


def test_types(lot):
    """Random answers would add seconds, and no module that the chosen ones lack."""
    found = sentences(code.types_are_right, [project for project in lot if project.answers in CHOSEN])
    assert not found, "\n".join(["", *found])


def test_parts_come_with_what_the_judges_look_at(lot):
    for project in lot:
        assert any(name.startswith(".github/workflows/") for name in project.files) == (
            "github" in project.words
        )
        assert (".gitlab-ci.yml" in project.files) == ("gitlab" in project.words)
        for name in ("3-production/Dockerfile", "3-production/compose.yaml"):
            assert (name in project.files) == ("production" in project.words)


@pytest.mark.slow
def test_each_word_has_traces_and_each_trace_is_in_a_project_that_has_the_part(bake):
    """A pattern that matches nothing anywhere would find nothing where it should."""
    words = {word for options in choices().values() for word in options if word != NONE}
    assert words - TRACES.keys() == {
        "discovery",
        "duckdb",
    }  # every project has the one, whatever learns the other
    wholes = {}
    for answers in covering():
        if set(chosen_words(answers)) <= wholes.keys():
            continue
        project = bake(**answers)
        for word in project.words:
            texts_of = [f"{name}\n{text}" for name, text in project.texts.items()]
            wholes[word] = "\n".join([wholes.get(word, ""), *texts_of])
    silent = {
        word: [p for p in TRACES[word] if not re.search(p, wholes[word], re.IGNORECASE)] for word in TRACES
    }
    assert {word: patterns for word, patterns in silent.items() if patterns} == {}


def test_the_random_answers_follow_from_their_seed_and_differ():
    assert at_random(30, "1") == at_random(30, "1") != at_random(30, "2")
    rows = at_random(200, os.environ[SEED])
    assert len({tuple(row.items()) for row in rows}) == len(rows)
    assert len(rows) >= 150
