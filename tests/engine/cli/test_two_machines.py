"""Two machines that share a bucket, by the commands of the project, each in processes of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile

import pytest
import yaml
from pydantic_core import to_json

from handrail.config.settings import read_settings
from handrail.storage.store import open_store
from tests.engine.storage.conftest import place, s3_variables
from tests.engine.support.listeners import free_port
from tests.engine.support.lived import rows_asked
from tests.engine.support.workspaces import PROJECT

__all__ = ["s3_variables"]
pytestmark = pytest.mark.slow
PART = 5  # of which one is taken
KEY = "a key of the tests, known"
COMMAND = "import sys; from {package}.commands import main; main(sys.argv[1:])"


class Machine:
    """A checkout with a workspace of its own, and the project's commands in it."""

    def __init__(self, folder, address):
        self.root, self.prefix = folder, PROJECT.env_prefix
        skip = shutil.ignore_patterns("data", "models", "reports", "__pycache__")
        shutil.copytree(PROJECT.root, folder, ignore=skip)
        shutil.rmtree(folder / "src")
        facts = yaml.safe_load((folder / "project.yaml").read_text(encoding="utf-8"))
        facts["data"] |= {"source": f"{address}/raw", "sampled": []}
        facts["storage"] = {
            "registry": f"{address}/models",
            "predictions": f"{address}/log",
            "ship_seconds": 0.5,
        }
        facts["decision"] |= {"go": "go", "decided_by": "Ada", "decided_on": "2026-01-16"}
        facts["accuracy"]["minimum"] = 0.5
        facts["live"]["expected"], facts["example"] = {}, False
        (folder / "project.yaml").write_text(yaml.safe_dump(facts), encoding="utf-8")
        self.environment = os.environ | {f"{self.prefix}API_KEY": KEY}

    def __call__(self, *arguments, status=(0,)):
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def command(self, *arguments):
        return [sys.executable, "-c", COMMAND.format(package=PROJECT.package), *arguments]

    @property
    def settings(self):
        return read_settings(PROJECT.at(self.root))

    def live(self):
        return json.loads((self.root / "models" / "live.json").read_text(encoding="utf-8"))


@pytest.fixture
def address(s3_variables, monkeypatch, tmp_path):
    """Return an address of S3 at which the raw files lie, with a part of the flights."""
    address = place("s3", s3_variables, monkeypatch)
    store = open_store(f"{address}/raw", tmp_path, "x")
    folder = PROJECT.module("etl.extract").example_folder()
    for table in PROJECT.raw_tables.values():
        found = next(path for path in folder.glob(f"{table.file}*"))
        if table.file != "flights.csv":
            store.upload(found, found.name)
            continue
        with zipfile.ZipFile(found) as packed, packed.open(table.file) as lines:
            few = b"".join(line for number, line in enumerate(lines) if number % PART == 0)
        store.write(table.file, few)
    return address


def test_one_trains_and_promotes_the_other_serves_scores_and_both_are_monitored(address, tmp_path):
    one, other = Machine(tmp_path / "one", address), Machine(tmp_path / "other", address)
    for machine in (one, other):
        assert "raw" in machine("etl")
    words = one("train", "--no-round").split()
    version = next(word for word in words if word.startswith("2013-09-01-")).strip(",")
    assert f"{version} is in staging" in one("promote", version)
    port = free_port()
    serving = subprocess.Popen(
        other.command("serve", "--port", str(port)),
        cwd=other.root,
        env=other.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        ask(port, "/ready", wait=60)
        assert ask(port, "/version")["version"] == version
        body = to_json({"records": rows_asked(other.settings, 100)})
        assert len(ask(port, "/predict", body)["predictions"]) == 100
        scored = count_in(one("score", "--from", "2013-09-02", "--to", "2013-09-10"), " rows scored")
        scored += count_in(other("score", "--from", "2013-09-10", "--to", "2013-09-12"), " rows scored")
    finally:
        serving.send_signal(signal.SIGTERM)
        said = serving.communicate(timeout=60)[0].decode()
    assert serving.returncode in (0, -signal.SIGTERM), said
    for machine in (one, other):
        told = machine("monitor", "--from", "2013-09-01", "--to", "2013-09-12", status=(0, 3))
        assert count_in(told, " predictions") == 100 + scored > 1500
    assert other.live()["versions"] == [version]
    other("rollback", status=(1,))
    assert f"{version} is in staging" in other("promote", version)
    assert one("status")
    assert one.live() == other.live()


def count_in(text, what):
    """Return the number before `what`."""
    return int(text.partition(what)[0].split()[-1].replace(",", ""))


def ask(port, path, body=None, wait=0):
    """Return the answer of a service, which may still have to begin."""
    headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)
    end = time.monotonic() + wait
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
