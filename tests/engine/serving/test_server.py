"""The server as a process: slow clients, too many of them, a stop under load, and several workers."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import urlopen

import pytest

from handrail.registry import live as registry
from handrail.serving import dry_run, prediction_log
from handrail.serving.activity import EVERY_SECONDS, read_activity
from tests.engine.support.lived import KEY, live_version, promoted, rows_asked, variant
from tests.engine.support.workspaces import copied

pytestmark = pytest.mark.slow


@pytest.fixture
def live(trained, tmp_path):
    """Return settings of a workspace whose version is live."""
    return promoted(copied(trained, tmp_path))


@contextmanager
def served(settings, monkeypatch, *arguments, **serving):
    """Run the service with other settings of `serving`, and stop it at the end."""
    prefix = settings.project.env_prefix
    for name, value in serving.items():
        monkeypatch.setenv(f"{prefix}SERVING__{name.upper()}", str(value))
    with dry_run.running(settings, *arguments) as service:
        yield service


def connected(service):
    """Return a connection on which nothing is said."""
    place = urlparse(service.address)
    return socket.create_connection((place.hostname, place.port), timeout=30)


def body_of(settings, count=1):
    return json.dumps({"records": rows_asked(settings, count)}, default=str).encode()


def posted(service, content, connection=None):
    """Return status and body of a request for predictions, on a connection or one of its own."""
    used = connection or http.client.HTTPConnection(urlparse(service.address).netloc, timeout=30)
    headers = {"X-API-Key": service.key, "Content-Type": "application/json"}
    used.request("POST", "/predict", content, headers)
    with used.getresponse() as reply:
        return reply.status, json.loads(reply.read())


def closed_after(connection, seconds):
    """Return after how many seconds the other side closes a connection, None where it doesn't."""
    begun = time.monotonic()
    connection.settimeout(seconds)
    try:
        return time.monotonic() - begun if connection.recv(1) == b"" else None
    except TimeoutError:
        return None


def logged(settings):
    files = sorted(prediction_log.prediction_folder(settings).glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def test_clients_that_say_nothing_shut_nobody_out(live, monkeypatch):
    content = body_of(live)
    with served(live, monkeypatch, maximum_connections=20) as service:
        idle = [connected(service) for _ in range(60)]
        assert posted(service, content)[0] == 200
        assert sum(closed_after(each, 0.05) is not None for each in idle) >= 40
        for each in idle:
            each.close()


@pytest.mark.parametrize(
    "said", [b"", b"POST /predict HT", b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{"]
)
def test_a_client_that_is_too_slow_is_dropped(live, monkeypatch, said):
    with (
        served(live, monkeypatch, arrival_seconds=1.5) as service,
        closing(connected(service)) as slow,
    ):
        slow.sendall(said)
        assert 0.5 < closed_after(slow, 20) < 10


def test_a_client_that_sends_a_byte_now_and_then_is_dropped_too(live, monkeypatch):
    with (
        served(live, monkeypatch, arrival_seconds=1.5) as service,
        closing(connected(service)) as slow,
    ):
        begun = time.monotonic()
        with suppress(BrokenPipeError, ConnectionResetError):
            for letter in b"POST /predict HTTP/1.1\r\nX: " + b"y" * 200:
                slow.sendall(bytes([letter]))
                time.sleep(0.1)
        assert 0.5 < time.monotonic() - begun < 15  # all of it would take 22 s


def test_a_connection_that_is_kept_is_closed_when_idle(live, monkeypatch):
    with served(live, monkeypatch, idle_seconds=1) as service, closing(connected(service)) as kept:
        kept.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        said = b""
        while not said.endswith(b'{"status":"ok"}'):
            said += kept.recv(4096)
        assert b"200 OK" in said
        assert 0.2 < closed_after(kept, 20) < 10


def test_a_stop_resets_no_request_that_was_accepted(live, monkeypatch):
    """Four clients ask again and again while it is told to stop: each has an answer to all that it sent."""
    content, answered, reset = body_of(live), [], []
    with served(live, monkeypatch) as service:
        stop = threading.Event()

        def ask():
            kept = http.client.HTTPConnection(urlparse(service.address).netloc, timeout=30)
            while not stop.is_set():
                try:
                    kept.connect() if kept.sock is None else None
                except OSError:  # nobody is let in any more
                    return
                try:
                    answered.append(posted(service, content, kept)[0])
                except (ConnectionError, http.client.HTTPException) as error:
                    reset.append(error)
                    return

        clients = [threading.Thread(target=ask) for _ in range(4)]
        for each in clients:
            each.start()
        time.sleep(1)
        os.kill(service.pid, signal.SIGTERM)
        time.sleep(3)
        stop.set()
        for each in clients:
            each.join(30)
    assert reset == []
    assert len(answered) > 100
    assert set(answered) == {200}
    assert len(logged(live)) == len(answered)


def test_several_workers_answer_log_and_count_together(live, monkeypatch):
    first, content = live_version(live).name, body_of(live, 3)
    with served(live, monkeypatch, "--workers", "2") as service:
        folder, replies = prediction_log.prediction_folder(live), []
        end = time.monotonic() + 60
        while len([*folder.glob("served-*.jsonl")]) < 2 and time.monotonic() < end:  # one of each worker
            with ThreadPoolExecutor(8) as clients:
                replies += clients.map(lambda _: posted(service, content)[0], range(80))
        assert len([*folder.glob("served-*.jsonl")]) == 2
        assert set(replies) == {200}
        assert len(logged(live)) == 3 * len(replies)
        second = variant(live, lambda info: info.update(seed=1))
        registry.make_live(live, second)
        time.sleep(4)
        with ThreadPoolExecutor(8) as clients:
            versions = set(clients.map(lambda _: posted(service, content)[1]["version"], range(60)))
        assert versions == {second}
        told = {metrics_of(service)['predictions_total{source="model"}'] for _ in range(10)}
        assert told == {3 * (len(replies) + 60)}
        counted = metrics_of(service)
        assert counted[f'model_info{{version="{second}"}}'] == 1
        assert counted[f'model_info{{version="{first}"}}'] == 0


def metrics_of(service):
    with urlopen(f"{service.address}/metrics", timeout=10) as reply:
        lines = reply.read().decode().splitlines()
    return {name: float(value) for name, value in (x.rsplit(" ", 1) for x in lines if not x.startswith("#"))}


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads the children of a process")
def test_a_worker_that_dies_is_replaced(live, monkeypatch):
    content = body_of(live)
    with served(live, monkeypatch, "--workers", "2") as service:
        before = workers_of(service)
        assert len(before) == 2
        os.kill(min(before), signal.SIGKILL)
        end = time.monotonic() + 30
        while len(workers_of(service) - before) < 1 and time.monotonic() < end:
            time.sleep(0.1)
        assert len(workers_of(service)) == 2
        time.sleep(3)
        assert [posted(service, content)[0] for _ in range(30)] == [200] * 30
    assert {line[KEY] for line in logged(live)} == {rows_asked(live, 1)[0][KEY]}


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads the children of a process")
@pytest.mark.parametrize("arguments", [(), ("--workers", "2")], ids=["alone", "workers"])
def test_what_is_killed_loses_no_more_than_the_last_seconds_of_what_it_did(live, monkeypatch, arguments):
    good, moments = body_of(live), []
    bad = json.dumps({"records": [{"nothing": 1}] * 3}).encode()
    with served(live, monkeypatch, *arguments) as service:
        end = time.monotonic() + 2 * EVERY_SECONDS + 2
        while time.monotonic() < end:
            assert (posted(service, good)[0], posted(service, bad)[0]) == (200, 422)
            moments.append(time.monotonic())
        for each in workers_of(service) if arguments else [service.pid]:
            os.kill(each, signal.SIGKILL)
        killed = time.monotonic()
    today = datetime.now(UTC).date()
    found = read_activity(live, today - timedelta(days=1), today + timedelta(days=1))
    early = sum(killed - each > EVERY_SECONDS + 1 for each in moments)
    assert 0 < early <= found.answers["200"] <= len(moments)
    assert 3 * early <= found.records["contract"] <= 3 * len(moments)
    assert {each.rule: each.records for each in found.broken}["other: extra_forbidden"] >= 3 * early


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads the children of a process")
def test_of_each_worker_that_dies_a_line_is_logged(live, tmp_path):
    prefix, project, told = live.project.env_prefix, live.project, tmp_path / "told"
    own = {"WORKSPACE": str(live.workspace), "API_KEY": "0123456789abcdef", "SERVING__LOGS": "json"}
    with told.open("w") as errors:
        service = subprocess.Popen(
            [sys.executable, "-m", project.package, "serve", "--workers", "2", "--port", "0"],
            env=os.environ | {f"{prefix}{name}": value for name, value in own.items()},
            cwd=live.root,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    try:
        wait_until(lambda: len(workers_of(service)) == 2)
        before = workers_of(service)
        for each in before:
            os.kill(each, signal.SIGKILL)
        wait_until(lambda: len(workers_of(service) - before) == 2)
    finally:
        service.terminate()
        service.wait(60)
    lines = [json.loads(line) for line in told.read_text().splitlines()]
    dead = [
        re.match(r"worker (\d+) has died \(exit status -9\); another begins", x["message"]) for x in lines
    ]
    assert sorted(int(each[1]) for each in dead) == sorted(before)
    assert {line["level"] for line in lines} == {"error"}


def wait_until(condition):
    """Wait as long as a service may take to start."""
    end = time.monotonic() + dry_run.START_SECONDS
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    assert condition()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads the children of a process")
def test_a_worker_that_cannot_begin_again_leaves_the_others_and_is_tried_again(live, monkeypatch):
    content, pointer = body_of(live), registry.live_path(live)
    good = pointer.read_bytes()
    with served(live, monkeypatch, "--workers", "2") as service:
        wait_until(lambda: posted(service, content)[0] == 200 and logs_of(live) == 2)  # both have begun
        before = workers_of(service)
        pointer.write_bytes(good[:40])
        os.kill(min(before), signal.SIGKILL)
        end = time.monotonic() + 8
        while time.monotonic() < end:  # its successors can't begin
            assert posted(service, content)[0] == 200
            time.sleep(0.1)
        assert max(before) in workers_of(service)
        pointer.write_bytes(good)
        end = time.monotonic() + 30
        while len(workers_of(service)) < 2 and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(3)
        assert len(workers_of(service)) == 2


def logs_of(settings):
    """Return how many workers have logged an answer."""
    return len([*prediction_log.prediction_folder(settings).glob("*.jsonl")])


def workers_of(service):
    """Return the processes that serve, without that which Python starts to look after them."""
    children = Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text(encoding="utf-8").split()
    said = {int(each): Path(f"/proc/{each}/cmdline").read_bytes() for each in children}
    return {number for number, line in said.items() if b"spawn_main" in line}


def test_workers_that_cannot_begin_say_it_once(live, monkeypatch):
    registry.live_path(live).unlink()
    prefix, project = live.project.env_prefix, live.project
    own = {f"{prefix}WORKSPACE": str(live.workspace), f"{prefix}API_KEY": "0123456789abcdef"}
    done = subprocess.run(
        [sys.executable, "-m", project.package, "serve", "--workers", "2", "--port", "0"],
        env=os.environ | own,
        cwd=live.root,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert (done.returncode, len(errors)) == (1, 1)
    assert re.fullmatch(r"error: .*live.json: no model is live yet; run `train`, then `promote`", errors[0])
