"""A minute of load while everything happens that happens: no wrong answer, no lost record."""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.template.baking import bake_new, ran

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="what fills a disk for one process is Linux's"),
]

SECONDS, CLIENTS = 60, 6
SMALL = ("--sample", "20000")
KEY = "0123456789abcdef0123456789abcdef"
ANSWERS = {"notebooks": "none", "ci": "none", "dashboard": "none"}
# Whatever is answered has to be what one of the versions, or its baseline, says of the record.
EXPECTED = """
import json
from handrail.compute.duckdb import connect, rows
from handrail.etl.load import require_table
from handrail.registry.versions import load_version
from handrail.serving.inference import Loaded, infer, start_model
from late_flights import project

settings = project.settings(sample=20000)
names = ", ".join(project.request.model_fields)
table = require_table(settings, project.table_name)
with connect(settings) as connection:
    found = f"SELECT {names} FROM {table} WHERE scheduled_at >= '2013-10-01' ORDER BY flight_id LIMIT 200"
    records = rows(connection, found)
expected = {}
for path in sorted((settings.workspace / "models").glob("2013-*")):
    version = load_version(settings, path.name)
    answer = infer(Loaded(version, start_model(version)), records, "model")
    expected[path.name] = {"model": answer.prediction.tolist(), "fallback": answer.baseline.tolist()}
print(json.dumps({"records": records, "expected": expected}, default=str))
"""


@dataclass
class Answer:
    """What a client was told of one record."""

    at: float
    request: str
    record: int
    status: int
    body: dict


@dataclass
class Load:
    """Clients that ask for one record after the other on connections that they keep."""

    port: int
    records: list
    answers: list[Answer] = field(default_factory=list)
    lost: list[tuple[float, str, bool]] = field(default_factory=list)  # whether its connection was new
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self, client: int) -> None:
        """Ask until it is over."""
        connection, number = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20), 0
        while not self.over.is_set():
            number, new = number + 1, connection.sock is None
            try:
                self.answers.append(self._one(connection, f"{client}-{number}", (client * 31 + number) % 200))
            except (OSError, http.client.HTTPException) as error:
                self.lost.append((time.monotonic(), repr(error), new))
                connection.close()
                time.sleep(0.02)

    def _one(self, connection: http.client.HTTPConnection, request: str, record: int) -> Answer:
        headers = {"X-API-Key": KEY, "Content-Type": "application/json", "X-Request-ID": request}
        connection.request("POST", "/predict", json.dumps({"records": [self.records[record]]}), headers)
        reply = connection.getresponse()
        body = json.loads(reply.read())
        assert reply.headers["X-Request-ID"] == request
        return Answer(time.monotonic(), request, record, reply.status, body)


class Service:
    """The service of a project in two processes, as it is started, broken and started again."""

    def __init__(self, project) -> None:
        self.project, self.folder = project, project.path / "sample" / "20000"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.said: list[bytes] = []
        self.down: list[tuple[float, float]] = []
        self.full: list[tuple[float, float]] = []
        self.start()

    def start(self) -> None:
        """Start it and wait until it is ready."""
        command = self.project.path / ".venv" / "bin" / "late-flights"
        self.process = subprocess.Popen(
            [command, "serve", "--port", str(self.port), "--workers", "2", *SMALL],
            cwd=self.project.path,
            env={**os.environ, "LATE_FLIGHTS_API_KEY": KEY},
            stdout=subprocess.PIPE,  # a file of its own could not be longer on a full disk
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        threading.Thread(target=self.said.extend, args=(self.process.stdout,)).start()
        self.wait()

    def wait(self) -> None:
        """Wait until it is ready."""
        for _ in range(600):
            with suppress(URLError, OSError), urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=5):
                return
            assert self.process.poll() is None, self.said
            time.sleep(0.1)
        raise AssertionError("it never was ready")

    @property
    def workers(self) -> list[int]:
        """The processes that answer."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(each) for each in children if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]

    @contextmanager
    def out(self, which: list[tuple[float, float]]):
        """Note from when to when something was out of order."""
        began = time.monotonic()
        yield
        which.append((began, time.monotonic() + 0.5))

    def run(self, *verb: str) -> str:
        """Run a verb of the project beside it."""
        return ran(self.project, ".venv/bin/late-flights", *verb, *SMALL)

    def kill_a_worker(self) -> None:
        """Kill one of two; one that has died again and again is begun again after half a minute at most."""
        end = time.monotonic() + 60
        while len(self.workers) < 2 and time.monotonic() < end:
            time.sleep(0.2)
        time.sleep(3)  # until both answer
        with self.out(self.down):
            os.kill(random.choice(self.workers), signal.SIGKILL)
            time.sleep(2)

    def kill_all(self) -> None:
        with self.out(self.down):
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.start()

    def stop_and_start(self) -> None:
        """Stop it as a platform does: whoever is there is answered, nobody is cut off."""
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(timeout=60) in (0, -signal.SIGTERM)
        self.start()
        self.stopped = (began, time.monotonic() + 0.5)

    def fill_the_disk(self) -> None:
        """No process of it can make a file longer, as on a full disk."""
        from resource import RLIM_INFINITY, RLIMIT_FSIZE, prlimit

        with self.out(self.full):
            workers = self.workers
            for pid in workers:
                prlimit(pid, RLIMIT_FSIZE, (1, RLIM_INFINITY))
            time.sleep(2)
            for pid in workers:
                with suppress(ProcessLookupError):
                    prlimit(pid, RLIMIT_FSIZE, (RLIM_INFINITY, RLIM_INFINITY))
            self.wait()

    def spoil_live_json(self) -> None:
        """Leave it half written, empty, as a folder, and not there at all."""
        path = self.folder / "models" / "live.json"
        good = path.read_bytes()
        for content in (good[:40], b"", None, b"[]"):
            if content is None:
                path.unlink()
                path.mkdir()
            else:
                path.write_bytes(content)
            time.sleep(0.6)
            if path.is_dir():
                path.rmdir()
        path.unlink()
        time.sleep(0.6)
        path.write_bytes(good)


@pytest.fixture(scope="module")
def project(cookies_session):
    """A project with two versions."""
    made = bake_new(cookies_session, ANSWERS)
    ran(made, "uv", "sync", "--quiet")
    for verb in ("etl", "train --no-round", "promote", "train --no-round --until 2013-10-01"):
        ran(made, "uv", "run", "late-flights", *verb.split(), *SMALL)
    return made


def inside(at: float, times: list[tuple[float, float]]) -> bool:
    return any(began <= at <= ended for began, ended in times)


def test_a_minute_in_which_everything_happens(project):
    known = json.loads(ran(project, ".venv/bin/python", "-c", EXPECTED))
    first, second = sorted(known["expected"])
    service = Service(project)
    load = Load(service.port, known["records"])
    clients = [threading.Thread(target=load.ask, args=(number,)) for number in range(CLIENTS)]
    events = {
        "promote": lambda: service.run("promote", second),
        "rollback": lambda: service.run("rollback"),
        "canary": lambda: service.run("promote", second, "--canary", "0.3"),
        "no canary": lambda: service.run("rollback"),
        "kill a worker": service.kill_a_worker,
        "kill all": service.kill_all,
        "stop and start": service.stop_and_start,
        "full disk": service.fill_the_disk,
        "live.json": service.spoil_live_json,
    }
    began = time.monotonic()
    try:
        for client in clients:
            client.start()
        for name, happen in events.items():
            print(f"{time.monotonic() - began:5.1f} {name}")
            happen()
        while time.monotonic() < began + SECONDS:
            random.choice([service.kill_a_worker, service.fill_the_disk, service.spoil_live_json])()
        time.sleep(0.5)
    finally:
        load.over.set()
        for client in clients:
            client.join()
        os.killpg(service.process.pid, signal.SIGTERM)
        service.process.wait(timeout=60)
        print(*(line for line in service.said if b"too large" not in line), sep="\n")
    check_answers(load, service, known["expected"])
    check_log(load, service)
    by = {answer.body["version"] for answer in load.answers if answer.status == 200}
    assert by == {first, second}
    assert len(load.answers) > 2000
    check_losses(load, service)


def check_answers(load: Load, service: Service, expected: dict) -> None:
    """Every answer is what a version says of the record, or the refusal that was announced."""
    for answer in load.answers:
        if answer.status == 503:
            assert inside(answer.at, service.full), answer
            continue
        assert answer.status == 200, answer
        told = answer.body["predictions"][0]["prediction"]
        said = expected[answer.body["version"]][answer.body["source"]][answer.record]
        assert told == pytest.approx(said, abs=2e-6), answer
        assert answer.body["source"] == "model" or answer.body["reason"] == "late", answer


def check_log(load: Load, service: Service) -> None:
    """Each prediction that was answered stands in the log, once, as it was answered."""
    logged: dict[str, list[dict]] = {}
    for path in (service.folder / "data" / "predictions").glob("served-*.jsonl"):
        for line in path.read_bytes().splitlines():
            with suppress(ValueError):  # what a killed process left half was never answered
                found = json.loads(line)
                logged.setdefault(found.get("request_id"), []).append(found)
    for answer in load.answers:
        if answer.status == 200:
            (line,) = logged[answer.request]
            assert line["prediction"] == pytest.approx(answer.body["predictions"][0]["prediction"], abs=2e-6)
            assert line["version"] == answer.body["version"]
        else:
            assert answer.request not in logged, answer


def check_losses(load: Load, service: Service) -> None:
    """A connection is cut only where its process was killed; a stop lets in no new ones, and cuts none."""
    for at, error, new in load.lost:
        if not inside(at, service.down):
            assert inside(at, [service.stopped]), (at, error)
            assert new, error
