"""Records made up from any contract: keys of every form, values of every kind, and a break of every rule."""

import re
from typing import Literal

import pytest
from pydantic import ValidationError, create_model

from handrail.contract import Record, Role, column
from handrail.contract.schema import with_key
from handrail.contract.table_check import rules
from handrail.errors import ProjectError
from handrail.testing.made_up_records import broken_records, made_up_records, records_at_ends
from tests.engine.support.example import example
from tests.engine.testing.made_up_projects import SHAPES, contract_of

CONTRACTS = {
    **{problem: example(problem).contract for problem in ("classification", "regression", "forecasting")},
    **{name: with_key(contract_of(shape)) for name, shape in SHAPES.items()},
}


def of_all(test):
    return pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)(test)


def one_column(role, kind, **allowed):
    """Return a contract with the one column `x`."""
    return create_model("OneColumn", __base__=Record, x=(kind, column(role, "It", **allowed)))


# A table can hold such a time, and no record.
NO_RECORD = ": not of the years 1 to 9999"


@of_all
def test_records_keep_every_rule_and_no_key_comes_twice(contract):
    (key,) = [
        name for name, field in contract.model_fields.items() if field.json_schema_extra["role"] == "key"
    ]
    for records in (made_up_records(contract, 300, seed=3), records_at_ends(contract, 300, seed=3)):
        assert [contract(**record).model_dump() for record in records] == records
        assert len({record[key] for record in records}) == 300


@of_all
def test_every_rule_is_broken_once_and_alone(contract):
    broken = list(broken_records(contract))
    of_one = [rule.text for rule in rules(contract) if ": later than " not in rule.text]
    known = {text for text in of_one if not text.endswith(NO_RECORD)}
    assert {f"{each.column}: {each.rule}" for each in broken} == known
    for each in broken:
        with pytest.raises(ValidationError) as refused:
            contract(**each.record)
        assert {error["loc"] for error in refused.value.errors()} == {(each.column,)}


def test_the_same_seed_gives_the_same_records():
    contract = CONTRACTS["classification"]
    assert made_up_records(contract, 5, seed=1) == made_up_records(contract, 5, seed=1)
    assert made_up_records(contract, 5, seed=1) != made_up_records(contract, 5, seed=2)


@pytest.mark.parametrize(
    ("example_key", "pattern", "third"),
    [
        ("Abilene-201001-h1", r"^[A-Z][a-z]+-\d{6}-h[1-4]$", "Abilene-201001-h3"),
        ("Abilene-201001-high", r"^[A-Z][a-z]+-\d{6}-(low|high)$", "Abilene-201003-high"),
        ("UA15-EWR", None, "UA17-EWR"),
        ("abc", "^[a-z]{3}$", "abe"),
        ("V1", "^V[0-9]+$", "V3"),
        ("no 1 of the day", "^no [1-9][0-9]* of the day$", "no 3 of the day"),
        ("AAA-1", "^[A-Z]{3}-1$", "AAC-1"),
        ("?", None, "?2"),
        ("550e8400-e29b-41d4-a716", "^[0-9a-f-]{23}$", "550e8400-e29b-41d4-a718"),
    ],
)
def test_keys_are_like_the_example_whatever_its_form(example_key, pattern, third):
    contract = one_column(Role.KEY, str, examples=[example_key], pattern=pattern)
    keys = [record["x"] for record in made_up_records(contract, 1000)]
    assert keys[0] == example_key
    assert keys[2] == third
    assert len(set(keys)) == 1000
    assert all(re.search(pattern or "", key) for key in keys)


def test_a_key_may_be_a_number():
    assert made_up_records(one_column(Role.KEY, int, ge=10, le=99), 3) == [{"x": 10}, {"x": 11}, {"x": 12}]


def test_a_key_that_can_hardly_vary_says_what_it_needs():
    with pytest.raises(ProjectError) as refused:
        made_up_records(one_column(Role.KEY, str, examples=["A1"], pattern="^A[1-3]$"), 5)
    assert str(refused.value) == (
        "contract.py: x: only 3 keys like its example keep its rules; give another one, in which more digits "
        "or letters may change"
    )


def test_a_pattern_that_any_text_is_like_has_no_break():
    anything = one_column(Role.FEATURE, str, pattern=".*", examples=["any"])
    assert [each.rule for each in broken_records(anything)] == ["missing", "longer than 1000 characters"]


@pytest.mark.parametrize("pattern", ["^[^?]+$", r"\S", "^.{1,40}$", "^(?:a|b|0)?$", "^[A-Z]"])
def test_a_text_is_found_that_breaks_a_pattern(pattern):
    contract = one_column(Role.FEATURE, str | None, pattern=pattern, examples=["Ab"])
    longer, broken = broken_records(contract)
    assert (longer.rule, broken.rule) == ("longer than 1000 characters", f"not like {pattern}")
    for each in (longer, broken):
        with pytest.raises(ValidationError):
            contract(**each.record)


@pytest.mark.parametrize("end", [0.001, 1e12, -3.5])
def test_a_value_beyond_an_end_is_found_whatever_its_size(end):
    contract = one_column(Role.FEATURE, float | None, ge=end, le=end)
    found = {each.rule: each.record["x"] for each in broken_records(contract)}
    assert found[f"below {end:.15g}"] < end < found[f"above {end:.15g}"]


def test_a_choice_may_be_any_text():
    contract = one_column(Role.FEATURE, Literal["?", "", "a"])
    (missing, other) = broken_records(contract)
    assert (missing.rule, other.rule) == ("missing", "not one of ?, , a")
    assert other.record["x"] not in ("?", "", "a")


def test_everything_that_is_missing_is_told_at_once():
    name, amount = one_column(Role.FEATURE, str), column(Role.FEATURE, "Another", ge=0)
    with pytest.raises(ProjectError) as refused:
        made_up_records(create_model("Two", __base__=name, y=(int, amount)), 1)
    assert refused.value.problems == (
        "contract.py: x needs examples",
        "contract.py: y needs both ge and le",
    )
