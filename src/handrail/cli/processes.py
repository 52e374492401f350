"""Runs another program until it is stopped, and ends all that it has started."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

END_SECONDS = 10  # for its processes to end by themselves


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
