"""A standalone Spark for the tests: a master and two workers, each a process on the loopback."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyspark

CLASS = Path(pyspark.__file__).parent / "bin" / "spark-class"
PATIENCE_SECONDS = 90


@contextmanager
def spark_cluster(workers: int = 2) -> Iterator[tuple[str, Path]]:
    """Start a master and its workers; give the master's address and the folder of the workers' work."""
    port, folder = _free_port(), Path(tempfile.mkdtemp(prefix="spark-cluster-"))
    address = f"spark://127.0.0.1:{port}"
    environment = os.environ | {
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_NO_DAEMONIZE": "1",
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_WORKER_DIR": str(folder),
    }
    master = (
        "org.apache.spark.deploy.master.Master",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--webui-port",
        "0",
    )
    worker = (
        "org.apache.spark.deploy.worker.Worker",
        "--host",
        "127.0.0.1",
        "--webui-port",
        "0",
        "-c",
        "1",
        "-m",
        "1g",
    )
    with ExitStack() as stack:
        stack.enter_context(_running(folder / "master.log", environment, *master))
        _wait(folder / "master.log", "I have been elected leader", 1)
        for number in range(workers):
            log = folder / f"worker-{number}.log"
            stack.enter_context(_running(log, environment, *worker, address))
        _wait(folder / "master.log", "Registering worker", workers)
        yield address, folder


@contextmanager
def _running(log: Path, environment: dict[str, str], *line: str) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen([str(CLASS), *line], stdout=output, stderr=output, env=environment)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(log: Path, words: str, times: int) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while log.read_text(errors="replace").count(words) < times:
        if time.monotonic() > until:
            raise RuntimeError(
                f"{words!r} is not said {times} times: {log.read_text(errors='replace')[-2000:]}"
            )
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
