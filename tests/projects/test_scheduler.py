"""A baked project in the real Airflow, in an environment of its own: what its DAGs run, and how they fail."""

import email
import fcntl
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from email.policy import default
from pathlib import Path

import duckdb
import pytest
from aiosmtpd.controller import Controller

from tests.engine.support.listeners import free_port
from tests.template.baking import Project, bake_new, own_environment, ran
from tests.template.histories import changed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.xdist_group("airflow"),
    pytest.mark.skipif(os.name == "nt", reason="Airflow runs on no Windows"),
]
SAMPLE = ("--sample", "50000")
INSIDE = "sample/50000"
FIRST, DAY, AFTER = "2013-12-01", "2013-12-15", "2013-12-16"
EMPTY, BEFORE_EMPTY = "2014-06-02", "2014-06-01"
DESCRIBE = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
print(json.dumps({"errors": bag.import_errors, "dags": {name: {
    "catchup": dag.catchup, "at_once": dag.max_active_runs, "paused": dag.is_paused_upon_creation,
    "when": [dag.timetable.expression, str(dag.timetable.timezone)],
    "tasks": [task.task_id for task in dag.topological_sort()],
    "upstream": [sorted(task.upstream_task_ids) for task in dag.topological_sort()],
    "hours": [task.execution_timeout.total_seconds() / 3600 for task in dag.tasks],
    "mails": [len(task.on_failure_callback) for task in dag.tasks],
} for name, dag in bag.dags.items()}}))
"""
OWN_VERB = '''

@main.verb()
def wait(settings) -> None:
    """Wait for ten minutes."""
    import os
    import time

    (settings.root / "waiting.pid").write_text(str(os.getpid()))
    time.sleep(600)
'''


@dataclass(frozen=True)
class Airflow:
    """Airflow in an environment and a home of its own, with a link to the project's folder of DAGs."""

    bin: Path
    home: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        """As it is for who has switched the environment on; its own variables must not reach the project."""
        inherited = own_environment()
        mail = f"smtp://127.0.0.1:{self.port}/?disable_ssl=true&disable_tls=true&from_email=airflow%40example.com"
        return inherited | {
            "PATH": os.pathsep.join([str(self.bin), inherited["PATH"]]),
            "VIRTUAL_ENV": str(self.bin.parent),
            "PYTHONPATH": str(self.home / "not the project's"),
            "HOME": str(self.home),
            "UV_CACHE_DIR": uv("cache", "dir"),
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.home / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW_CONN_SMTP_DEFAULT": mail,
        }

    def run(self, *command: str, name: str = "airflow") -> subprocess.CompletedProcess:
        """Run a program of the environment; what it prints on either stream is in `stdout`."""
        return subprocess.run(
            [self.bin / name, *command],
            env=self.environment,
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )

    def day(self, dag: str, day: str) -> tuple[int, str, dict[str, tuple[str, int]]]:
        """Run a DAG for a day; return the exit status, what was said, and state and tries of each task."""
        done = self.run("dags", "test", f"late-flights-{dag}", day)
        query = "SELECT task_id, state, try_number FROM task_instance WHERE run_id = ("
        query += "SELECT run_id FROM dag_run ORDER BY id DESC LIMIT 1)"
        with closing(sqlite3.connect(self.home / "airflow.db")) as database:
            found = database.execute(query).fetchall()
        assert found, done.stdout[-3000:]
        return done.returncode, done.stdout, {task: (state, tries) for task, state, tries in found}


class Mailbox:
    """What a mail server was handed."""

    def __init__(self) -> None:
        self.mails = []

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802
        self.mails.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    def taken(self) -> list[tuple[str, str, str]]:
        """Return whom each mail is to, its subject and its text, and forget them."""
        found = [(mail["To"], mail["Subject"], next(mail.iter_parts()).get_content()) for mail in self.mails]
        self.mails.clear()
        return found


def uv(*command: str) -> str:
    line = [Path(sys.executable).with_name("uv"), *command]
    done = subprocess.run(line, env=own_environment(), capture_output=True, text=True, check=False)
    if done.returncode and "could not connect" in done.stderr.lower():
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def mailbox():
    box = Mailbox()
    box.port = free_port()
    server = Controller(box, hostname="127.0.0.1", port=box.port)
    server.start()
    yield box
    server.stop()


@pytest.fixture(scope="module")
def project(cookies_session) -> Project:
    """A project with a model in staging, two weeks scored, and a schedule that runs small."""
    answers = {"scheduler": "airflow", "notebooks": "none", "dashboard": "none", "ci": "none"}
    project = bake_new(cookies_session, answers)
    for command in ("etl", "train --no-round", "promote", f"score --from {FIRST} --to {DAY}"):
        ran(project, "uv", "run", "late-flights", *command.split(), *SAMPLE)
    small = [("- etl\n", "- etl --sample 50000\n"), ("- score ", "- score --sample 50000 ")]
    small += [("- monitor\n", "- monitor --sample 50000\n"), ("mail_to: []", "mail_to: [oncall@example.com]")]
    changed(project.path / "dags" / "schedule.yaml", *small)
    changed(project.path / "dags" / "schedule.py", ("minutes=5", "seconds=1"))
    return project


@pytest.fixture(scope="module")
def airflow(project, mailbox, tmp_path_factory) -> Airflow:
    """The Airflow that the project's page says, from the package index."""
    wanted = re.search(r"uvx --from '([^']+)' airflow", project.text("dags/README.md"))[1]
    home = tmp_path_factory.mktemp("airflow")
    uv("venv", "--quiet", "--python", sys.executable, str(home / "environment"))
    python = home / "environment" / "bin" / "python"
    uv("pip", "install", "--quiet", "--python", str(python), wanted)
    (home / "dags").mkdir()
    (home / "dags" / "late-flights").symlink_to(project.path / "dags", target_is_directory=True)
    made = Airflow(python.parent, home, mailbox.port)
    migrated = made.run("db", "migrate")
    assert migrated.returncode == 0, migrated.stdout
    return made


@pytest.fixture
def edited(project):
    """Change files of the project for one test."""
    before = {}

    def edit(name: str, *pairs: tuple[str, str]) -> None:
        before.setdefault(name, project.text(name))
        changed(project.path / name, *pairs)

    yield edit
    for name, text in before.items():
        (project.path / name).write_text(text, encoding="utf-8")


def test_airflow_loads_what_the_schedule_says(airflow, edited):
    edited("dags/schedule.yaml", ("timezone: UTC ", "timezone: America/New_York "))
    done = airflow.run("-c", DESCRIBE, str(airflow.home / "dags"), name="python")
    assert done.returncode == 0, done.stdout
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["errors"] == {}
    assert set(found["dags"]) == {f"late-flights-{name}" for name in ("daily", "retrain", "upkeep")}
    daily, retrain, upkeep = (
        found["dags"][f"late-flights-{name}"] for name in ("daily", "retrain", "upkeep")
    )
    assert (daily["tasks"], daily["upstream"]) == (["etl", "score", "monitor"], [[], ["etl"], ["score"]])
    assert (retrain["tasks"], upkeep["tasks"]) == (["retrain"], ["archive", "purge"])
    assert [each["hours"] for each in (daily, retrain, upkeep)] == [[2] * 3, [6], [2] * 2]
    assert daily["when"] == ["17 5 * * *", "America/New_York"]
    for each in found["dags"].values():
        assert (each["catchup"], each["at_once"], each["paused"]) == (False, 1, True)
        assert set(each["mails"]) == {1}


def test_a_day_is_loaded_scored_and_looked_at(airflow, project, mailbox):
    table = project.path / INSIDE / "data" / "departures.parquet"
    loaded = table.stat().st_mtime_ns
    status, said, tasks = airflow.day("daily", DAY)
    assert tasks == {"etl": ("success", 1), "score": ("success", 1), "monitor": ("success", 1)}, said[-3000:]
    assert status == 0
    assert table.stat().st_mtime_ns > loaded
    (scored,) = (project.path / INSIDE / "data" / "predictions").glob(f"scored-{DAY}-{AFTER}-*.parquet")
    query = (
        f"SELECT count(*), min(scheduled_at)::DATE::VARCHAR, max(scheduled_at)::DATE::VARCHAR FROM '{scored}'"
    )
    ((count, first, last),) = duckdb.sql(query).fetchall()
    query = f"SELECT count(*) FROM '{table}' WHERE scheduled_at::DATE = DATE '{DAY}'"
    assert [(count,)] == duckdb.sql(query).fetchall()
    assert (first, last) == (DAY, DAY)
    assert f"{count} rows scored by " in said
    (look,) = (project.path / INSIDE / "reports" / "monitoring").glob("*.json")
    assert json.loads(look.read_text(encoding="utf-8"))["alerts"] == []
    assert mailbox.taken() == []
    assert "VIRTUAL_ENV" not in said


def test_a_day_without_rows_fails_after_its_tries_and_nothing_is_lost(airflow, project, mailbox, edited):
    """At midnight in London, it is still the day before in New York."""
    edited("dags/schedule.yaml", ("timezone: UTC ", "timezone: America/New_York "))
    kept = sorted((project.path / INSIDE / "data" / "predictions").iterdir())
    status, said, tasks = airflow.day("daily", EMPTY)
    assert tasks["etl"] == ("success", 1)
    assert tasks["score"] == ("failed", 4)
    assert tasks["monitor"][0] == "upstream_failed"
    assert status != 0
    why = f"error: departures from {BEFORE_EMPTY} to {EMPTY}: no row to score"
    assert said.count(f"] {why}") == 4
    assert sorted((project.path / INSIDE / "data" / "predictions").iterdir()) == kept
    ((to, subject, text),) = mailbox.taken()
    assert (to, subject) == ("oncall@example.com", "late-flights-daily: score failed")
    assert "ended with 1: it failed; " in text
    assert why in text


def test_an_alert_is_a_failed_task_that_is_not_tried_again(airflow, mailbox, edited):
    edited("project.yaml", ("    precision: [0.30, 0.60]", "    precision: [0.98, 0.99]"))
    status, said, tasks = airflow.day("daily", DAY)
    assert tasks == {"etl": ("success", 1), "score": ("success", 1), "monitor": ("failed", 1)}
    assert status != 0
    alert = re.search(
        r"\] (alert: \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d: precision is 0\.\d+, expected .+?) \[", said
    )
    ((_, subject, text),) = mailbox.taken()
    assert subject == "late-flights-daily: monitor failed"
    assert f"`late-flights monitor --sample 50000` ended with 3: somebody has to look; {alert[1]}" in text


def test_wrong_usage_fails_at_once(airflow, mailbox, edited):
    edited("dags/schedule.yaml", ("- purge", "- purge --everything"))
    status, _, tasks = airflow.day("upkeep", DAY)
    assert (status != 0, tasks) == (True, {"archive": ("success", 1), "purge": ("failed", 1)})
    ((_, _, text),) = mailbox.taken()
    assert "ended with 2: wrong usage: mend the line in dags/schedule.yaml; error: " in text
    assert "--everything" in text


def test_a_command_that_takes_too_long_is_ended(airflow, project, mailbox, edited):
    edited(
        "src/late_flights/commands.py",
        ("main = command_line(project)\n", f"main = command_line(project)\n{OWN_VERB}"),
    )
    edited("dags/schedule.yaml", ("- retrain", "- wait"), ("hours: 6", "hours: 0.002"))
    edited("dags/schedule.py", ('"retries": 3', '"retries": 0'))
    status, _, tasks = airflow.day("retrain", DAY)
    assert (status != 0, tasks) == (True, {"wait": ("failed", 1)})
    ((_, subject, text),) = mailbox.taken()
    assert subject == "late-flights-retrain: wait failed"
    assert "Timeout" in text
    assert ended(int(project.text("waiting.pid")))
    (project.path / "waiting.pid").unlink()


def ended(process: int) -> bool:
    """Return whether a process ends within ten seconds; one that nobody has waited for yet has ended, too."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{process}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False


def test_commands_of_a_project_wait_for_each_other(airflow, project, tmp_path):
    log = tmp_path / "log"
    line = [airflow.bin / "airflow", "dags", "test", "late-flights-upkeep", DAY]
    with (project.path / "project.yaml").open() as held, log.open("w") as out:
        fcntl.flock(held, fcntl.LOCK_EX)
        running = subprocess.Popen(line, env=airflow.environment, cwd=airflow.home, stdout=out, stderr=out)
        until = time.monotonic() + 120
        while "starting task_id=archive" not in log.read_text() and time.monotonic() < until:
            time.sleep(0.2)
        time.sleep(5)  # in which it would have run
        assert running.poll() is None
        assert "starting task_id=archive" in log.read_text()
        assert "is old enough for the archive" not in log.read_text()
        fcntl.flock(held, fcntl.LOCK_UN)
        assert running.wait(120) == 0
    said = log.read_text()
    assert said.index("nothing is old enough for the archive") < said.index(
        "nothing is old enough to be deleted"
    )


def loaded_alone(airflow, file: Path) -> str:
    """Return the last line of what Python says of a file of DAGs."""
    return airflow.run(str(file), name="python").stdout.splitlines()[-1]


def test_a_schedule_that_lacks_something_says_what(airflow, project, edited):
    edited("dags/schedule.yaml", ('    cron: "17 5 * * *" ', '    corn: "17 5 * * *" '))
    said = loaded_alone(airflow, project.path / "dags" / "schedule.py")
    assert said == "ValueError: dags/schedule.yaml: daily: cron: missing; write it there"


def test_a_time_zone_that_is_none_is_named(airflow, project, edited):
    edited("dags/schedule.yaml", ("timezone: UTC ", "timezone: Mars/Phobos "))
    assert "Mars/Phobos" in loaded_alone(airflow, project.path / "dags" / "schedule.py")


def test_a_copy_of_the_file_says_that_it_is_to_be_linked(airflow, project, tmp_path):
    (tmp_path / "dags").mkdir()
    copy = tmp_path / "dags" / "schedule.py"
    copy.write_text(project.text("dags/schedule.py"), encoding="utf-8")
    assert loaded_alone(airflow, copy) == (
        f"FileNotFoundError: {tmp_path}: no project; link to this file where it was, in place of copying it"
    )


def test_a_worker_without_uv_says_so_and_tries_no_more(airflow, mailbox, monkeypatch):
    without = {**airflow.environment, "PATH": f"{airflow.bin}:/usr/bin:/bin"}
    assert shutil.which("uv", path=without["PATH"]) is None
    monkeypatch.setattr(Airflow, "environment", without)
    status, said, tasks = airflow.day("upkeep", DAY)
    assert (status != 0, tasks["archive"]) == (True, ("failed", 1))
    assert "uv is not on the path of this worker: install it there" in said
    assert [subject for _, subject, _ in mailbox.taken()] == ["late-flights-upkeep: archive failed"]
