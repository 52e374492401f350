"""What the service did is kept minute by minute, and monitoring looks back at it."""

import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from handrail.monitoring.monitoring_run import run_monitoring
from handrail.retention.erasure import find_traces
from handrail.serving import activity, telemetry
from handrail.serving.activity import ActivityLog, activity_folder, read_activity
from handrail.serving.telemetry import Telemetry
from tests.engine.support.lived import first_month_predicted, promoted, rows_asked
from tests.engine.support.workspaces import copied

API_KEY = "0123456789abcdef"
TODAY = datetime.now(UTC).date()
DAYS = TODAY - timedelta(days=1), TODAY + timedelta(days=2)


@pytest.fixture
def live(trained, tmp_path):
    """Return settings of a workspace whose version is live."""
    return promoted(copied(trained, tmp_path))


@pytest.fixture
def month(trained, tmp_path):
    """Return settings of a workspace whose live version has predicted its first month."""
    return first_month_predicted(trained, tmp_path)


def served(settings, *bodies):
    """Ask a service for each of the bodies, and stop it."""
    app = settings.project.create_app(settings.model_copy(update={"api_key": API_KEY}))
    with TestClient(app, headers={"X-API-Key": API_KEY}) as client:
        for body in bodies:
            client.post("/predict", content=json.dumps(body, default=str))
        client.get("/health")


def kept(settings, **counts):
    """Keep a line of what a service did now."""
    folder = activity_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    line = {"from": now.isoformat(), "to": now.isoformat(), "answers": {}, "refused": {}, "seconds": {}}
    with (folder / f"{now:%Y-%m-%d}-0a0b0c0d.ndjson").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line | counts) + "\n")


def readings(settings):
    return {reading.name: reading for reading in run_monitoring(settings).readings}


def test_what_was_asked_is_kept_when_the_service_stops(live):
    good = {"records": rows_asked(live, 2)}
    served(live, good, good, {"records": []}, {"keys": ["UA1-EWR-201301010000"]})
    served(live)  # nothing was asked: nothing is written
    (file,) = activity_folder(live).iterdir()
    (line,) = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    assert (line["answers"], line["refused"]) == (
        {"200": 2, "404": 1, "422": 1},
        {"contract": 1, "rows": 1},
    )
    assert sum(line["seconds"].values()) == 2
    assert line["records"] == {"contract": 1}
    assert line["broken"] == {"records: too_short": 1}
    assert set(line) == {
        "from",
        "to",
        "answers",
        "refused",
        "records",
        "seconds",
        "broken",
    }  # nothing of anybody's data
    found = read_activity(live, *DAYS)
    assert (found.requests, found.refused["contract"], found.failed_share) == (4, 1, 0.0)
    assert read_activity(live, date(2013, 1, 1), date(2013, 2, 1)).requests == 0


def test_every_record_of_a_refused_request_is_counted(live):
    good, bad = rows_asked(live, 2), {"nothing": 1}
    served(
        live,
        {"records": [*good, bad] * 100},
        {"records": [*good, bad] * 2},
        {"keys": [1, 2, 3, 4]},
        {"keys": [], "records": []},
        {"rows": 5},
        [7],
    )
    assert read_activity(live, *DAYS).records == {"contract": 300 + 6 + 4 + 1 + 1 + 1}


def test_which_field_broke_which_rule_is_counted_and_nothing_of_the_values(live, caplog):
    """Three records have a distance that is none, one of them another origin, too; a name is a stranger's."""
    begun = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    good = rows_asked(live, 4)
    bad = [record | {"distance_km": -4711.5} for record in good[:3]]
    bad[0] |= {"origin": "Ada Lovelace"}
    bad[1].pop("carrier")
    served(
        live,
        {"records": [*bad, *good]},
        {"records": [good[0] | {"ada_lovelace": 1}]},
        {"records": [good[0] | {"distance_km": "far"}]},
    )
    expected = {
        "distance_km: greater_than_equal": 3,
        "origin: literal_error": 1,
        "carrier: missing": 1,
        "other: extra_forbidden": 1,
        "distance_km: float_type": 1,
    }
    found = read_activity(live, *DAYS).broken
    assert {each.rule: each.records for each in found} == expected
    assert found[0].rule == "distance_km: greater_than_equal"
    assert all(begun <= each.first <= each.last <= begun + timedelta(minutes=1) for each in found)
    assert "refused, by field and rule: distance_km: greater_than_equal (3), " in caplog.text
    (file,) = activity_folder(live).iterdir()
    said = file.read_text(encoding="utf-8") + caplog.text
    assert not [secret for secret in ("4711", "Lovelace", "lovelace", "far") if secret in said]


def test_each_field_is_counted_for_prometheus_from_the_start(live):
    app = live.project.create_app(live.model_copy(update={"api_key": API_KEY}))
    (good,) = rows_asked(live, 1)
    with TestClient(app, headers={"X-API-Key": API_KEY}) as client:
        assert 'records_broken_total{field="distance_km"} 0.0' in client.get("/metrics").text
        body = {"records": [good | {"distance_km": -1}] * 3}
        assert client.post("/predict", content=json.dumps(body, default=str)).status_code == 422
        said = client.get("/metrics").text
    assert 'records_broken_total{field="distance_km"} 3.0' in said
    assert said.count("records_broken_total{") == len(live.project.request.model_fields) + 4


def test_too_many_good_records_are_a_refusal_of_their_own(live):
    good = rows_asked(live, 1) * 1200
    served(live, {"records": good}, {"keys": ["a"] * 1100}, {"records": [*good, {"nothing": 1}]})
    found = read_activity(live, *DAYS)
    assert found.answers == {"422": 3}
    assert found.refused == {"too many": 3}
    assert found.records == {"too many": 1200 + 1100 + 1201}
    assert found.records["contract"] == 0
    assert not found.broken


def test_rules_are_bounded_whatever_a_client_sends(monkeypatch):
    monkeypatch.setattr(telemetry, "MOST_RULES", 3)
    figures = Telemetry(["distance"])
    for number in range(100):
        figures.broke({("distance", f"rule {number}"): 2, (f"field {number}", "missing"): 1})
    counted = figures.counts()["broken"]
    assert len(counted) == 4
    assert counted.total() == 300
    assert counted["other: missing"] == 100
    assert figures.text().count(b"records_broken_total{") == 5


def test_broken_rules_are_told_at_once_and_then_once_a_minute(tmp_path, monkeypatch, caplog):
    clock = [1000.0]
    monkeypatch.setattr(activity, "monotonic", lambda: clock[0])
    figures = Telemetry(["distance"])
    log = ActivityLog(tmp_path, figures)
    for _ in range(30):
        figures.broke({("distance", "missing"): 1})
        log.write()
        clock[0] += activity.EVERY_SECONDS
    counts = [record.facts["broken"]["distance: missing"] for record in caplog.records]
    assert counts == [1, 12, 12]
    assert caplog.records[1].getMessage().endswith("by field and rule: distance: missing (12)")


def test_of_a_body_that_is_not_json_one_record_counts(live):
    app = live.project.create_app(live.model_copy(update={"api_key": API_KEY}))
    with TestClient(app, headers={"X-API-Key": API_KEY}) as client:
        assert client.post("/predict", content=b"{'records': [1, 2]}").status_code == 422
        assert 'records_refused_total{reason="contract"} 1.0' in client.get("/metrics").text
    assert read_activity(live, *DAYS).records == {"contract": 1}


def test_a_line_without_records_counts_requests(live):
    kept(live, refused={"contract": 3})
    assert read_activity(live, *DAYS).records["contract"] == 3


def test_each_line_tells_what_came_since_the_one_before(tmp_path):
    figures = Telemetry()
    log = ActivityLog(tmp_path, figures)
    for number in (1, 2):
        for _ in range(number):
            figures.answered("/predict", 200)
            figures.predicted("model", None, 1, 0.002)
        log.write()
    log.write()
    (file,) = tmp_path.iterdir()
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(line["answers"], line["seconds"]) for line in lines] == [
        ({"200": 1}, {"0.003": 1}),
        ({"200": 2}, {"0.003": 2}),
    ]


def test_what_cannot_be_written_is_told_with_the_next_line(tmp_path, caplog):
    place = tmp_path / "service"
    place.write_text("a file in the way", encoding="utf-8")
    figures = Telemetry()
    log = ActivityLog(place, figures)
    figures.answered("/predict", 200)
    log.write()
    assert "what the service did is not kept: " in caplog.text
    place.unlink()
    log.write()
    (line,) = map(json.loads, next(place.iterdir()).read_text(encoding="utf-8").splitlines())
    assert line["answers"] == {"200": 1}


def test_a_cut_off_line_is_no_line(live):
    kept(live, answers={"200": 5})
    (file,) = activity_folder(live).iterdir()
    with file.open("a", encoding="utf-8") as log:
        log.write('{"from": "20')
    assert read_activity(live, *DAYS).requests == 5


def test_too_many_records_in_a_body_are_no_rows_that_break_the_contract(month):
    kept(month, answers={"422": 1}, refused={"too many": 1}, records={"too many": 1_000_000})
    found = readings(month)["rows that break the contract"]
    assert (found.value, found.state) == (0, "ok")


def test_refused_requests_break_the_contract(month):
    before = readings(month)["rows that break the contract"]
    rules = {"distance: less_than_equal": 900_000, "carrier: missing": 100_000}
    counts = {"records": {"contract": 1_000_000}, "broken": rules}
    kept(month, answers={"422": 1}, refused={"contract": 1}, **counts)
    after = readings(month)["rows that break the contract"]
    assert (before.value, before.state, before.why) == (0, "ok", "")
    assert (after.value > 0.9, after.state) == (True, "alert")
    said = r".* \(of requests, most often by distance: less_than_equal since 20\S+ \S+ UTC\)"
    assert re.fullmatch(said, after.told)


@pytest.mark.parametrize(
    ("counts", "failed", "slowest"),
    [
        ({"answers": {"200": 1000}, "seconds": {"0.003": 1000}}, (0.0, "ok"), (0.003, "ok")),
        ({"answers": {"200": 980, "503": 20}, "seconds": {"0.01": 980}}, (0.02, "alert"), (0.01, "ok")),
        ({"answers": {"200": 995, "500": 5}, "seconds": {"0.1": 984, "1": 11}}, (0.005, "ok"), (1, "alert")),
        (
            {"answers": {"200": 1000}, "seconds": {"0.1": 980, "more": 20}},
            (0.0, "ok"),
            (float("inf"), "alert"),
        ),
        ({"answers": {"200": 10, "500": 10}, "seconds": {"0.1": 10}}, (None, "unknown"), (None, "unknown")),
    ],
    ids=["good", "failures", "slow", "very slow", "few"],
)
def test_failures_and_slow_answers_are_alerts(month, counts, failed, slowest):
    assert "requests that failed" not in readings(month)  # nothing was asked over HTTP
    kept(month, **counts)
    found = readings(month)
    for name, (value, state) in {
        "requests that failed": failed,
        "slowest hundredth in seconds": slowest,
    }.items():
        assert found[name].state == state
        assert value is None or found[name].value == pytest.approx(value)


def test_a_look_back_reads_its_own_days(month):
    kept(month, answers={"500": 1000})
    start = month.dates.live_from
    seen = run_monitoring(month, start, start + timedelta(days=30))
    assert "requests that failed" not in {reading.name for reading in seen.readings}


def test_nothing_of_it_is_taken_for_a_person(live):
    kept(live, answers={"200": 7})
    (record,) = rows_asked(live, 1)
    traces = find_traces(live, record[live.project.key])
    assert not any(trace.path.parent == activity_folder(live) for trace in traces)
