"""The contract says a rule once; records, tables, requests and the dictionary all follow it."""

import math
import re
from datetime import date, datetime
from typing import Literal

import duckdb
import pytest
from pydantic import ValidationError, create_model

from handrail import errors
from handrail.contract import dictionary, schema
from handrail.contract import table_check as validate
from tests.engine.support import made_up
from tests.engine.support.names import contract
from tests.engine.support.workspaces import ROOT

CONTRACT = contract.CONTRACT
COLUMNS = schema.columns(CONTRACT)


def broken_records():
    """Yield a record for each rule of the contract that breaks this rule only, with the rule's text."""
    for column in COLUMNS:
        (good,) = made_up.records(CONTRACT, 1)
        if not column.nullable:
            yield good | {column.name: None}, f"{column.name}: missing"
        if column.ge is not None:
            yield good | {column.name: column.kind(column.ge - 1)}, f"{column.name}: below {column.ge:.15g}"
        if column.le is not None:
            yield good | {column.name: column.kind(column.le + 1)}, f"{column.name}: above {column.le:.15g}"
        if column.pattern:
            yield good | {column.name: "?"}, f"{column.name}: not like {column.pattern}"
        if column.choices:
            yield good | {column.name: "?"}, f"{column.name}: not one of {', '.join(column.choices)}"
        if column.kind is float:
            yield good | {column.name: math.nan}, f"{column.name}: not a number"


def checked(records):
    """Return each record's reason by the check of whole tables."""
    with duckdb.connect() as connection:
        fill(connection, records)
        validate.check(connection, "t", CONTRACT)
        time = schema.one_of_role(CONTRACT, schema.Role.TIME).name
        found = connection.execute(f"SELECT reason FROM checked ORDER BY {time}").fetchall()
    return [reason for (reason,) in found]


def fill(connection, records):
    """Put `records` into the table t."""
    types = ", ".join(f"{c.name} {validate.SQL_TYPES[c.kind]}" for c in COLUMNS)
    connection.execute(f"CREATE TABLE t ({types})")
    places = ", ".join("?" * len(COLUMNS))
    connection.executemany(
        f"INSERT INTO t VALUES ({places})", [[r[c.name] for c in COLUMNS] for r in records]
    )


def test_made_up_records_keep_every_rule():
    records = made_up.records(CONTRACT, 200, seed=3)
    assert [CONTRACT.model_validate(record).model_dump() for record in records] == records
    assert checked(records) == [None] * 200


def test_made_up_records_are_the_same_for_the_same_seed():
    assert made_up.records(CONTRACT, 5, seed=1) == made_up.records(CONTRACT, 5, seed=1)
    assert made_up.records(CONTRACT, 5, seed=1) != made_up.records(CONTRACT, 5, seed=2)


@pytest.mark.parametrize(
    ("record", "rule"), list(broken_records()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_broken_rule_is_found_in_a_record_and_in_a_table(record, rule):
    with pytest.raises(ValidationError) as refused:
        CONTRACT.model_validate(record)
    assert [error["loc"] for error in refused.value.errors()] == [(rule.split(":")[0],)]
    assert rule in checked([record])[0]


def test_all_broken_rules_of_a_row_are_named():
    (good,) = made_up.records(CONTRACT, 1)
    numbers = [column for column in COLUMNS if column.ge is not None][:2]
    bad = good | {column.name: column.kind(column.ge - 1) for column in numbers}
    assert checked([bad]) == ["; ".join(f"{column.name}: below {column.ge:.15g}" for column in numbers)]


def test_a_repeated_key_is_kept_once():
    key = schema.one_of_role(CONTRACT, schema.Role.KEY).name
    first, second = made_up.records(CONTRACT, 2)
    nameless = [record | {key: None} for record in (first, second)]
    assert checked(nameless) == [f"{key}: missing"] * 2
    twice = [first, second | {key: first[key]}]
    assert checked(twice) == [None, f"{key}: repeated"]


def test_a_request_holds_nothing_that_only_time_tells():
    asked = set(schema.request_model(CONTRACT).model_fields)
    assert schema.one_of_role(CONTRACT, schema.Role.TARGET).name not in asked
    known = schema.of_role(CONTRACT, schema.Role.KEY, schema.Role.TIME, schema.Role.FEATURE)
    assert asked == {c.name for c in known}


def test_unknown_and_infinite_values_are_refused():
    (good,) = made_up.records(CONTRACT, 1)
    number = next(column.name for column in COLUMNS if column.kind is float)
    with pytest.raises(ValidationError, match="Extra inputs"):
        CONTRACT.model_validate(good | {"surprise": 1})
    with pytest.raises(ValidationError, match="finite"):
        CONTRACT.model_validate(good | {number: math.inf})


def test_a_column_without_a_role_is_refused():
    class Forgetful(schema.Record):
        amount: int

    with pytest.raises(errors.ProjectError, match=r"^contract\.py: amount has no role"):
        schema.columns(Forgetful)


def one_column(role, kind, **rules):
    """Return a contract with the one column `x`."""
    return create_model("OneColumn", __base__=schema.Record, x=(kind, schema.column(role, "It", **rules)))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (bool, "x: <class 'bool'> is none of str, int, float, datetime, a Literal of names"),
        (date | None, "x: datetime.date | None is none of str"),
        (int | str, "x: int | str is none of str"),
        (Literal[1, 2], "x: typing.Literal[1, 2] is none of str"),
        (datetime, "x is a time, a feature is an amount or a name"),
    ],
    ids=["bool", "date", "two kinds", "choice of numbers", "time"],
)
def test_a_feature_that_no_model_can_read_is_refused(kind, said):
    with pytest.raises(errors.ProjectError, match=re.escape(f"contract.py: {said}")) as refused:
        schema.columns(one_column(schema.Role.FEATURE, kind))
    assert str(refused.value).endswith("a date an amount of days; the time of a row is a datetime")


@pytest.mark.parametrize(
    ("kind", "rule"),
    [(int, {"gt": 0}), (float, {"lt": 1}), (int, {"multiple_of": 5}), (str, {"max_length": 3})],
    ids=["gt", "lt", "multiple_of", "max_length"],
)
def test_a_rule_that_tables_are_not_checked_by_is_refused(kind, rule):
    with pytest.raises(
        errors.ProjectError, match=r"^contract\.py: x: .* is no rule for tables; use ge, le, pattern$"
    ):
        schema.columns(one_column(schema.Role.FEATURE, kind, **rule))


def test_a_contract_with_no_key_or_two_is_refused():
    with pytest.raises(errors.ProjectError, match=r"one column has to be the key, found none$"):
        schema.one_of_role(one_column(schema.Role.FEATURE, int), schema.Role.KEY)
    first, second = one_column(schema.Role.KEY, str), schema.column(schema.Role.KEY, "Another")
    twice = create_model("Twice", __base__=first, y=(int, second))
    with pytest.raises(errors.ProjectError, match=r"the key, found x, y$"):
        schema.one_of_role(twice, schema.Role.KEY)


def test_a_column_that_records_cannot_be_made_up_for_says_what_it_needs():
    with pytest.raises(errors.ProjectError, match=r"^contract\.py: x needs examples$"):
        made_up.records(one_column(schema.Role.FEATURE, str), 1)
    with pytest.raises(errors.ProjectError, match=r"^contract\.py: x needs both ge and le$"):
        made_up.records(one_column(schema.Role.FEATURE, int, ge=0), 1)


def test_everything_that_made_up_records_need_is_told_at_once():
    name, amount = one_column(schema.Role.FEATURE, str), schema.column(schema.Role.FEATURE, "Another", ge=0)
    two = create_model("Two", __base__=name, y=(int, amount))
    with pytest.raises(errors.ProjectError) as refused:
        made_up.records(two, 1)
    assert refused.value.problems == (
        "contract.py: x needs examples",
        "contract.py: y needs both ge and le",
    )


def test_a_key_may_be_a_number():
    numbered = one_column(schema.Role.KEY, int, ge=10, le=99)
    assert made_up.records(numbered, 3) == [{"x": 10}, {"x": 11}, {"x": 12}]


def test_the_data_dictionary_is_that_of_the_contract():
    page = (ROOT / "2-research" / "data-dictionary.md").read_text(encoding="utf-8")
    assert page == dictionary.data_dictionary(CONTRACT)


def test_large_limits_are_written_in_full():
    dear = one_column(schema.Role.FEATURE, float, ge=1_234_567, le=50_000_000)
    assert "| 1234567 to 50000000 |" in dictionary.data_dictionary(dear)
    assert "x: above 50000000" in [rule.text for rule in validate.rules(dear)]
