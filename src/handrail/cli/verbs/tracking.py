"""The verb `tracking`."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from handrail.cli.verb import verb
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.config.settings import Settings

END_SECONDS = 10  # for its processes to end by themselves


@verb()
@click.option("--port", type=int, default=5000, metavar="PORT", help="where to answer on this machine (5000)")
def tracking(settings: "Settings", port: int) -> int:
    """Show every run of training in MLflow's own pages.

    They are served until stopped; where the runs are on a server, it is named.
    """
    from handrail.config.settings import instead
    from handrail.console import say
    from handrail.training.tracking import local_store, server, tracking_server

    address = tracking_server(settings)
    if address:
        say(f"the runs are on {address}")
        return 0
    store = Path(local_store(settings).removeprefix("sqlite:///"))
    if not store.is_file():
        raise ProjectError(f"{store}: no run is tracked yet; run `train` first{instead(settings, store)}")
    say(f"http://127.0.0.1:{port} shows the runs in half a minute; Ctrl+C ends it")
    return serve_until_stopped(*server(settings, port))


def serve_until_stopped(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run `command` and return its exit status; on Ctrl+C or SIGTERM, end it and all that it has started."""
    process = None
    with _stopped_by_signals():
        try:
            # A group of its own, so that its processes can be ended together, and each only once.
            process = subprocess.Popen(  # noqa: S603
                command, env=dict(environment), start_new_session=os.name == "posix"
            )
            return process.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            if process is not None:
                _end(process)


@contextmanager
def _stopped_by_signals() -> Generator[None]:
    """Let SIGTERM and a terminal that is closed stop the block as Ctrl+C does."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        names = []  # only the main thread is told of signals
    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and whatever it has started; those that do not end in time are killed."""
    if os.name != "posix":
        process.terminate()
        process.wait()
        return
    until = time.monotonic() + END_SECONDS
    with suppress(ProcessLookupError, PermissionError):  # all have ended
        os.killpg(process.pid, signal.SIGTERM)
        while time.monotonic() < until:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
