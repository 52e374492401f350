"""The contract says a rule once; records, tables, requests and the dictionary all follow it."""

import math

import duckdb
import pytest
from pydantic import ValidationError

from {{ cookiecutter.__package }} import contract, schema
from {{ cookiecutter.__package }}.etl import validate
from {{ cookiecutter.__package }}.report import dictionary

from .conftest import ROOT

CONTRACT = contract.CONTRACT
COLUMNS = schema.columns(CONTRACT)


def broken_records():
    """Yield a record for each rule of the contract that breaks this rule only, with the rule's text."""
    for column in COLUMNS:
        (good,) = schema.sample_records(CONTRACT, 1)
        if not column.nullable:
            yield good | {column.name: None}, f"{column.name}: missing"
        if column.ge is not None:
            yield good | {column.name: column.kind(column.ge - 1)}, f"{column.name}: below {column.ge:g}"
        if column.le is not None:
            yield good | {column.name: column.kind(column.le + 1)}, f"{column.name}: above {column.le:g}"
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
    records = schema.sample_records(CONTRACT, 200, seed=3)
    assert [CONTRACT.model_validate(record).model_dump() for record in records] == records
    assert checked(records) == [None] * 200


def test_made_up_records_are_the_same_for_the_same_seed():
    assert schema.sample_records(CONTRACT, 5, seed=1) == schema.sample_records(CONTRACT, 5, seed=1)
    assert schema.sample_records(CONTRACT, 5, seed=1) != schema.sample_records(CONTRACT, 5, seed=2)


@pytest.mark.parametrize(
    ("record", "rule"), list(broken_records()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_broken_rule_is_found_in_a_record_and_in_a_table(record, rule):
    with pytest.raises(ValidationError) as refused:
        CONTRACT.model_validate(record)
    assert [error["loc"] for error in refused.value.errors()] == [(rule.split(":")[0],)]
    assert rule in checked([record])[0]


def test_all_broken_rules_of_a_row_are_named():
    (good,) = schema.sample_records(CONTRACT, 1)
    numbers = [column for column in COLUMNS if column.ge is not None][:2]
    bad = good | {column.name: column.kind(column.ge - 1) for column in numbers}
    assert checked([bad]) == ["; ".join(f"{column.name}: below {column.ge:g}" for column in numbers)]


def test_a_repeated_key_is_kept_once():
    key = schema.one_of_role(CONTRACT, schema.Role.KEY).name
    first, second = schema.sample_records(CONTRACT, 2)
    nameless = [record | {key: None} for record in (first, second)]
    assert checked(nameless) == [f"{key}: missing"] * 2
    twice = [first, second | {key: first[key]}]
    assert checked(twice) == [None, f"{key}: repeated"]


def test_a_request_holds_nothing_that_only_time_tells():
    asked = set(schema.request_model(CONTRACT).model_fields)
    told_later = schema.of_role(CONTRACT, schema.Role.TARGET, schema.Role.FORBIDDEN)
    assert told_later
    assert asked == {c.name for c in COLUMNS} - {c.name for c in told_later}


def test_unknown_and_infinite_values_are_refused():
    (good,) = schema.sample_records(CONTRACT, 1)
    number = next(column.name for column in COLUMNS if column.kind is float)
    with pytest.raises(ValidationError, match="Extra inputs"):
        CONTRACT.model_validate(good | {"surprise": 1})
    with pytest.raises(ValidationError, match="finite"):
        CONTRACT.model_validate(good | {number: math.inf})


def test_a_column_without_a_role_is_refused():
    class Forgetful(schema.Record):
        amount: int

    with pytest.raises(TypeError, match="amount has no role"):
        schema.columns(Forgetful)


def test_the_data_dictionary_is_that_of_the_contract():
    page = (ROOT / "2-research" / "data-dictionary.md").read_text(encoding="utf-8")
    assert page == dictionary.data_dictionary(CONTRACT)
