"""`tracking`: where runs are shown, and that the server ends with the verb, all its processes with it."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from handrail import cli
from handrail.project import Project
from tests.engine.support.workspaces import PROJECT
from tests.lanes import slow_but

TRACKED = Project(PROJECT.package, given={"parts": PROJECT.parts | {"tracking"}}, root=PROJECT.root)
# A server with a worker, each of which says its number once it can be ended; both are stubborn or not.
SERVER = """
import os, signal, subprocess, sys, time
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "server" in sys.argv:
    subprocess.Popen([sys.executable, "-c", sys.argv[1], *sys.argv[1:-1]])
print(os.getpid(), flush=True)
time.sleep(100)
"""
VERB = """
import os, sys
from handrail.cli import processes
processes.END_SECONDS = 0.3
sys.exit(processes.serve_until_stopped(sys.argv[1:], os.environ))
"""


def alive(pid):
    """Return whether a process is there, and no mere entry that nobody has asked for yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        with suppress(ProcessLookupError):
            os.kill(pid, 0)
            return not Path("/proc").is_dir()
        return False
    return state != "Z"


def started(*manner):
    """Start the verb with a server that behaves in a manner; return it, and the numbers of both processes."""
    command = [sys.executable, "-c", SERVER, SERVER, *manner, "server"]
    verb = subprocess.Popen([sys.executable, "-c", VERB, *command], stdout=subprocess.PIPE, text=True)
    return verb, [int(verb.stdout.readline()) for _ in range(2)]


@pytest.mark.parametrize("name", slow_but({"SIGTERM"}, ["SIGTERM", "SIGINT", "SIGHUP"]))
@pytest.mark.parametrize("manner", [(), ("stubborn",)], ids=["obedient", "stubborn"])
def test_stopping_it_ends_the_server_and_what_it_has_started(name, manner):
    verb, processes = started(*manner)
    assert all(alive(pid) for pid in processes)
    verb.send_signal(getattr(signal, name))
    assert verb.wait(timeout=30) == 0
    until = time.monotonic() + 10
    while any(alive(pid) for pid in processes) and time.monotonic() < until:
        time.sleep(0.02)
    assert [pid for pid in processes if alive(pid)] == []


def test_a_server_that_fails_is_told_by_its_status():
    done = subprocess.run(
        [sys.executable, "-c", VERB, sys.executable, "-c", "raise SystemExit(4)"], check=False, timeout=30
    )
    assert done.returncode == 4


def test_the_answer_to_signals_is_as_before():
    from handrail.cli.processes import serve_until_stopped

    before = signal.getsignal(signal.SIGTERM)
    assert serve_until_stopped([sys.executable, "-c", "pass"], os.environ) == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_without_a_run_there_is_nothing_to_show(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(f"{PROJECT.env_prefix}WORKSPACE", str(tmp_path))
    assert cli.run(TRACKED, ["tracking"]) == 1
    store = tmp_path / "mlflow" / "runs.db"
    assert capsys.readouterr() == ("", f"error: {store}: no run is tracked yet; run `train` first\n")
    small = tmp_path / "sample" / "20000" / "mlflow" / "runs.db"
    small.parent.mkdir(parents=True)
    small.touch()
    assert cli.run(TRACKED, ["tracking"]) == 1
    assert capsys.readouterr().err.endswith(
        "run `train` first; a small run has it: --sample 20000, in Python sample=20000\n"
    )


def test_runs_on_a_server_are_shown_there(monkeypatch, capsys):
    monkeypatch.setenv(f"{PROJECT.env_prefix}TRACKING__URI", "http://127.0.0.1:9")
    assert cli.run(TRACKED, ["tracking"]) == 0
    assert capsys.readouterr() == ("the runs are on http://127.0.0.1:9\n", "")
