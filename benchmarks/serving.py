"""Requests per second of the running service: one-record predictions beside its empty `/health`."""

import asyncio
import json
import os
import secrets
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from project import Installed, bake_and_install, run
from rows import Row

ROUNDS = 7
REQUESTS = {1: 2_000, 32: 6_000}
START_SECONDS = 60
# What a client sends: the first record of the live period, as the project itself rehearses it.
RECORD = """
import json
from handrail.serving.dry_run import first_live_record
from late_flights import project
print(json.dumps({"records": [first_live_record(project.settings())]}, default=str))
"""


def measure(folder: Path) -> list[Row]:
    """Return a row for one connection and one for many."""
    project = bake_and_install(folder)
    for verb in ("etl", "train", "promote"):
        run(project.command, verb, cwd=project.path)
    body = run(project.python, "-c", RECORD, cwd=project.path).strip().encode()
    with service(project) as (port, key):
        predict, health = request("POST", "/predict", key, body), request("GET", "/health", key)
        return [beside_empty(port, predict, health, connections) for connections in REQUESTS]


def beside_empty(port: int, predict: bytes, health: bytes, connections: int) -> Row:
    """Measure both kinds of request in turn."""
    count = REQUESTS[connections]
    rates = [
        (rate(port, predict, connections, count), rate(port, health, connections, count))
        for _ in range(ROUNDS + 1)
    ][1:]
    share = statistics.median(ours / empty for ours, empty in rates)
    ours, empty = (statistics.median(side) for side in zip(*rates, strict=True))
    many = "connection" if connections == 1 else "connections"
    return Row(
        f"one-record predictions, {connections} {many}",
        f"{share:.2f} of the requests of an empty endpoint ({ours:,.0f} : {empty:,.0f} a second)",
    )


def rate(port: int, content: bytes, connections: int, count: int) -> float:
    """Return requests per second of `connections` that share `count` requests, each asking one by one."""

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(count // connections):
            writer.write(content)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"the service answered {head.decode()}")
            _, _, rest = head.lower().partition(b"content-length:")
            await reader.readexactly(int(rest.split(b"\r\n")[0]))
        writer.close()
        await writer.wait_closed()

    async def ask_all() -> float:
        begun = time.perf_counter()
        await asyncio.gather(*(ask() for _ in range(connections)))
        return count // connections * connections / (time.perf_counter() - begun)

    return asyncio.run(ask_all())


def request(method: str, path: str, key: str, body: bytes = b"") -> bytes:
    """Return an HTTP request as it goes over the wire."""
    lines = (
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"X-API-Key: {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def service(project: Installed) -> Iterator[tuple[int, str]]:
    """Run the service on a free port; yield the port and the key."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    key = secrets.token_urlsafe(24)
    process = subprocess.Popen(
        [project.command, "serve", "--port", str(port)],
        cwd=project.path,
        env={**os.environ, "LATE_FLIGHTS_API_KEY": key},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/health", process)
        yield port, key
    finally:
        process.terminate()
        process.wait(10)


def wait_until_ready(address: str, process: subprocess.Popen) -> None:
    """Return once the service answers. Raises RuntimeError if it ends or takes too long."""
    begun = time.monotonic()
    while process.poll() is None and time.monotonic() - begun < START_SECONDS:
        try:
            with urlopen(address, timeout=5) as reply:
                json.load(reply)
                return
        except URLError:
            time.sleep(0.05)
    raise RuntimeError(f"{address}: no answer")
