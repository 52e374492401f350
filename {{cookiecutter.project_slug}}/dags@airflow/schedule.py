"""What Airflow runs, as schedule.yaml says: each task is a command of this project, in its own environment.

Airflow imports this file in another environment, which has nothing of the project's. `uv` has to be on the
path of its workers, and this file has to stay in the project's folder; from elsewhere, link to it.
"""

import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import tomllib
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import yaml
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import DAG, BaseOperator, CronTriggerTimetable
from airflow.sdk.bases.operator import chain
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from pendulum import timezone

PROJECT = Path(__file__).resolve().parents[1]
if not (PROJECT / "pyproject.toml").is_file():
    raise FileNotFoundError(f"{PROJECT}: no project; link to this file where it was, in place of copying it")
SLUG = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
SCHEDULE = yaml.safe_load((PROJECT / "dags" / "schedule.yaml").read_text(encoding="utf-8"))
ZONE = timezone(SCHEDULE["timezone"])

AIRFLOWS_OWN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
RETRIES = {"retries": 3, "retry_delay": timedelta(minutes=5), "retry_exponential_backoff": True}
FINAL = {  # exit statuses that another try would not change
    2: "wrong usage: mend the line in dags/schedule.yaml",
    3: "somebody has to look",
    130: "it was stopped",
}

MAIL = SmtpNotifier(
    to=SCHEDULE["mail_to"],
    subject="{{ dag.dag_id }}: {{ ti.task_id }} failed",
    html_content="<p>{{ exception | e }}</p><p>{{ ti.log_url | e }}</p>",
)


class Command(BaseOperator):
    """A command of the project, such as `monitor`; what it prints is the task's log.

    An exit status in FINAL fails the task at once, any other but 0 after RETRIES.
    """

    def __init__(self, *, line: str, **options) -> None:
        self.line, self.process = line, None
        super().__init__(task_id=line.partition(" ")[0], **options)

    def execute(self, context) -> None:
        """Run it, once no other command of this project runs on this machine. Raises where it fails."""
        if shutil.which("uv") is None:
            raise AirflowFailException("uv is not on the path of this worker: install it there")
        day = (context.get("logical_date") or context["dag_run"].run_after).astimezone(ZONE).date()
        one = timedelta(days=1)
        line = self.line.format(yesterday=day - one, today=day, tomorrow=day + one)
        with (PROJECT / "project.yaml").open() as one_at_a_time:
            fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
            status, said = self.run_command(["uv", "run", SLUG, *shlex.split(line)])
        if status:
            failure = AirflowFailException if status in FINAL else AirflowException
            raise failure(
                "; ".join([f"`{SLUG} {line}` ended with {status}: {FINAL.get(status, 'it failed')}", *said])
            )

    def run_command(self, command: list[str]) -> tuple[int, list[str]]:
        """Return the exit status of a command, and those of its lines that say what is wrong."""
        environment = {name: value for name, value in os.environ.items() if name not in AIRFLOWS_OWN}
        self.process = subprocess.Popen(  # noqa: S603
            command,
            cwd=PROJECT,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            start_new_session=True,
        )
        lines = []
        for line in self.process.stdout:
            self.log.info("%s", line.rstrip())
            lines.append(line.strip())
        return self.process.wait(), [line for line in lines if line.startswith(("error:", "alert:"))]

    def on_kill(self) -> None:
        """End the command where its task is stopped, or took too long."""
        with suppress(ProcessLookupError):
            if self.process:
                os.killpg(self.process.pid, signal.SIGTERM)


for name, what in SCHEDULE["dags"].items():
    if missing := {"why", "cron", "hours", "run"} - what.keys():
        raise ValueError(f"dags/schedule.yaml: {name}: {', '.join(sorted(missing))}: missing; write it there")
    with DAG(
        f"{SLUG}-{name}",
        description=what["why"],
        schedule=CronTriggerTimetable(what["cron"], timezone=ZONE),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=True,
        tags=[SLUG],
        default_args=RETRIES
        | {
            "execution_timeout": timedelta(hours=what["hours"]),
            "on_failure_callback": MAIL if SCHEDULE["mail_to"] else None,
        },
    ):
        chain(*[Command(line=line) for line in what["run"]])
