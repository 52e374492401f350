"""What a request may be, besides records; under which name it is answered; and what counts."""

import asyncio
import json
import logging
import os
import threading
import time

import numpy as np
import pytest
from fastapi.testclient import TestClient

from handrail import predictor
from handrail.config.sections import Serving
from handrail.contract import schema
from handrail.etl import load
from handrail.registry import canary
from handrail.registry import live as registry
from handrail.serving import api, logs, prediction_log, request_body, request_id
from handrail.serving.inference import LiveModel
from handrail.serving.predicting import Predicting
from handrail.serving.telemetry import Telemetry
from tests.engine.support.lived import CONTRACT, KEY, live_version, promoted, rows_asked, variant
from tests.engine.support.workspaces import copied

API_KEY = "0123456789abcdef"


@pytest.fixture
def live(trained, tmp_path):
    """Return settings of a workspace whose version is live."""
    return promoted(copied(trained, tmp_path))


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Let a switch be seen by the next request."""
    monkeypatch.setattr(api, "LOOK_SECONDS", 0.0)


def client_of(settings, **serving):
    """Return a client of the service with other settings of `serving`."""
    section = Serving.model_validate(settings.serving.model_dump() | serving)
    app = settings.project.create_app(settings.model_copy(update={"api_key": API_KEY, "serving": section}))
    return TestClient(app, headers={"X-API-Key": API_KEY}, raise_server_exceptions=False)


@pytest.fixture
def client(live):
    """Return a client of its service."""
    return client_of(live)


def records(settings, count):
    """Return the first rows of the live period as a client sends them."""
    return json.loads(json.dumps(rows_asked(settings, count), default=str))


def figures(client):
    lines = client.get("/metrics").text.splitlines()
    return {name: float(value) for name, value in (x.rsplit(" ", 1) for x in lines if not x.startswith("#"))}


def logged(settings):
    files = sorted(prediction_log.prediction_folder(settings).glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


# Keys of rows that are loaded.


def test_a_key_is_answered_as_its_row_is(client, live):
    asked = records(live, 3)
    by_record = client.post("/predict", json={"records": asked}).json()
    by_key = client.post("/predict", json={"keys": [each[KEY] for each in reversed(asked)]})
    assert by_key.status_code == 200
    assert by_key.json()["predictions"] == by_record["predictions"][::-1]
    lines = [{name: value for name, value in line.items() if name in asked[0]} for line in logged(live)]
    assert lines[:3] == lines[:2:-1]  # the whole row is logged, as if it had been sent


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({"keys": ["UA1-EWR-201309010000", "?"]}, "keys.1", "String should match pattern"),
        ({"keys": ["UA1-EWR-201309010000"]}, "keys.0", "not among the rows that were loaded last"),
        (
            {"keys": ["UA1-EWR-201309010000", "UA2-EWR-201309010000"]},
            "keys.0",
            "not among the rows that were loaded last, nor 1 others",
        ),
        ({"keys": []}, "keys", "List should have at least 1 item after validation, not 0"),
        ({"keys": [3]}, "keys.0", "Input should be a valid string"),
        ({"keys": ["x"] * 1001}, "keys", "List should have at most 1000 items"),
    ],
    ids=["not of the contract", "not loaded", "two not loaded", "none", "a number", "too many"],
)
def test_a_key_that_is_none_is_refused(client, live, body, field, rule):
    reply = client.post("/predict", json=body)
    assert reply.status_code == (404 if "loaded" in rule else 422)
    (said, *_) = reply.json()["errors"]
    assert said["field"] == field
    assert said["rule"].startswith(rule)
    assert logged(live) == []


def test_records_and_keys_are_one_too_many_and_neither_too_few(client, live):
    (record,) = records(live, 1)
    both = client.post("/predict", json={"records": [record], "keys": [record[KEY]]})
    rule = "records say all that is asked: send either them or keys"
    assert (both.status_code, both.json()) == (422, {"errors": [{"field": "keys", "rule": rule}]})
    neither = client.post("/predict", json={})
    assert neither.json() == {"errors": [{"field": "records", "rule": "Field required"}]}


def test_keys_without_a_table_say_so(client, live):
    load.table_path(live, live.project.table_name).unlink()
    reply = client.post("/predict", json={"keys": ["UA1-EWR-201309010000"]})
    rule = "no table is loaded here: run `etl`, or send records"
    assert (reply.status_code, reply.json()) == (404, {"errors": [{"field": "keys", "rule": rule}]})


def test_a_table_that_cannot_be_read_refuses_keys_for_now(client, live):
    load.table_path(live, live.project.table_name).write_bytes(b"half a table")
    reply = client.post("/predict", json={"keys": ["UA1-EWR-201309010000"]})
    rule = "the loaded rows can't be read now; send records"
    assert (reply.status_code, reply.json()) == (503, {"errors": [{"field": "keys", "rule": rule}]})
    assert figures(client)['predictions_refused_total{reason="table"}'] == 1


# The name of a request.


def test_a_request_keeps_the_name_that_the_client_gave_it(client, live, caplog):
    (record,) = records(live, 1)
    reply = client.post("/predict", json={"records": [record]}, headers={"X-Request-ID": "order-17.b"})
    assert reply.headers["X-Request-ID"] == "order-17.b"
    assert [line["request_id"] for line in logged(live)] == ["order-17.b"]
    assert client.get("/health", headers={"X-Request-ID": "a1"}).headers["X-Request-ID"] == "a1"
    wrong = client.post("/predict", json={}, headers={"X-Request-ID": "wrong-1"})
    assert (wrong.status_code, wrong.headers["X-Request-ID"]) == (422, "wrong-1")


@pytest.mark.parametrize("given", [None, "", "x" * 129, "two words", "new\tline", '{"a": 1}'])
def test_a_name_that_cannot_be_written_anywhere_is_replaced(client, live, given):
    headers = {} if given is None else {"X-Request-ID": given}
    names = [client.get("/health", headers=headers).headers["X-Request-ID"] for _ in range(2)]
    assert len({*names, given}) == 3
    assert all(request_id.GIVEN.fullmatch(name.encode()) for name in names)


@pytest.mark.parametrize("form", ["json", "text"])
def test_what_goes_wrong_is_logged_under_the_name_of_its_request(live, monkeypatch, capsys, form):
    root = logging.getLogger()
    before = root.handlers[:]
    client, (record,) = client_of(live), records(live, 1)
    folder = prediction_log.prediction_folder(live)
    folder.rmdir()
    folder.write_text("a file in the way", encoding="utf-8")
    try:
        logs.tell_logs(form)
        client.post("/predict", json={"records": [record]}, headers={"X-Request-ID": "order-18"})
    finally:
        root.handlers[:] = before
    (line,) = capsys.readouterr().err.splitlines()
    if form == "json":
        said = json.loads(line)
        assert (said["request_id"], said["level"], said["logger"]) == (
            "order-18",
            "error",
            "handrail.serving.predicting",
        )
        line = said["message"]
    else:
        assert " error [order-18]: " in line
    assert "prediction log: " in line
    assert API_KEY not in line
    assert record[KEY] not in line


def lines_told(capsys, count):
    """Return what was logged as soon as there are so many lines, or after a minute."""
    told, end = [], time.monotonic() + 60
    while len(told) < count and time.monotonic() < end:
        told += capsys.readouterr().err.splitlines()
        time.sleep(0.01)
    return told


def test_of_what_goes_wrong_with_every_request_one_line_and_then_how_many_came(live, monkeypatch, capsys):
    monkeypatch.setattr(logs, "MINUTE_SECONDS", 3.0)
    root = logging.getLogger()
    before = root.handlers[:]
    client, (record,) = client_of(live), records(live, 1)
    folder = prediction_log.prediction_folder(live)
    folder.rmdir()
    folder.write_text("a file in the way", encoding="utf-8")
    try:
        logs.tell_logs("text")
        statuses = [client.post("/predict", json={"records": [record]}).status_code for _ in range(5)]
        logging.getLogger("handrail.serving.predicting").error("prediction log: %s", OSError(28, "full"))
        first, other, counted = lines_told(capsys, 3)
    finally:
        root.handlers[:] = before
    assert statuses == [503] * 5
    assert "prediction log: " in first
    assert "more like it" not in first
    assert other.endswith("prediction log: [Errno 28] full")  # another number is another kind
    assert counted.endswith(" (4 more like it in the last minute)")
    assert figures(client)['predictions_refused_total{reason="log"}'] == 5


def test_where_each_line_counts_each_is_told(capsys):
    root = logging.getLogger()
    before = root.handlers[:]
    try:
        logs.tell_logs("text", each=True)
        for _ in range(3):
            logging.getLogger("handrail.x").error("a worker has died")
    finally:
        root.handlers[:] = before
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_a_traceback_is_one_line_of_json(capsys):
    root = logging.getLogger()
    before = root.handlers[:]
    try:
        logs.tell_logs("json")
        try:
            raise ValueError("no such thing")
        except ValueError:
            logging.getLogger("handrail.x").exception("it failed")
    finally:
        root.handlers[:] = before
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["message"], said["level"], said["logger"]) == ("it failed", "error", "handrail.x")
    first, *_, last = said["traceback"].splitlines()
    assert (first, last) == ("Traceback (most recent call last):", "ValueError: no such thing")


# What counts.


def test_every_answer_counts_by_its_status(client, live):
    (record,) = records(live, 1)
    before = figures(client)
    for path, status in {"/predict": (200, 401, 404, 413, 415, 422, 500, 503), "/ready": (200, 503)}.items():
        for each in status:
            assert before[f'http_answers_total{{path="{path}",status="{each}"}}'] == 0
    good = {"records": [record]}
    client.post("/predict", json=good)
    client.post("/predict", json={})
    client.post("/predict", json=good, headers={"X-API-Key": "wrong"})
    client.post("/predict", content=b"x", headers={"Content-Type": "text/csv"})
    client.post("/predict", content=b" " * 1_000_001)
    client.get("/predict")
    client.get("/nothing")
    client.get("/somewhere")
    counted = figures(client)
    for status, count in {"200": 1, "422": 1, "401": 1, "415": 1, "413": 1, "405": 1}.items():
        assert counted[f'http_answers_total{{path="/predict",status="{status}"}}'] == count
    assert counted['http_answers_total{path="other",status="404"}'] == 2
    assert counted['http_answers_total{path="/metrics",status="200"}'] == 1


def test_what_fails_in_the_service_is_a_500_that_counts(client, live, monkeypatch, caplog):
    (record,) = records(live, 1)

    def fail(self, records):
        raise RuntimeError("a bug")

    monkeypatch.setattr("handrail.serving.inference.LiveModel.answer", fail)
    reply = client.post("/predict", json={"records": [record]})
    assert (reply.status_code, reply.text) == (500, "Internal Server Error")
    assert figures(client)['http_answers_total{path="/predict",status="500"}'] == 1
    assert "a bug" in caplog.text


def test_why_the_baseline_answers_is_counted(client, live):
    (record,) = records(live, 1)
    registry.use_fallback(live, "rain")
    assert client.post("/predict", json={"records": [record]}).json()["reason"] == "switched"
    counted = figures(client)
    assert counted['fallback_answers_total{reason="switched"}'] == 1
    assert counted['fallback_answers_total{reason="late"}'] == 0


# A model that takes too long.


@pytest.fixture
def slow(live, monkeypatch):
    """Return a client of a service whose model is late, and two events: it may go on, and it has."""
    predict, may, has = predictor.Predictor.predict, threading.Event(), threading.Event()

    def slowly(self, features):
        if len(features) == 1:
            return predict(self, features)
        may.wait()
        try:
            return predict(self, features)
        finally:
            has.set()

    monkeypatch.setattr(predictor.Predictor, "predict", slowly)
    yield client_of(live, budget_seconds=0.1), may, has
    may.set()


def test_after_its_budget_the_baseline_answers_and_says_so(slow, live):
    client, may, has = slow
    asked = records(live, 80)
    reply = client.post("/predict", json={"records": asked}).json()
    assert not has.is_set()  # nobody has waited for the model
    assert (reply["source"], reply["reason"]) == ("fallback", "late")
    column = live_version(live).baseline.column
    simple = live_version(live).baseline.predict([each[column] for each in asked])
    assert [each["prediction"] for each in reply["predictions"]] == pytest.approx(simple, abs=1e-6)
    assert figures(client)['fallback_answers_total{reason="late"}'] == 1
    may.set()
    assert has.wait(60)
    client.post("/predict", json={"records": asked[:1]})
    lines = logged(live)
    assert [line[KEY] for line in lines] == [
        each[KEY] for each in (*asked, asked[0])
    ]  # once each, by who answered
    assert {line["source"] for line in lines[:80]} == {"fallback"}
    assert figures(client)['predictions_total{source="model"}'] == 1


def test_a_large_body_within_its_budget_is_the_model_s(live):
    asked = records(live, 80)
    reply = client_of(live).post("/predict", json={"records": asked}).json()
    assert (reply["source"], "reason" in reply) == ("model", False)
    one_by_one = client_of(live)
    single = [one_by_one.post("/predict", json={"records": [each]}).json() for each in asked[:3]]
    assert [each["predictions"][0] for each in single] == reply["predictions"][:3]


# Readiness, and what is behind the key.


def test_it_is_not_ready_where_predictions_would_be_refused(client, live):
    assert client.get("/ready").json() == {"status": "ready", "source": "model"}
    folder = prediction_log.prediction_folder(live)
    assert list(folder.iterdir()) == []  # the trial leaves nothing
    folder.rmdir()
    folder.write_text("a file in the way", encoding="utf-8")
    reply = client.get("/ready")
    assert reply.status_code == 503
    assert reply.json() == {
        "status": "not ready",
        "source": "model",
        "reason": "prediction log: Not a directory",
    }
    assert client.get("/health").status_code == 200


def test_docs_metrics_and_version_are_behind_the_key_where_that_is_set(live):
    client = client_of(live, key_also_for=["docs", "metrics", "version"])
    paths = ["/docs", "/openapi.json", "/redoc", "/metrics", "/version"]
    for path in paths:
        reply = client.get(path, headers={"X-API-Key": "wrong"})
        assert reply.status_code == 401, path
        assert reply.json() == {"errors": [{"field": "X-API-Key", "rule": "missing or wrong"}]}
        assert client.get(path).status_code == 200
    for path in ("/health", "/ready"):
        assert client.get(path, headers={"X-API-Key": "wrong"}).status_code == 200
    described = client.get("/openapi.json").json()["paths"]
    assert set(described["/metrics"]["get"]["responses"]) == {"200", "401"}
    some = client_of(live, key_also_for=["metrics"])
    found = {path: some.get(path, headers={"X-API-Key": "wrong"}).status_code for path in paths}
    assert found == dict.fromkeys(paths, 200) | {"/metrics": 401}


def test_a_path_that_a_proxy_puts_in_front_opens_no_door(live):
    app = client_of(live).app
    client = TestClient(app, root_path="/models/flights", headers={"X-API-Key": "wrong"})
    reply = client.post("/models/flights/predict", json={"records": records(live, 1)})
    assert (reply.status_code, logged(live)) == (401, [])


def test_a_request_by_keys_is_described_by_the_rules_of_the_key(client):
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    keys = schemas["PredictByKeys"]["properties"]["keys"]
    (column,) = schema.of_role(CONTRACT, schema.Role.KEY)
    assert keys["items"]["pattern"] == column.pattern
    assert (keys["minItems"], keys["maxItems"]) == (1, 1000)


def looked_up_in(monkeypatch):
    """Return the names of the threads in which rows will be looked up by their keys."""
    found, look_up = [], request_body.rows_of_keys

    def noted(settings, keys):
        found.append(threading.current_thread().name)
        return look_up(settings, keys)

    monkeypatch.setattr(request_body, "rows_of_keys", noted)
    return found


@pytest.mark.parametrize(
    "written",
    [
        '{"keys": ["%s"]}',
        " " * 100 + '{"keys": ["%s"]}',
        '{"\\u006beys": ["%s"]}',
        '{"keys": [], "keys": ["%s"]}',
    ],
    ids=["as usual", "after spaces", "escaped", "twice"],
)
def test_keys_are_looked_up_beside_the_others_however_they_are_written(client, live, monkeypatch, written):
    threads = looked_up_in(monkeypatch)
    (record,) = records(live, 1)
    reply = client.post(
        "/predict", content=written % record[KEY], headers={"Content-Type": "application/json"}
    )
    assert (reply.status_code, len(logged(live))) == (200, 1)
    assert [name.partition("_")[0] for name in threads] == ["model"]


def test_a_record_that_speaks_of_keys_is_answered_at_once(live, monkeypatch):
    def refuse(self, content, request_id):
        raise AssertionError("in a thread")

    monkeypatch.setattr(Predicting, "_answer_beside", refuse)
    (record,) = records(live, 1)
    reply = client_of(live).post("/predict", json={"keys": "of none", "records": [record]})
    assert reply.status_code == 422


# Requests that come at the same moment.


async def together(predicting, bodies):
    """Return the answers to requests that are here at the same moment, as a crowd asks."""
    predicting._crowded_until = time.perf_counter() + 60
    asked = [predicting.answer(body, {}, f"r{number}") for number, body in enumerate(bodies)]
    return await asyncio.gather(*asked)


def bodies_of(settings, counts):
    """Return bodies of requests for so many of the first rows each, one after the other."""
    every = iter(records(settings, sum(counts)))
    return [json.dumps({"records": [next(every) for _ in range(count)]}).encode() for count in counts]


@pytest.fixture
def predicting(live):
    """Return what answers requests."""
    figures = Telemetry()
    found = Predicting(live, LiveModel(live), figures)
    yield found, figures
    found.close()


def test_requests_of_the_same_moment_have_the_answers_they_would_have_alone(live, predicting, monkeypatch):
    answering, _ = predicting
    passes, predict = [], predictor.Predictor.predict
    monkeypatch.setattr(
        predictor.Predictor,
        "predict",
        lambda self, features: passes.append(len(features)) or predict(self, features),
    )
    bodies = bodies_of(live, [1, 3, 1, 2])
    bodies.insert(2, b'{"records": []}')
    said = asyncio.run(together(answering, bodies))
    assert passes == [7]  # in one pass
    assert [status for status, _ in said] == [200, 200, 422, 200, 200]
    lines = logged(live)
    alone = client_of(live)
    for (status, content), body in zip(said, bodies, strict=True):
        reply = alone.post("/predict", content=body)
        assert (reply.status_code, reply.content) == (status, content)
    assert [line["request_id"] for line in lines] == ["r0", "r1", "r1", "r1", "r3", "r4", "r4"]
    assert {line["predicted_at"] for line in lines} == {lines[0]["predicted_at"]}


def test_where_one_of_them_fails_the_others_have_their_model(live, predicting, monkeypatch):
    answering, figures = predicting
    predict = predictor.Predictor.predict
    bodies = bodies_of(live, [1, 1, 1])
    worst = json.loads(bodies[1])["records"][0]
    wrong = answering.body.read(bodies[1])

    def fail(self, features):
        encoded = live_version(live).encoding.matrix(wrong)
        if any(np.array_equal(row, encoded[0], equal_nan=True) for row in features):
            raise RuntimeError("not this one")
        return predict(self, features)

    monkeypatch.setattr(predictor.Predictor, "predict", fail)
    said = [json.loads(content) for _, content in asyncio.run(together(answering, bodies))]
    assert [each["source"] for each in said] == ["model", "fallback", "model"]
    assert said[1]["reason"] == "failed"
    assert said[1]["predictions"][0][KEY] == worst[KEY]
    assert 'fallback_answers_total{reason="failed"} 1.0' in figures.text().decode()


def test_where_they_cannot_be_logged_none_is_answered(live, predicting, monkeypatch):
    answering, _ = predicting
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, content: write(file, content[:20]))
        said = asyncio.run(together(answering, bodies_of(live, [1, 2])))
    assert [status for status, _ in said] == [503, 503]
    assert logged(live) == []


def test_a_canary_answers_its_own_of_them(live, predicting):
    answering, _ = predicting
    second = variant(live, lambda info: info.update(seed=1))
    canary.start_canary(live, second, 0.5)
    bodies = bodies_of(live, [1] * 40)
    said = [json.loads(content)["version"] for _, content in asyncio.run(together(answering, bodies))]
    keys = [json.loads(body)["records"][0][KEY] for body in bodies]
    assert said == [second if canary.is_chosen(key, 0.5) else live_version(live).name for key in keys]
    assert len(set(said)) == 2


def test_one_after_the_other_they_are_answered_at_once(live, predicting, monkeypatch):
    answering, _ = predicting
    monkeypatch.setattr("handrail.serving.predicting.UPON_EACH_OTHER", 0.0)

    async def alone():
        found = []
        for body in bodies_of(live, [1, 1, 1]):
            found.append(await answering.answer(body, {}, "x"))
            assert answering._waiting == []
        return found

    assert [status for status, _ in asyncio.run(alone())] == [200] * 3
    assert answering._crowded_until == 0


def test_those_that_come_one_upon_the_other_are_a_crowd(live, predicting, monkeypatch):
    answering, _ = predicting
    monkeypatch.setattr("handrail.serving.predicting.UPON_EACH_OTHER", 60.0)
    passes, together_ = [], LiveModel.answer_together
    monkeypatch.setattr(
        LiveModel,
        "answer_together",
        lambda self, requests: passes.append(len(requests)) or together_(self, requests),
    )
    bodies = bodies_of(live, [1] * 8)

    async def crowd():
        return await asyncio.gather(*(answering.answer(body, {}, "x") for body in bodies))

    assert [status for status, _ in asyncio.run(crowd())] == [200] * 8
    assert passes == [7]  # the first was alone
