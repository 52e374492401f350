"""The rules of the answers, for made-up questions."""

import pytest

from handrail.scaffold import answers

TEMPLATE = {
    "project_name": "Late Flights",
    "stage": ["operation", "research", "discovery"],
    "model": ["sklearn", "keras"],
    "api": ["fastapi", "none"],
    "license": ["mit", "bsd"],
    "_ask_when": {"model": "research", "api": "operation"},
    "_spdx": {"mit": "MIT", "bsd": "BSD-3-Clause"},
    "__prompts__": {},
}


def test_only_what_has_no_underscore_is_asked():
    assert list(answers.questions(TEMPLATE)) == ["project_name", "stage", "model", "api", "license"]
    assert list(answers.choices(TEMPLATE)) == ["stage", "model", "api", "license"]


def test_a_stage_chooses_those_before_it_and_none_is_no_word():
    given = {"stage": "operation", "model": "keras", "api": "none"}
    assert answers.chosen_words(TEMPLATE, given) == ["operation", "research", "discovery", "keras"]


@pytest.mark.parametrize(
    ("key", "stage", "because"),
    [
        ("model", "discovery", "stage=discovery"),
        ("model", "research", ""),
        ("api", "research", "stage=research"),
        ("license", "discovery", ""),
    ],
)
def test_an_obstacle_is_named(key, stage, because):
    assert answers.obstacle(TEMPLATE, key, {"stage": stage}) == because


def test_what_is_derived():
    given = {
        "project_slug": "late-flights",
        "author": "Zoë <zoe@example.com>",
        "stage": "research",
        "model": "keras",
        "license": "bsd",
    }
    assert answers.derived(TEMPLATE, given) == {
        "__asked": ["project_name", "stage", "model", "license"],
        "__chosen": ["research", "discovery", "keras", "bsd"],
        "__package": "late_flights",
        "__author_name": "Zoë",
        "__author_email": "zoe@example.com",
        "__spdx": "BSD-3-Clause",
    }


def test_unknown_names_and_choices_are_told_with_what_was_meant():
    assert answers.unknown_questions(TEMPLATE, ["stagee", "stage"]) == [
        "stagee: is no question. Take one of: stage"
    ]
    assert answers.unknown_choices(TEMPLATE, {"stage": "alpha", "api": "none"}, " in a file") == [
        "stage 'alpha' in a file: is no such choice. Take one of: operation, research, discovery"
    ]


@pytest.mark.parametrize("slug", ["handrail", "duckdb", "json", "con", "tests"])
def test_a_name_that_is_taken_is_refused(slug):
    (problem,) = answers.slug_problems("project_slug", slug)
    assert problem.endswith(f"Try {slug}-project")
    assert list(answers.slug_problems("project_slug", f"{slug}-project")) == []
