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
    [(int, {"gt": 0}), (float, {"lt": 1}), (int, {"multiple_of": 5}), (str, {"min_length": 3})],
    ids=["gt", "lt", "multiple_of", "min_length"],
)
def test_a_rule_that_tables_are_not_checked_by_is_refused(kind, rule):
    said = r"^contract\.py: x: .* is no rule for tables; use ge, le, pattern, max_length$"
    with pytest.raises(errors.ProjectError, match=said):
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


# Every kind has a rule of its own, in records and tables alike, and no value stops the check of a table.


class Parcel(schema.Record):
    """A record with a column of every kind."""

    number: int = schema.column(schema.Role.KEY, "Number", ge=0)
    sent_at: datetime = schema.column(schema.Role.TIME, "Sent")
    seen_at: datetime | None = schema.column(schema.Role.CONTEXT, "Seen", zone="utc")
    cents: int | None = schema.column(schema.Role.FEATURE, "Price", ge=0, le=10_000_000_000)
    weight: float | None = schema.column(schema.Role.FEATURE, "Weight", ge=0, le=100)
    town: str | None = schema.column(schema.Role.FEATURE, "Town")
    note: str | None = schema.column(schema.Role.CONTEXT, "Note", max_length=5)


GOOD = {"number": 1, "sent_at": "2013-01-01T10:00:00", "seen_at": None, "cents": 5, "weight": 1.0}
GOOD |= {"town": "Lyon", "note": None}


def wrong(**changes):
    """Return what a record with `changes` is refused for, by column."""
    with pytest.raises(ValidationError) as refused:
        Parcel.model_validate(GOOD | changes)
    return {error["loc"][0]: error["msg"] for error in refused.value.errors()}


def judged(**columns):
    """Return the reason of a row whose columns are the given expressions of SQL, and what is kept of it."""
    plain = {"number": "1", "sent_at": "TIMESTAMP '2013-01-01'", "seen_at": "NULL", "cents": "5"}
    plain |= {"weight": "1.0::DOUBLE", "town": "'Lyon'", "note": "NULL"}
    chosen = ", ".join(f"{value} AS {name}" for name, value in (plain | columns).items())
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = 'UTC'; CREATE TABLE t AS SELECT {chosen}")
        validate.refuse_other_columns(connection, "t", Parcel, "transform.sql")
        validate.check(connection, "t", Parcel)
        cursor = connection.execute("SELECT * FROM checked")
        return dict(zip([each[0] for each in cursor.description], cursor.fetchone(), strict=True))


@pytest.mark.parametrize("kind", ["DOUBLE", "DECIMAL(38, 4)", "HUGEINT", "UBIGINT", "BIGINT"])
def test_whole_numbers_have_64_bits(kind):
    assert judged(cents=f"3000000000::{kind}") == judged() | {"cents": 3_000_000_000}
    assert judged(cents=f"99999999999::{kind}")["reason"] == "cents: above 10000000000"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("1400.6::DOUBLE", "cents: not a whole number"),
        ("1400.6::DECIMAL(10, 1)", "cents: not a whole number"),
        ("'nan'::DOUBLE", "cents: not a whole number"),
        ("'inf'::FLOAT", "cents: not a whole number"),
        ("1e30::DOUBLE", "cents: above 10000000000"),
        ("18446744073709551615::UBIGINT", "cents: above 10000000000"),
    ],
)
def test_a_value_that_a_whole_number_cannot_have_rejects_its_row(value, reason):
    assert judged(cents=value)["reason"] == reason


def test_whole_numbers_of_more_than_64_bits_are_no_key():
    assert judged(number="1e20::HUGEINT")["reason"] == "number: beyond 64 bits"
    assert wrong(number=2**63)["number"] == "Input should be less than or equal to 9223372036854775807"


@pytest.mark.parametrize(
    "value", ["'infinity'::TIMESTAMP", "'20000-01-01'::TIMESTAMP", "'99999-01-01'::DATE"]
)
def test_a_time_that_no_record_can_have_rejects_its_row(value):
    assert judged(sent_at=value)["reason"] == "sent_at: not of the years 1 to 9999"


def test_names_have_a_length_in_records_and_tables():
    assert judged(town="repeat('é', 1000)", note="'ééééé'")["reason"] is None
    assert judged(town="repeat('é', 1001)")["reason"] == "town: longer than 1000 characters"
    assert judged(note="'123456'")["reason"] == "note: longer than 5 characters"
    assert wrong(town="é" * 1001, note="123456") == {
        "town": "String should have at most 1000 characters",
        "note": "String should have at most 5 characters",
    }


@pytest.mark.parametrize("number", [1357034400, 1357034400.5, "1357034400", "1357034400.5", True])
def test_no_number_is_a_time(number):
    said = "has to be like 2013-01-31T18:30:00, and no number"
    assert wrong(sent_at=number, seen_at=number) == {"sent_at": said, "seen_at": said}


def test_a_number_in_a_table_is_no_time():
    with pytest.raises(errors.ProjectError, match=r"^transform\.sql: sent_at is INTEGER, contract\.py asks"):
        judged(sent_at="1357034400")


@pytest.mark.parametrize("written", ["2013-01-01T10:00:00Z", "2013-01-01T10:00:00+02:00"])
def test_a_local_time_has_no_offset(written):
    said = "has an offset, and local time has none; leave it out"
    assert wrong(sent_at=written) == {"sent_at": said}
    assert wrong(sent_at=datetime.fromisoformat(written)) == {"sent_at": said}
    with pytest.raises(errors.ProjectError) as refused:
        judged(sent_at=f"'{written}'::TIMESTAMPTZ")
    assert str(refused.value) == (
        "transform.sql: sent_at is TIMESTAMP WITH TIME ZONE, and local time in contract.py; make it local "
        "there, as in sent_at AT TIME ZONE 'Europe/Paris', or say zone=\"utc\" in contract.py"
    )


def test_an_offset_is_converted_where_times_are_utc():
    nine = datetime(2013, 1, 1, 9)
    for written in ("2013-01-01T11:00:00+02:00", "2013-01-01T09:00:00Z", "2013-01-01T09:00:00"):
        assert Parcel.model_validate(GOOD | {"seen_at": written}).seen_at == nine
        assert judged(seen_at=f"'{written}'::TIMESTAMPTZ") == judged() | {"seen_at": nine}
    assert judged(seen_at="TIMESTAMP '2013-01-01 09:00:00'")["seen_at"] == nine
    assert wrong(seen_at="0001-01-01T00:00:00+02:00") == {
        "seen_at": "has to be of the years 1 to 9999, in UTC"
    }


def test_the_dictionary_says_which_times_are_utc():
    page = dictionary.data_dictionary(Parcel)
    assert "| `seen_at` | Seen | time | UTC |" in page
    assert "| `sent_at` | Sent | time |  |" in page
    assert "| `note` | Note | name |  | at most 5 characters |" in page


@pytest.mark.parametrize(("kind", "zone"), [(datetime, "paris"), (int, "utc")])
def test_a_zone_that_is_none_is_refused(kind, zone):
    with pytest.raises(errors.ProjectError, match='times only have one, "local" or "utc"'):
        schema.columns(one_column(schema.Role.CONTEXT, kind, zone=zone))
