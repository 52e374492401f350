"""The running service beside an empty endpoint and the bare model, and a client beside one with large bodies.

One worker, with key, figures and prediction log. Each pair runs in turn, and the ratio is that of the pairs.
"""

import os
import secrets
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from http_client import asking_beside, latencies, rate, request
from project import Installed, bake_and_install, run
from rows import Row
from timing import compare

ROUNDS = 7
REQUESTS = {1: 2_000, 32: 8_000}
WANTED = {1: 0.65, 32: 0.8}  # of the requests of an empty endpoint
MANY, CLIENTS, BODIES = 1_000, 4, 120  # records of a body, clients that send them, bodies in a round
WANTED_OF_MODEL = 0.35  # of the rows that the model alone predicts
WANTED_MILLISECONDS = 15  # within which all but one in a hundred of a neighbour's requests are answered
NEIGHBOUR_SECONDS, PAUSE_SECONDS = (
    4.0,
    0.002,
)  # in a round, and from an answer to the neighbour's next request
START_SECONDS = 60
HERE = Path(__file__).parent
INSIDE = HERE / "serving_inside.py"


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    process: subprocess.Popen

    def processor_seconds(self) -> float:
        """Return the processor time that it has taken so far; NaN where the system does not tell."""
        try:
            times = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        except FileNotFoundError:
            return float("nan")
        return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


def measure(folder: Path) -> list[Row]:
    """Return rows for one record, for bodies of many, and for a neighbour of those."""
    project, key = bake_and_install(folder), secrets.token_urlsafe(24)
    for verb in ("etl", "train", "promote"):
        run(project.command, verb, cwd=project.path)
    one, many = (predict_request(project, folder, key, count) for count in (1, MANY))
    with ExitStack() as stack:

        def start(*command: str | Path) -> Server:
            return stack.enter_context(served(project, key, *command))

        short = start(project.command, "serve", "--port")
        nothing = request("GET", "/", key)
        asked = {
            "an empty endpoint": (start(*uvicorn(project, "endpoint"), "--port"), nothing),
            "one-record predictions": (short, one),
            "the same behind FastAPI's stack": (start(project.python, INSIDE, "ordinary"), one),
            "an empty handler, the limit": (start(*uvicorn(project, "handler"), "--port"), nothing),
        }
        rows = [row for connections in REQUESTS for row in beside_empty(asked, connections)]
        return [*rows, beside_model(project, folder, short, many), neighbour(short, one, many)]


def beside_empty(asked: dict[str, tuple[Server, bytes]], connections: int) -> Iterator[Row]:
    """Measure all that is asked in turn, and compare it with the first."""
    count = REQUESTS[connections]
    rounds = [
        [rate(server.port, content, connections, count) for server, content in asked.values()]
        for _ in range(ROUNDS + 1)
    ][1:]
    many = "connection" if connections == 1 else "connections"
    for place, what in list(enumerate(asked))[1:]:
        found = compare([(each[place], each[0]) for each in rounds])
        result = (
            f"{found.ratio:.2f} of the requests of an empty endpoint "
            f"({found.first:,.0f} : {found.second:,.0f} a second)"
        )
        wanted = WANTED[connections] if place == 1 else None
        limit = (f"at least {wanted}", found.ratio >= wanted) if wanted else ()
        yield Row(f"{what}, {connections} {many}", result, *limit)


def beside_model(project: Installed, folder: Path, server: Server, many: bytes) -> Row:
    """Compare the rows per second of bodies of many records with those of the model alone, in turn."""
    command = (project.python, INSIDE, "model", folder / f"{MANY}.json")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=project.path, **pipes) as model:

        def alone() -> list[float]:
            print(BODIES, file=model.stdin, flush=True)
            return [BODIES * MANY / float(seconds) for seconds in model.stdout.readline().split()]

        def ours() -> list[float]:
            used = server.processor_seconds()
            found = rate(server.port, many, CLIENTS, BODIES) * MANY
            return [found, BODIES * MANY / (server.processor_seconds() - used)]

        pairs = [(ours(), alone()) for _ in range(ROUNDS + 1)][1:]
        model.stdin.close()
    elapsed, used = (compare([(a[place], b[place]) for a, b in pairs]) for place in (0, 1))
    result = (
        f"{elapsed.ratio:.2f} of the rows of the model alone ({elapsed.first:,.0f} : {elapsed.second:,.0f} a "
        f"second), {used.ratio:.2f} by processor time"
    )
    what = f"bodies of {MANY:,} records, {CLIENTS} connections"
    return Row(what, result, f"at least {WANTED_OF_MODEL}", elapsed.ratio >= WANTED_OF_MODEL)


def neighbour(server: Server, one: bytes, many: bytes) -> Row:
    """Tell how long one-record requests take alone, and beside a client that sends large bodies, in turn."""
    alone, beside = [], []
    for _ in range(ROUNDS):
        alone.append(within(latencies(server.port, one, NEIGHBOUR_SECONDS, PAUSE_SECONDS)))
        with asking_beside(server.port, many, 1):
            beside.append(within(latencies(server.port, one, NEIGHBOUR_SECONDS, PAUSE_SECONDS)))
    (half, most), (half_alone, most_alone) = (
        [statistics.median(each) for each in zip(*rounds, strict=True)] for rounds in (beside, alone)
    )
    result = (
        f"half within {half:.1f} ms, 99% within {most:.1f} ms; "
        f"alone half within {half_alone:.1f} ms, 99% within {most_alone:.1f} ms"
    )
    what = f"one-record predictions beside a client that sends bodies of {MANY:,}"
    return Row(what, result, f"99% within {WANTED_MILLISECONDS} ms", most < WANTED_MILLISECONDS)


def within(seconds: list[float]) -> tuple[float, float]:
    """Return the milliseconds within which half, and all but one in a hundred, were answered."""
    return 1000 * statistics.median(seconds), 1000 * statistics.quantiles(seconds, n=100)[98]


def predict_request(project: Installed, folder: Path, key: str, count: int) -> bytes:
    """Return the request for so many records of the live period."""
    file = folder / f"{count}.json"
    run(project.python, INSIDE, "records", str(count), file, cwd=project.path)
    return request("POST", "/predict", key, file.read_bytes())


def uvicorn(project: Installed, name: str) -> tuple[str | Path, ...]:
    """Return the command that serves what answers nothing."""
    quiet = ("--no-access-log", "--log-level", "warning")
    return project.python, "-m", "uvicorn", "--app-dir", HERE, f"serving_empty:{name}", *quiet


@contextmanager
def served(project: Installed, key: str, *command: str | Path) -> Iterator[Server]:
    """Run a server, whose command ends with its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [*command, str(port)],
        cwd=project.path,
        env={**os.environ, "LATE_FLIGHTS_API_KEY": key},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(port, process)
        yield Server(port, process)
    finally:
        process.terminate()
        process.wait(30)


def wait_until_ready(port: int, process: subprocess.Popen) -> None:
    """Return once the server takes connections. Raises RuntimeError if it ends or takes too long."""
    begun = time.monotonic()
    while process.poll() is None and time.monotonic() - begun < START_SECONDS:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"port {port}: no answer")
