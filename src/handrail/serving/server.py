"""The server that the service runs in: bounded connections, no waiting for slow clients, a graceful stop."""

import asyncio
import logging
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event as SharedEvent
from threading import Event
from typing import Any, cast

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from handrail.config.sections import Serving
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.serving import telemetry
from handrail.serving.logs import tell_logs

log = logging.getLogger(__name__)
SPARE_FILES = 64  # of those that a process may have open: for the model, logs and tables
LINGER_SECONDS = 1.0  # in which a client that is there may ask once more when the service stops
ACCEPT_SECONDS = 0.1  # in which those are let in that the system has accepted already
STOP_SECONDS = 30  # for what is under way
WATCH_SECONDS = 0.5  # how soon a worker that died is replaced
LONG_SECONDS = 10  # a worker that lived shorter is begun again after a pause,
MOST_PAUSE_SECONDS = 30.0  # of 1 s at first, and of this at most
SWITCH_SECONDS = 0.0005  # for which a large body in a thread may keep the others waiting, each time
CANNOT_BEGIN = 3  # the exit status of a worker that could not serve at all


class LimitedConfig(uvicorn.Config):
    """The configuration of a server, with the limits of `serving` in project.yaml."""

    stopping = False

    def __init__(self, app: Any, serving: Serving, **more: Any) -> None:
        self.most = _most_connections(serving.maximum_connections)
        self.arrival_seconds, self.logs = serving.arrival_seconds, serving.logs
        super().__init__(
            app,
            http=LimitedProtocol,
            ws="none",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # Service reads them where the ordinary way is taken
            timeout_keep_alive=serving.idle_seconds,
            timeout_graceful_shutdown=STOP_SECONDS,
            **more,
        )

    def configure_logging(self) -> None:
        """Set up what is logged, in each process that serves."""
        super().configure_logging()
        tell_logs(self.logs)


class LimitedProtocol(HttpToolsProtocol):
    """A connection that is dropped where a request takes too long to come, or to make room for others."""

    config: LimitedConfig
    waiting_since: float | None = None  # the moment since which a request is awaited that has begun

    def connection_made(self, transport: Any) -> None:
        """Take the connection; of too many, close the one that has been idle longest, or else this one."""
        super().connection_made(transport)
        self.waiting_since = self.active_at = self.loop.time()
        if len(self.connections) > self.config.most:
            others = [cast("LimitedProtocol", each) for each in self.connections]
            idle = [each for each in others if each.is_idle() and each is not self]
            min(idle, key=lambda each: each.active_at, default=self).transport.close()

    def is_idle(self) -> bool:
        """Return whether nothing is being answered here."""
        return self.cycle is None or self.cycle.response_complete

    def on_message_begin(self) -> None:
        """Note when a request begins."""
        super().on_message_begin()
        self.waiting_since = self.waiting_since or self.loop.time()

    def on_headers_complete(self) -> None:
        """Begin to answer; when the service stops, it is the last answer on this connection."""
        super().on_headers_complete()
        if self.config.stopping and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """Note that the request is here."""
        self.waiting_since = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Note when the connection becomes idle."""
        self.active_at = self.loop.time()
        super().on_response_complete()


class LimitedServer(uvicorn.Server):
    """A server that drops clients which are too slow, and when it stops answers all that was accepted."""

    config: LimitedConfig
    begun: Callable[[], None] = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        if self.started:
            self.begun()

    async def on_tick(self, counter: int) -> bool:
        """Once in a second, close the connections whose request should be here by now."""
        if counter % 10 == 0:
            latest = asyncio.get_running_loop().time() - self.config.arrival_seconds
            for each in cast("Sequence[LimitedProtocol]", [*self.server_state.connections]):
                if each.waiting_since is not None and each.waiting_since < latest:
                    each.transport.close()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was asked, and all that the system has let in already, each for the last time."""
        self.config.stopping = True
        for each in sockets or ():
            with suppress(OSError):
                each.listen(0)  # nobody else is let in
        await asyncio.sleep(ACCEPT_SECONDS)
        end = asyncio.get_running_loop().time() + LINGER_SECONDS
        while self.server_state.connections and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.05)
        await super().shutdown(sockets)


def run_alone(
    app: FastAPI, settings: Settings, listener: socket.socket, begun: Callable[[], None] = lambda: None
) -> bool:
    """Serve in this process until it is told to stop; call `begun` when it answers; return whether it did."""
    sys.setswitchinterval(SWITCH_SECONDS)
    server = LimitedServer(LimitedConfig(app, settings.section(Serving)))
    server.begun = begun
    server.run(sockets=[listener])
    return server.started


class Worker:
    """A process that answers beside others, and that is begun again where it dies."""

    def __init__(self, begin: Callable[[], BaseProcess]) -> None:
        self._begin, self._pause = begin, 0.0
        self._since, self._again = time.monotonic(), 0.0
        self.process = begin()

    def watch(self, now: float) -> None:
        """Begin another where it has died: at once where it had answered for long, else ever later."""
        status = self.process.exitcode
        if status is None:
            return
        if not self._again:
            quick = now - self._since < LONG_SECONDS
            self._pause = min(MOST_PAUSE_SECONDS, 2 * self._pause or 1.0) if quick else 0.0
            self._again = now + self._pause
            when = f" in {self._pause:.0f} s" if self._pause else ""
            number = self.process.pid
            log.error("worker %s has died (exit status %s); another begins%s", number, status, when)
        if now >= self._again:
            self._since, self._again = now, 0.0
            self.process = self._begin()


def run_workers(settings: Settings, listener: socket.socket, count: int) -> bool:
    """Serve in `count` processes, which are begun again where they die, until this one is told to stop.

    They count together for /metrics. Returns whether they could begin: what stops the first from it stops
    all; what comes later stops those alone that begin again.
    """
    tell_logs(settings.section(Serving).logs, each=True)
    spawn, stop = get_context("spawn"), Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    begun = spawn.Event()
    given = settings.project.package, settings.sample, listener, begun

    def begin() -> BaseProcess:
        process = spawn.Process(target=_serve_beside, args=given, daemon=True)
        process.start()
        return process

    with tempfile.TemporaryDirectory(prefix="figures-") as folder:
        os.environ[telemetry.FOLDER] = folder
        workers = [Worker(begin) for _ in range(count)]
        failed = False
        while not failed and not stop.wait(WATCH_SECONDS):
            ended = [each.process.exitcode for each in workers]
            failed = CANNOT_BEGIN in ended and not begun.is_set()
            for each in () if failed else workers:
                each.watch(time.monotonic())
        listener.close()  # of the system, too, the workers alone take whoever comes now
        for each in workers:
            each.process.terminate()
        for each in workers:
            each.process.join(STOP_SECONDS + LINGER_SECONDS + ACCEPT_SECONDS)
    return not failed


def _serve_beside(package: str, sample: int | None, listener: socket.socket, begun: SharedEvent) -> None:
    """Serve in a process of its own, beside others."""
    project = import_module(package).project
    try:
        settings = project.settings(sample)
        began = run_alone(project.create_app(settings), settings, listener, begun.set)
    except ProjectError as error:
        for problem in error.problems:
            print(f"error: {problem}", file=sys.stderr)
        began = False
    sys.exit(0 if began else CANNOT_BEGIN)


def _most_connections(asked: int) -> int:
    """Return how many connections there may be: as many as asked for, if so many files may be open."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows has no such limit
        return asked
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return asked if allowed == resource.RLIM_INFINITY else max(1, min(asked, allowed - SPARE_FILES))
