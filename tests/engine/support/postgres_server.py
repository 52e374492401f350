"""A PostgreSQL server of Debian's for the tests: on a free port, as a user who is not root."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "a-password-of-the-tests"
USER = "postgres"


def binaries() -> Path | None:
    """Return the folder of the server's commands, the newest of several; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    here = shutil.which("initdb")
    return Path(here).parent if here else None


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server and give the URL of an empty database of it; everything is gone when the block ends."""
    folder = binaries()
    if folder is None:
        raise RuntimeError("PostgreSQL is not here: Debian's package postgresql brings it")
    # A short path: that of a socket may not be longer than 107 bytes.
    place = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    as_user = _as_other_user(place)
    data, secret = place / "data", place / "secret"
    try:
        secret.write_text(PASSWORD)
        if as_user:
            shutil.chown(secret, "postgres")
        run = [*as_user, str(folder / "initdb"), "-D", str(data), "-U", USER, "--pwfile", str(secret), "-A"]
        subprocess.run(
            [*run, "scram-sha-256", "--no-sync", "--locale=C.UTF-8"], check=True, capture_output=True, cwd="/"
        )
        port = _free_port()
        options = f"-h 127.0.0.1 -p {port} -k {place} -c fsync=off -c shared_buffers=64MB"
        control = [*as_user, str(folder / "pg_ctl"), "-D", str(data), "-w"]
        log = place / "server.log"
        subprocess.run(
            [*control, "-l", str(log), "-o", options, "start"], check=True, capture_output=True, cwd="/"
        )
        try:
            yield f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True, cwd="/")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _as_other_user(place: Path) -> list[str]:
    """Return what begins a command so that it is not run by root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return []
    pwd.getpwnam("postgres")  # Debian's package makes it
    shutil.chown(place, "postgres")
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
