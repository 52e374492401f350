"""Starts the service as a user would, asks for one prediction, stops it."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from handrail.compute.duckdb import connect, identifier, rows
from handrail.config.sections import Shares, Split
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.load import require_table
from handrail.serving.api_key import HEADER
from handrail.training.dataset import period

START_SECONDS = 60


@dataclass(frozen=True)
class Service:
    """A running service."""

    address: str
    key: str
    pid: int = 0

    def call(self, path: str, body: object = None) -> dict[str, Any]:
        """Return the JSON answer of `path`; with `body`, post it."""
        content = None if body is None else json.dumps(body, default=str).encode()
        headers = {HEADER: self.key, "Content-Type": "application/json"}
        with urlopen(Request(self.address + path, content, headers), timeout=10) as reply:  # noqa: S310
            return json.load(reply)


def ask_once(settings: Settings) -> tuple[dict[str, Any], float]:
    """Return the first row of the live period with its answer, and the seconds the answer took."""
    record = first_live_record(settings)
    with running(settings) as service:
        service.call("/predict", {"records": [record]})
        begun = time.perf_counter()
        answer = service.call("/predict", {"records": [record]})
        return {"record": record, **answer}, time.perf_counter() - begun


def first_live_record(settings: Settings) -> dict[str, Any]:
    """Return what a client would send for the first row after `split.live_from`.

    Where chance parts the rows, it is the first without an outcome, or else the first of all.
    """
    project, split = settings.project, settings.parted
    names = ", ".join(map(identifier, project.request.model_fields))
    order = ", ".join(map(identifier, project.ordered_by))
    if isinstance(split, Shares):
        order = f"{identifier(project.target)} IS NOT NULL, {order}"
    where = (
        period(project.contract, split.live_from, None, project.made) if isinstance(split, Split) else "TRUE"
    )
    table = require_table(settings, project.table_name)
    with connect(settings) as connection:
        found = rows(connection, f"SELECT {names} FROM {table} WHERE {where} ORDER BY {order} LIMIT 1")
    if not found:
        raise ProjectError(f"no row after {settings.dates.live_from}, live_from of project.yaml")
    return found[0]


@contextmanager
def running(settings: Settings, *arguments: str) -> Generator[Service]:
    """Run the service as a process on a free port, with a key for this run; stop it at the end.

    arguments: of the command line, such as the number of workers
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    key = secrets.token_urlsafe(24)
    command = [sys.executable, "-m", settings.project.package, "serve", "--port", f"{port}", *arguments]
    own = {"API_KEY": key, "WORKSPACE": str(settings.workspace)}
    environment = os.environ | {f"{settings.project.env_prefix}{name}": value for name, value in own.items()}
    process = subprocess.Popen(  # noqa: S603
        command,
        env=environment,
        cwd=settings.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    service = Service(f"http://127.0.0.1:{port}", key, process.pid)
    try:
        _wait(process, service)
        yield service
    finally:
        process.terminate()
        process.communicate(timeout=40)


def _wait(process: subprocess.Popen[str], service: Service) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < START_SECONDS:
        if process.poll() is not None:
            _, errors = process.communicate()
            lines = [line for line in errors.strip().splitlines() if not line.startswith("warning: ")]
            said = [line.removeprefix("error: ") for line in lines]
            raise ProjectError(said or ["the service stopped at its start"])
        try:
            service.call("/ready")
            return
        except (URLError, TimeoutError):  # it listens before it answers
            time.sleep(0.05)
    raise ProjectError(f"{service.address}: the service was not ready after {START_SECONDS} s")
