"""The HTTP service: right answers, refusals that say why, nothing unlogged, nothing lost."""

import json
import math
import os
import shutil
import signal
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError

import pytest
import uvicorn
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from handrail import Project, errors, predictor, serving
from handrail.contract import schema
from handrail.registry import live as registry
from handrail.serving import api, dry_run, prediction_log
from handrail.serving.inference import start_model
from tests.engine.support.lived import (
    ASKED,
    CONTRACT,
    KEY,
    NAN_WHERE_MISSING,
    live_version,
    promoted,
    rows_asked,
    run,
    variant,
    with_model,
)
from tests.engine.support.workspaces import copied, in_workspace

API_KEY = "0123456789abcdef"
REQUESTS = ("PredictRequest", "PredictByKeys")
SECRET = "never-say-this-again"
COLUMNS = schema.columns(schema.request_model(CONTRACT))


@pytest.fixture(params=["trained", pytest.param("trained_amounts", marks=pytest.mark.slow)])
def project(request, tmp_path):
    """Return settings of a copy of a trained workspace: of yes or no, and of amounts."""
    return copied(request.getfixturevalue(request.param), tmp_path)


def service_of(project, **changes):
    """Return the service that the project's serve/api.py makes, by settings with `changes`."""
    return project.project.create_app(project.model_copy(update={"api_key": API_KEY, **changes}))


def client_of(project, key=API_KEY):
    """Return a client of the service for `project`, which sends `key`."""
    app = service_of(project)
    return TestClient(app, headers={"X-API-Key": key} if key else {}, raise_server_exceptions=False)


def as_json(record):
    """Return a row as a client sends it."""
    return json.loads(json.dumps(record, default=str))


def ask(client, *records):
    """Return the reply to a request for `records`; NaN and infinity are sent as Python writes them."""
    headers = {"Content-Type": "application/json"}
    return client.post("/predict", content=json.dumps({"records": records}), headers=headers)


def send(client, content):
    """Return the reply to a request whose body is `content`."""
    return client.post("/predict", content=content, headers={"Content-Type": "application/json"})


def figures(client):
    """Return what the service tells Prometheus."""
    lines = client.get("/metrics").text.splitlines()
    pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
    return {name: float(value) for name, value in pairs}


def logged(project):
    """Return the lines of the prediction log."""
    files = sorted(prediction_log.prediction_folder(project).glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def live(project):
    """Return settings of a workspace whose version is live."""
    return promoted(project)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Let a switch be seen by the next request, and not half a second later."""
    monkeypatch.setattr(api, "LOOK_SECONDS", 0.0)


@pytest.fixture
def client(live):
    """Return a client of its service, with the right key."""
    with client_of(live) as client:
        yield client


@pytest.fixture
def record(live):
    """Return the first row of the live period, as a client sends it."""
    (first,) = rows_asked(live, 1)
    return as_json(first)


@pytest.fixture(scope="module")
def refusing(trained, tmp_path_factory):
    """Return a client and a good record for all the tests that only send bad input."""
    workspace = tmp_path_factory.mktemp("refusing") / "workspace"
    shutil.copytree(trained.workspace, workspace)
    live = promoted(trained.model_copy(update={"workspace": workspace}))
    (first,) = rows_asked(live, 1)
    with client_of(live) as client:
        yield client, as_json(first)
    assert logged(live) == []


def test_one_record_gets_the_prediction_of_the_model_file(client, live, record):
    version = live_version(live)
    matrix = version.encoding.matrix(rows_asked(live, 1))
    expected = float(predictor.Predictor(version.model).predict(matrix)[0])
    reply = ask(client, record)
    assert reply.status_code == 200
    assert reply.json() == {
        "version": version.name,
        "source": "model",
        "predictions": [
            {
                KEY: record[KEY],
                "prediction": round(expected, 6),
                **live.project.task.act(expected, version.decision),
            }
        ],
    }


def test_many_records_get_their_predictions_in_their_order(client, live):
    rows = rows_asked(live, live.serving.maximum_records)
    version = live_version(live)
    expected = predictor.Predictor(version.model).predict(version.encoding.matrix(rows)).tolist()
    predictions = ask(client, *map(as_json, rows)).json()["predictions"]
    assert [item[KEY] for item in predictions] == [row[KEY] for row in rows]
    assert [item["prediction"] for item in predictions] == [round(value, 6) for value in expected]
    told = [live.project.task.act(value, version.decision) for value in expected]
    assert [{name: item[name] for name in told[0]} for item in predictions] == told
    assert len({str(each) for each in told}) > 1


def choice_rule(column):
    """Return what pydantic says where a value is none of the choices."""
    *others, last = (repr(choice) for choice in column.choices)
    return f"Input should be {', '.join(others)} or {last}"


def bad_values():
    """Yield for every rule of every column: the column, a value that breaks it, and what is said."""
    wrong = {
        str: (7, "Input should be a valid string"),
        int: (SECRET, "Input should be a valid integer"),
        float: (SECRET, "Input should be a valid number"),
        datetime: (SECRET, "Input should be a valid datetime or date, invalid character in year"),
    }
    for column in COLUMNS:
        said = choice_rule(column) if column.choices else None
        value, rule = wrong[column.kind]
        yield column.name, value, said or rule
        if not column.nullable:
            yield column.name, None, said or rule.partition(", ")[0].partition(" or date")[0]
        if said:
            yield column.name, SECRET, said
        if column.pattern:
            yield column.name, SECRET, f"String should match pattern '{column.pattern}'"
        if column.ge is not None:
            yield column.name, column.ge - 1, f"Input should be greater than or equal to {column.ge}"
        if column.le is not None:
            yield column.name, column.le + 1, f"Input should be less than or equal to {column.le}"
        if column.kind is float:
            yield column.name, math.nan, "Input should be a finite number"
            yield column.name, -math.inf, "Input should be a finite number"
        if column.kind is datetime:
            for number in (1357034400, "1357034400"):
                yield column.name, number, "has to be like 2013-01-31T18:30:00, and no number"
            said = "has an offset, and local time has none; leave it out"
            yield column.name, "2013-09-01T05:45:00+02:00", said
        if column.kind in (int, float):
            for value in (True, "7"):
                yield column.name, value, wrong[column.kind][1]
        if column.kind is int:
            yield column.name, 1.5, "Input should be a valid integer, got a number with a fractional part"


@pytest.mark.parametrize(("name", "value", "said"), [*bad_values()])
def test_a_value_that_breaks_a_rule_is_refused_with_field_and_rule(refusing, name, value, said):
    client, record = refusing
    reply = ask(client, record | {name: value})
    assert reply.status_code == 422
    assert reply.json() == {"errors": [{"field": f"records.0.{name}", "rule": said}]}


def test_a_key_of_any_length_is_not_kept(refusing):
    client, record = refusing
    reply = ask(client, record | {KEY: "A" * 900_000})
    assert reply.status_code == 422
    assert reply.json() == {
        "errors": [{"field": f"records.0.{KEY}", "rule": "String should have at most 1000 characters"}]
    }


NULLABLE = [column.name for column in COLUMNS if column.nullable]


@pytest.mark.parametrize("name", [name for name in ASKED if name not in NULLABLE])
def test_a_missing_field_is_named(refusing, name):
    client, record = refusing
    reply = ask(client, {key: value for key, value in record.items() if key != name})
    assert reply.status_code == 422
    assert reply.json() == {"errors": [{"field": f"records.0.{name}", "rule": "Field required"}]}


def test_what_may_be_missing_may_be_left_out(client, live, record):
    """It counts as not known, and is logged so."""
    short = {name: value for name, value in record.items() if name not in NULLABLE}
    assert len(short) < len(record)
    told, whole = (ask(client, each).json() for each in (short, record | dict.fromkeys(NULLABLE)))
    assert told == whole
    assert [{name: line[name] for name in NULLABLE} for line in logged(live)] == [dict.fromkeys(NULLABLE)] * 2


def test_an_unknown_field_is_named_and_its_value_is_not(refusing):
    client, record = refusing
    reply = ask(client, record | {"colour": SECRET})
    expected = [{"field": "records.0.colour", "rule": "Extra inputs are not permitted"}]
    assert (reply.status_code, reply.json()) == (422, {"errors": expected})


def test_what_is_known_only_later_is_not_taken(refusing):
    client, record = refusing
    later = {column.name for column in schema.columns(CONTRACT)} - set(ASKED)
    assert later
    reply = ask(client, record | dict.fromkeys(later, 1))
    assert {item["field"] for item in reply.json()["errors"]} == {f"records.0.{name}" for name in later}


def test_all_problems_of_all_records_are_named_together(refusing):
    client, record = refusing
    name = ASKED[0]
    short = {key: value for key, value in record.items() if key != name}
    reply = ask(client, record, record | {name: SECRET, "colour": 1}, short)
    fields = [item["field"] for item in reply.json()["errors"]]
    assert fields == [f"records.1.{name}", "records.1.colour", f"records.2.{name}"]


DEEP = 100_000
BODIES = {
    "nothing": ("", "body", "Invalid JSON: EOF while parsing a value at line 1 column 0"),
    "no JSON": (SECRET, "body", "Invalid JSON: expected ident at line 1 column 2"),
    "cut off": ('{"records": [', "body", "Invalid JSON: EOF while parsing a list at line 1 column 13"),
    "not UTF-8": (b'\xff\xfe{"', "body", "Invalid JSON: expected value at line 1 column 1"),
    "a list": ("[]", "body", "Input should be an object"),
    "null": ('{"records": null}', "records", "Input should be a valid array"),
    "no records": ('{"records": []}', "records", "List should have at least 1 item after validation, not 0"),
    "too deep": (
        "[" * DEEP + "]" * DEEP,
        "body",
        "Invalid JSON: recursion limit exceeded at line 1 column 202",
    ),
    "long number": (
        '{"records": [' + "1" * 5000 + "]}",
        "body",
        "Invalid JSON: number out of range at line 1 column 4315",
    ),
    "lone surrogate": (
        '{"records": [{"\\ud800": 1}]}',
        "body",
        "Invalid JSON: unexpected end of hex escape at line 1 column 22",
    ),
}


@pytest.mark.parametrize(("content", "field", "rule"), list(BODIES.values()), ids=BODIES)
def test_a_body_of_another_form_is_refused(refusing, content, field, rule):
    client, _ = refusing
    reply = send(client, content)
    assert reply.status_code == 422
    assert {"field": field, "rule": rule} in reply.json()["errors"]
    assert SECRET not in reply.text


def test_too_many_records_are_refused(refusing, trained):
    client, record = refusing
    most = trained.serving.maximum_records
    reply = ask(client, *[record] * (most + 1))
    rule = f"List should have at most {most} items after validation, not {most + 1}"
    assert (reply.status_code, reply.json()) == (422, {"errors": [{"field": "records", "rule": rule}]})


@pytest.mark.parametrize("in_pieces", [False, True], ids=["with its length", "in pieces"])
def test_a_body_too_large_is_refused(refusing, trained, in_pieces):
    client, _ = refusing
    content = b" " * (trained.serving.maximum_body_bytes + 1)
    half = len(content) // 2
    reply = send(client, iter([content[:half], content[half:]]) if in_pieces else content)
    rule = "has more bytes than serving.maximum_body_bytes of project.yaml"
    assert (reply.status_code, reply.json()) == (413, {"errors": [{"field": "body", "rule": rule}]})


@pytest.mark.parametrize("key", [None, "", "0123456789abcdeF", API_KEY + "0", b"\xff\xfe"])
def test_without_the_right_key_nothing_is_predicted_or_logged(live, record, key):
    client = client_of(live, key)
    for path in ("/predict", "/%70redict"):
        reply = client.post(path, json={"records": [record]})
        expected = {"errors": [{"field": "X-API-Key", "rule": "missing or wrong"}]}
        assert (reply.status_code, reply.json()) == (401, expected)
    assert logged(live) == []
    counted = figures(client)
    assert counted['predictions_refused_total{reason="key"}'] == 2
    assert counted['predictions_total{source="model"}'] == 0


def test_it_does_not_start_without_a_key_where_one_is_required(live):
    with pytest.raises(errors.ProjectError, match="API_KEY: not set; give the service a key"):
        service_of(live, api_key=None)


def test_it_works_without_a_key_where_none_is_required(live, record):
    open_to_all = live.serving.model_copy(update={"require_api_key": False})
    app = service_of(live, api_key=None, serving=open_to_all)
    reply = ask(TestClient(app), record)
    assert (reply.status_code, len(logged(live))) == (200, 1)


def test_health_readiness_and_version(client, live):
    version = live_version(live)
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json() == {"status": "ready", "source": "model"}
    split = {name: str(day) for name, day in live.dates.model_dump().items()}
    expected = {"version": version.name, "stage": "staging", "decision": version.decision, "split": split}
    assert client.get("/version").json() == expected


def test_the_description_tells_every_field_and_the_key(client, live):
    described = client.get("/openapi.json").json()
    schemas = described["components"]["schemas"]
    (record,) = (s for s in schemas.values() if set(ASKED) <= s.get("properties", {}).keys())
    assert list(record["properties"]) == ASKED
    assert list(schemas["Prediction"]["properties"]) == [KEY, "prediction", *live.project.task.told]
    post = described["paths"]["/predict"]["post"]
    asked = post["requestBody"]["content"]["application/json"]["schema"]
    assert asked == {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in REQUESTS]}
    assert set(post["responses"]) == {"200", "401", "404", "413", "415", "422", "503"}
    refused = {"$ref": "#/components/schemas/Refusals"}
    for status, told in post["responses"].items():
        schema = {"$ref": "#/components/schemas/Predictions"} if status == "200" else refused
        assert told["content"] == {"application/json": {"schema": schema}}
    assert list(described["paths"]["/metrics"]["get"]["responses"]["200"]["content"]) == ["text/plain"]
    assert set(described["paths"]["/ready"]["get"]["responses"]) == {"200", "503"}
    assert described["paths"]["/predict"]["post"]["security"] == [{"APIKeyHeader": []}]
    assert {each.get("format") for each in record["properties"].values()} == {None, "date-time-local"}


def test_the_description_of_an_open_service_asks_for_no_key(live):
    serving = live.serving.model_copy(update={"require_api_key": False})
    described = TestClient(service_of(live, serving=serving)).get("/openapi.json").json()
    post = described["paths"]["/predict"]["post"]
    assert "security" not in post
    assert "401" not in post["responses"]


def test_what_is_behind_the_key_is_refused_as_described(live):
    serving = live.serving.model_copy(update={"key_also_for": ["metrics"]})
    described = TestClient(service_of(live, serving=serving)).get("/openapi.json").json()
    responses = described["paths"]["/metrics"]["get"]["responses"]
    assert {status: list(told["content"]) for status, told in responses.items()} == {
        "200": ["text/plain"],
        "401": ["application/json"],
    }


def test_metrics_count_what_was_answered_and_refused(client, live, record):
    ask(client, record, record)
    ask(client, record)
    ask(client, {})
    client.post("/predict", json={"records": [record]}, headers={"X-API-Key": "wrong"})
    counted = figures(client)
    assert counted['predictions_total{source="model"}'] == 3
    assert counted['predictions_total{source="fallback"}'] == 0
    assert counted['predictions_refused_total{reason="contract"}'] == 1
    assert counted['predictions_refused_total{reason="key"}'] == 1
    assert counted["prediction_seconds_count"] == 2
    assert counted["model_ready"] == 1
    assert counted['model_info{version="' + live_version(live).name + '"}'] == 1


def test_every_answered_prediction_is_logged(client, live, record):
    first, second = ask(client, record, record).json()["predictions"]
    lines = logged(live)
    assert [set(line) for line in lines] == [
        {
            "predicted_at",
            "request_id",
            "version",
            "source",
            "prediction",
            "baseline",
            *live.project.task.told,
            *ASKED,
        }
    ] * 2
    assert [{name: line[name] for name in live.project.task.told} for line in lines] == [
        {name: each[name] for name in live.project.task.told} for each in (first, second)
    ]
    assert [round(line["prediction"], 6) for line in lines] == [first["prediction"], second["prediction"]]
    assert [line[KEY] for line in lines] == [record[KEY]] * 2
    assert {line["version"] for line in lines} == {live_version(live).name}


def test_no_answer_where_the_log_cannot_be_opened(client, live, record):
    folder = prediction_log.prediction_folder(live)
    folder.rmdir()
    folder.write_text("a file in the way", encoding="utf-8")
    reply = ask(client, record)
    rule = "not writable; nothing is predicted unlogged"
    assert (reply.status_code, reply.json()) == (
        503,
        {"errors": [{"field": "prediction log", "rule": rule}]},
    )
    counted = figures(client)
    assert counted['predictions_refused_total{reason="log"}'] == 1
    assert counted['predictions_total{source="model"}'] == 0


def test_no_answer_on_a_full_disk(client, live, record, monkeypatch):
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, content: write(file, content[:20]))
        assert ask(client, record).status_code == 503
    assert ask(client, record).status_code == 200
    assert [line[KEY] for line in logged(live)] == [record[KEY]]


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="there is no disk that is always full")
def test_a_full_disk_is_told_as_such_with_what_to_do(live, record, monkeypatch, caplog):
    folder, today = prediction_log.prediction_folder(live), datetime.now(UTC).date()
    monkeypatch.setattr(prediction_log.secrets, "token_hex", lambda _: "0a0b0c0d")
    folder.mkdir(parents=True, exist_ok=True)
    for day in (today, today + timedelta(days=1)):
        (folder / f"served-{day}-0a0b0c0d.jsonl").symlink_to(FULL)
    client = client_of(live)
    reply = ask(client, record)
    rule = "the disk is full; nothing is predicted unlogged"
    assert (reply.status_code, reply.json()) == (
        503,
        {"errors": [{"field": "prediction log", "rule": rule}]},
    )
    assert (
        f"prediction log: the disk of {folder} is full; make room on it, and predictions are answered again "
        "by themselves"
    ) in caplog.text
    write = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda _, content: write(FULL, content))
    reply = client.get("/ready")
    assert (reply.status_code, reply.json()["reason"]) == (
        503,
        "prediction log: the disk is full; make room on it, and predictions are answered again by themselves",
    )


def test_promotion_and_rollback_are_followed_without_a_restart(client, live, record):
    first = live_version(live).name
    second = variant(live, lambda info: info.update(seed=1))
    registry.make_live(live, second)
    assert ask(client, record).json()["version"] == second
    assert client.get("/version").json()["version"] == second
    registry.launch(live)
    assert client.get("/version").json()["stage"] == "live"
    registry.roll_back(live, start_model)
    assert ask(client, record).json()["version"] == first


def test_a_tampered_version_does_not_replace_the_one_in_service(client, live, record):
    good = ask(client, record).json()
    bad = variant(live, lambda info: info.update(seed=1))
    registry.make_live(live, bad)
    (live.workspace / "models" / bad / "model.json").write_text("{}", encoding="utf-8")
    assert ask(client, record).json() == good


def test_the_fallback_answers_for_a_model_that_gives_no_number(live, record):
    with_model(live, NAN_WHERE_MISSING)
    version = live_version(live)
    features = {*version.encoding.features} - {version.baseline.column}
    gap = next(c.name for c in COLUMNS if c.nullable and c.name in features)
    client = client_of(live)
    answer = ask(client, record | {gap: None}).json()
    expected = version.baseline.predict([record[version.baseline.column]])[0]
    assert answer["source"] == "fallback"
    assert answer["predictions"][0]["prediction"] == round(float(expected), 6)
    assert logged(live)[0]["source"] == "fallback"
    assert figures(client)['predictions_total{source="fallback"}'] == 1


def test_everybody_sees_that_the_fallback_answers(client, live, record):
    registry.use_fallback(live, "it rained")
    assert ask(client, record).json()["source"] == "fallback"
    assert client.get("/ready").json() == {"status": "ready", "source": "fallback"}
    assert figures(client)["model_ready"] == 0


@pytest.mark.parametrize("project", ["trained"], indirect=True)
def test_a_running_server_answers_and_loses_nothing_when_killed(live, record):
    with dry_run.running(live) as service:
        assert service.call("/health") == {"status": "ok"}
        with pytest.raises(HTTPError, match="401"):
            dry_run.Service(service.address, "wrong").call("/predict", {"records": [record]})
        answer = service.call("/predict", {"records": [record] * 3})
        os.kill(service.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    assert [line[KEY] for line in logged(live)] == [item[KEY] for item in answer["predictions"]]
    assert [round(line["prediction"], 6) for line in logged(live)] == [
        item["prediction"] for item in answer["predictions"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("project", ["trained"], indirect=True)
def test_a_rehearsal_without_a_live_model_says_it_once(project, monkeypatch, capsys):
    assert run(monkeypatch, project, "serve", "--rehearse") == 1
    said = f"error: {registry.live_path(project)}: no model is live yet; run `train`, then `promote`\n"
    assert capsys.readouterr().err == said


def test_serve_without_a_live_model_says_what_to_do(project, monkeypatch, capsys):
    assert run(monkeypatch, project, "serve", API_KEY=API_KEY) == 1
    pointer = registry.live_path(project)
    said = f"error: {pointer}: no model is live yet; run `train`, then `promote`\n"
    assert capsys.readouterr().err == said


def test_serve_refuses_a_tampered_version(live, monkeypatch, capsys):
    path = live_version(live).path
    (path / "card.md").write_text("all is well", encoding="utf-8")
    assert run(monkeypatch, live, "serve", API_KEY=API_KEY) == 1
    assert capsys.readouterr().err.startswith(f"error: {path}: the checksum of card.md is wrong; ")


def test_serve_on_a_port_in_use_says_so(live, monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(monkeypatch, live, "serve", "--port", f"{port}", API_KEY=API_KEY) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"error: serve: can't listen on 127.0.0.1:{port}: ")
    assert (said.out, said.err.count("\n")) == ("", 1)


SIGN_IN = {"errors": [{"field": "Authorization", "rule": "sign in first"}]}


class SignIn:
    """A team's middleware: nobody gets anywhere without a name, not even with the service's key."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        names = dict(scope.get("headers", ()))
        allowed = scope["type"] != "http" or b"authorization" in names
        await (self.app if allowed else JSONResponse(SIGN_IN, status_code=403))(scope, receive, send)


def create_own_app(settings):
    """Make a service with a middleware and a route of its own, as a team's serve/api.py does."""
    app = serving.create_app(settings)
    app.add_middleware(SignIn)

    @app.get("/mine")
    async def mine() -> dict[str, str]:
        """Tell whose it is."""
        return {"project": settings.name}

    return app


@pytest.fixture
def own(live):
    """Return the same workspace as that of a project with a service of its own."""
    its = Project(live.project.package, given={"create_app": create_own_app}, root=live.root)
    return in_workspace(live.workspace, its)


def test_a_middleware_of_ones_own_guards_everything(own, record):
    stranger, known = client_of(own), client_of(own)
    known.headers["Authorization"] = "Grace"
    for path in ("/health", "/version", "/metrics", "/mine", "/docs"):
        assert (path, stranger.get(path).status_code, known.get(path).status_code) == (path, 403, 200)
    reply = ask(stranger, record)
    assert (reply.status_code, reply.json(), logged(own)) == (403, SIGN_IN, [])
    assert ask(known, record).status_code == 200
    assert [line[KEY] for line in logged(own)] == [record[KEY]]


def test_a_middleware_of_ones_own_takes_no_place_of_the_key(own, record):
    client = client_of(own, "0123456789abcdeF")
    client.headers["Authorization"] = "Grace"
    assert (ask(client, record).status_code, client.get("/mine").status_code) == (401, 200)


def test_a_route_of_ones_own_is_answered_and_described(own):
    client = client_of(own)
    client.headers["Authorization"] = "Grace"
    assert client.get("/mine").json() == {"project": own.name}
    described = client.get("/openapi.json").json()["paths"]
    assert described["/mine"]["get"]["description"] == "Tell whose it is."
    assert set(described) == {"/predict", "/health", "/ready", "/version", "/metrics", "/mine"}


def ordinary(app):
    """Return the app with something of its own in its stack, so that the ordinary route answers."""

    @app.exception_handler(418)
    async def teapot(request, error):
        raise error

    return app


@pytest.mark.parametrize("key", [API_KEY, "wrong", None])
def test_both_ways_answer_with_the_same_bytes(live, record, key):
    """Whatever is sent: status, headers and body are those of the ordinary route."""
    headers = {"Content-Type": "application/json", "X-Request-ID": "one-2.three"}
    headers |= {"X-API-Key": key} if key else {}
    other = [{"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}]
    bodies = [json.dumps({"records": [record] * count}).encode() for count in (1, 3, 100)]
    bodies += [json.dumps({"records": [record | {"colour": SECRET}]}).encode(), b"{", b"[]", b"", b"\xff"]
    cases = [(content, headers) for content in bodies] + [(bodies[0], headers | each) for each in other]
    found = []
    for made in (service_of(live), ordinary(service_of(live))):
        client = TestClient(made, raise_server_exceptions=False)
        replies = [client.post("/predict", content=content, headers=given) for content, given in cases]
        found.append([(each.status_code, dict(each.headers), each.content) for each in replies])
    assert found[0] == found[1]
    assert {status for status, *_ in found[0]} == ({200, 422, 415} if key == API_KEY else {401})


def test_the_short_way_is_gone_as_soon_as_something_is_added(live, record, monkeypatch):
    """A middleware, a handler, a dependency, a route before it, tracing: each is asked for /predict, too."""
    taken = []

    def app():
        made = service_of(live)
        monkeypatch.setattr(type(made), "_answer", None, raising=False)
        answer = made._answer

        async def counted(content, headers, name):
            taken.append(1)
            return await answer(content, headers, name)

        made._answer = counted
        return made

    def asked(made):
        taken.clear()
        assert ask(TestClient(made, headers={"X-API-Key": API_KEY}), record).status_code == 200
        return len(taken)

    assert asked(app()) == 1

    class Passing:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            await self.app(scope, receive, send)

    middleware, route, dependent, traced = app(), app(), app(), app()
    middleware.add_middleware(Passing)
    route.router.routes.insert(0, route.router.routes[-1])
    dependent.dependency_overrides[len] = lambda: 1
    traced.build_middleware_stack = traced.build_middleware_stack
    assert [asked(each) for each in (middleware, ordinary(app()), route, dependent, traced)] == [0] * 5
    plain = app()
    plain.add_api_route("/mine", lambda: {"mine": True})
    assert asked(plain) == 1


@pytest.mark.parametrize(
    ("headers", "field", "rule"),
    [
        ({"Content-Type": "text/csv"}, "Content-Type", "has to be application/json"),
        (
            {"Content-Type": "application/json; charset=latin-1"},
            "Content-Type",
            "JSON is in UTF-8, and in no other charset",
        ),
        ({"Content-Encoding": "gzip"}, "Content-Encoding", "has to be left out: bodies are read as they are"),
    ],
)
def test_a_body_in_another_form_than_json_is_refused_for_that(client, record, headers, field, rule):
    content = json.dumps({"records": [record]})
    reply = client.post("/predict", content=content, headers={"Content-Type": "application/json"} | headers)
    assert (reply.status_code, reply.json()) == (415, {"errors": [{"field": field, "rule": rule}]})
    right = {"Content-Type": "application/json; charset=UTF-8"}
    assert client.post("/predict", content=content, headers=right).status_code == 200


def test_answers_with_a_middleware_are_the_same_to_the_byte(own, live, record):
    known = client_of(own)
    known.headers["Authorization"] = "Grace"
    plain = client_of(live)
    for records in ([record], [record, record | {"colour": SECRET}], []):
        assert ask(known, *records).content == ask(plain, *records).content


def test_the_verb_serves_what_the_project_makes(own, monkeypatch):
    served = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda server, sockets: served.append(server.config.app))
    run(monkeypatch, own, "serve", "--port", "0", API_KEY=API_KEY)
    assert [TestClient(app).get("/mine").status_code for app in served] == [403]
