"""A large body is read by columns: what is taken so would be taken record by record, with the same values."""

import json
import random
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Annotated

import pytest
from pydantic import AfterValidator, TypeAdapter
from pydantic_core import ValidationError, to_json

from handrail.contract import Role, column
from handrail.contract.native_rules import native_rule
from handrail.registry import canary
from handrail.serving import api, horizon, prediction_log, request_body
from handrail.serving.alike import join_alike
from handrail.serving.columns import ByColumn
from tests.engine.serving.test_api import client_of, logged, send
from tests.engine.support.lived import KEY, TIME, live_version, promoted, rows_asked, variant
from tests.engine.support.workspaces import copied
from tests.engine.testing.made_up_projects import SHAPES, contract_of, made_up_project

FORECASTS = SHAPES["forecasts of six months"]
NO_TIME = SHAPES["no time, no key"]
UTC_TIME = (datetime, column(Role.TIME, "When", zone="utc", examples=[datetime(2011, 1, 1)]))
RECORD = {
    "visit_id": 7,
    "visited_at": "2011-03-01T08:30:00",
    "town": "Köln",
    "kind": "A1",
    "load": 12.5,
    "rain": 0.25,
    "visits": 3,
}
# As JSON: usual ones, unusual ones, and what no contract takes.
NUMBERS = """
null true false 0 5 5.0 5.5 -0 -0.0 1e2 12e-1 1e400 1e-400 -3 100 100.00000000000001 99.99999999999999999 101
9007199254740993 9007199254740993.0 9223372036854775807 9223372036854775808 1e18 1e19 NaN Infinity [] {} 01 1.
""".split()
TEXTS = r"""
"" "A1" "A1\n" "\u0041\u0031" "A1_" "Köln" "K\u00f6ln" "5" "true" "\ud800" "-1" "08:30:00" "2011-03-01"
"2011-03-01T08:30" "2011-03-01_08:30:00" "2011-03-01t08:30:00" "2011-03-01T08:30:60" "2011-03-01T08:30:00Z"
"2011-03-01T08:30:00+02:00" "2011-03-01T08:30:00-00:00" "0001-01-01T00:00:00+02:00" "2011-03-01T24:00:00"
"2011-03-01T08:30:00.000001" "2011-03-01T08:30:00.1234567" "2011-03-01T08:30:00,5" "2011-02-30T08:30:00"
"1299000000" "1299000000.5" "_2011-03-01T08:30:00" "9999-12-31T23:59:59" "20110301T083000" "2011-060T08:30"
""".replace("_", " ")
VALUES = (*NUMBERS, "1299000000", "1299000000.5", *re.findall('"[^"]*"', TEXTS), '"' + "x" * 1001 + '"')


def body_of(record, **written):
    """Return a body of two records, of which the second holds JSON as it is `written`."""
    other = ", ".join(f'"{name}": {written.get(name, json.dumps(value))}' for name, value in record.items())
    return f'{{"records": [{json.dumps(record)}, {{{other}}}]}}'.encode()


def by_rows(body, content):
    """Return the records of a body read record by record; None where it is refused."""
    try:
        return body._validator.validate_json(content)["records"]
    except (ValidationError, KeyError):
        return None


def agree(body, content):
    """Hold what is read by columns against what is read record by record; return whether it was taken."""
    found = body._columns.read(content)
    if found is None:
        return False
    expected = by_rows(body, content)
    assert expected is not None, content
    records = [dict(each) for each in expected]
    assert [*found] == records, content
    for name, values in found.columns.items():
        assert values == [each[name] for each in records]
        assert [*map(type, values)] == [type(each[name]) for each in records]
    assert [json.loads(b"{" + tail) for tail in found.tails()] == json.loads(
        json.dumps(records, default=datetime.isoformat)
    )
    return True


@pytest.fixture(params=["as usual", "in UTC", "forecasts", "no time, no key"])
def body(request, tmp_path):
    """Return what reads bodies of a made-up contract, and a record of it."""
    shape = {"forecasts": FORECASTS, "no time, no key": NO_TIME}.get(request.param, SHAPES["one raw table"])
    changes = {"visited_at": UTC_TIME} if request.param == "in UTC" else {}
    project = made_up_project(tmp_path, shape, contract=contract_of(shape, **changes))
    extra = {"made_at": "2011-02-01T00:00:00"} if shape is FORECASTS else {}
    record = {name: value for name, value in (RECORD | extra).items() if name in project.request.model_fields}
    return request_body.RequestBody(project.settings()), record


def test_each_value_that_is_taken_by_columns_is_the_one_that_is_taken_by_rows(body):
    reads, record = body
    taken = {
        (name, value): agree(reads, body_of(record, **{name: value})) for name in record for value in VALUES
    }
    for name, value in (("load", "5"), ("rain", "null"), ("visits", "5.0"), ("kind", '"\\u0041\\u0031"')):
        assert taken[name, value], f"{name}: {value} is as programs usually write it"
    for name, value in (
        ("load", '"5"'),
        ("visits", "true"),
        ("visits", "5.5"),
        ("town", '"A1"'),
        ("kind", '"A1\\n"'),
    ):
        assert not taken[name, value]
    refused = {pair for pair in taken if by_rows(reads, body_of(record, **dict([pair]))) is None}
    slow = {pair for pair, each in taken.items() if not each} - refused
    assert len(slow) < 0.1 * len(taken)  # most of what is taken at all is taken by columns


def test_a_body_that_is_damaged_is_never_taken_for_another(body):
    reads, record = body
    whole, chance = body_of(record), random.Random(17)
    pieces = [
        b'"',
        b"\\",
        b"}",
        b"{",
        b"]",
        b",",
        b":",
        b"0",
        b"e",
        b"-",
        b"\n",
        b"\xff",
        b"\x00",
        b"null",
        b" ",
    ]
    count = 0
    for _ in range(3000):
        place, other = sorted(chance.sample(range(len(whole) + 1), 2))
        middle = chance.choice([chance.choice(pieces), b"", whole[place:other] * 2])
        count += agree(reads, whole[:place] + middle + whole[min(other, place + chance.choice((0, 1, 9))) :])
    assert 50 < count < 1500


@pytest.mark.parametrize(
    "content",
    [
        b'{"records": [%b, %b], "records": [%b]}',
        b'{"records": [%b], "more": 1}',
        b'{"records": []}',
        b'[%b]',
        b"\xef\xbb\xbf" b'{"records": [%b]}',
        b'{"records": [%b]} {}',
        b' \r\n{ "records" : [ %b ] }\t',
    ],
)  # fmt: skip
def test_the_body_around_the_records_is_read_alike(body, content):
    reads, record = body
    agree(reads, content.replace(b"%b", json.dumps(record).encode()))


def test_a_column_that_comes_twice_or_not_at_all_is_read_alike(body):
    reads, record = body
    text = json.dumps(record)
    assert agree(reads, f'{{"records": [{text[:-1]}, "load": 3.5}}]}}'.encode())
    for name in record:
        left = {key: value for key, value in record.items() if key != name}
        assert agree(reads, json.dumps({"records": [left]}).encode()) == (name == "rain")


def test_too_many_records_are_not_read_by_columns(body):
    reads, record = body
    assert agree(reads, json.dumps({"records": [record] * 1000}).encode())
    assert not agree(reads, json.dumps({"records": [record] * 1001}).encode())


def test_a_time_beyond_the_horizon_is_left_to_the_record_and_the_clock_goes_on(tmp_path, monkeypatch):
    project = made_up_project(tmp_path, SHAPES["one raw table"])
    reads = request_body.RequestBody(project.settings())
    days = project.settings().outcome.horizon_days
    ahead = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + timedelta(days=days, hours=1)
    content = body_of(RECORD, visited_at=json.dumps(str(ahead)))
    assert not agree(reads, content)
    assert by_rows(reads, content) is None
    latest = horizon.latest_time(project.settings())
    monkeypatch.setattr(horizon, "latest_time", lambda settings: latest + timedelta(hours=2))
    assert agree(reads, content)


def test_a_forecast_made_after_what_it_is_for_is_left_to_the_record(tmp_path):
    project = made_up_project(tmp_path, FORECASTS, contract=contract_of(FORECASTS))
    reads = request_body.RequestBody(project.settings())
    record = RECORD | {"made_at": "2011-02-01T00:00:00"}
    assert agree(reads, body_of(record))
    late = body_of(record, made_at='"2011-03-01T08:30:01"')
    assert not agree(reads, late)
    assert by_rows(reads, late) is None


def test_a_rule_that_calls_python_alone_has_none_beside_it():
    schema = Annotated[str, AfterValidator(str.upper)]
    assert native_rule(TypeAdapter(schema).core_schema) is None
    assert native_rule(TypeAdapter(schema | None).core_schema) is None


# The service.


@pytest.fixture(params=["trained", "trained_amounts"])
def live(request, tmp_path, monkeypatch):
    """Return settings of a workspace whose version is live, of yes or no and of amounts."""
    monkeypatch.setattr(api, "LOOK_SECONDS", 0.0)
    return promoted(copied(request.getfixturevalue(request.param), tmp_path))


def many(settings, count=120):
    return json.loads(json.dumps(rows_asked(settings, count), default=str))


def answers_of(client, settings, content):
    """Return status, body and what is logged of an answer."""
    before = len(logged(settings))
    reply = client.post("/predict", content=content, headers={"X-Request-ID": "a-name"})
    lines = [{**line, "predicted_at": len(line["predicted_at"])} for line in logged(settings)[before:]]
    return reply.status_code, reply.content, lines


def test_a_large_body_has_the_answer_and_the_log_that_it_has_by_rows(live, monkeypatch):
    asked = many(live)
    asked[3] |= {"plane_seats": 120.0, "wind_speed_kmh": 7, "visibility_km": None}
    del asked[5]["plane_age_years"]
    content = json.dumps({"records": asked}, indent=2).encode()
    read = []
    with client_of(live) as client:
        init = ByColumn.__init__
        monkeypatch.setattr(ByColumn, "__init__", lambda self, *given: read.append(1) or init(self, *given))
        by_columns = answers_of(client, live, content)
        assert read == [1]
        monkeypatch.setattr(request_body, "LARGE", len(content))
        by_records = answers_of(client, live, content)
        assert read == [1]
    assert by_columns == by_records
    assert by_columns[0] == 200
    assert len(by_columns[2]) == len(asked)
    assert by_columns[2][0].keys() >= {"request_id", "version", "source", "prediction", "baseline", KEY}


def test_a_large_body_is_refused_with_the_same_words(live, monkeypatch):
    asked = many(live)
    for change in (
        {"distance_km": "far"},
        {"day_of_week": 8},
        {"more": 1},
        {TIME: "9999-01-01T00:00:00"},
        {KEY: "?"},
    ):
        content = json.dumps({"records": [*asked, asked[0] | change]}).encode()
        with client_of(live) as client:
            found = answers_of(client, live, content)
            with monkeypatch.context() as rows:
                rows.setattr(request_body, "LARGE", len(content))
                assert answers_of(client, live, content) == found
        assert found[0] == 422
        assert [each["field"] for each in json.loads(found[1])["errors"]] == [
            f"records.120.{next(iter(change))}"
        ]


def test_a_large_body_that_cannot_be_logged_is_not_answered(live, monkeypatch):
    with client_of(live) as client:
        content = json.dumps({"records": many(live)}).encode()
        assert send(client, content).status_code == 200
        before, write = logged(live), prediction_log.os.write
        monkeypatch.setattr(prediction_log.os, "write", lambda file, lines: write(file, lines[:1000]))
        assert send(client, content).status_code == 503
        assert logged(live) == before


def test_the_first_record_of_a_large_body_decides_whether_the_canary_answers(live):
    second = variant(live, lambda info: info.update(seed=1))
    canary.start_canary(live, second, 0.5)
    asked = many(live)
    with client_of(live) as client:
        for first in range(6):
            body = {"records": [*asked[first:], *asked[:first]]}
            said = client.post("/predict", json=body).json()["version"]
            chosen = canary.is_chosen(asked[first][KEY], 0.5)
            assert said == (second if chosen else live_version(live).name)


def test_a_column_that_is_called_as_what_is_told_is_logged_once():
    rows = SimpleNamespace(
        columns={"low": [1.0, 2.0], "request_id": ["a", "b"]},
        tails=lambda: [b'"low":1.0,"request_id":"a"}', b'"low":2.0,"request_id":"b"}'],
    )

    told = {"prediction": [0.5, None], "low": [8.0, 9.0], "word": ['"', "ü,"]}
    lines = join_alike({"request_id": "x", "source": "model"}, told, rows, after=b"\n")
    assert lines == b"".join(
        to_json({"source": "model", "prediction": chance, "word": word, "low": low, "request_id": name})
        + b"\n"
        for chance, word, low, name in ((0.5, '"', 1.0, "a"), (None, "ü,", 2.0, "b"))
    )
    assert join_alike({}, {"a": [True, 1, 0.1]}, after=b";") == b'{"a":true};{"a":1};{"a":0.1};'
