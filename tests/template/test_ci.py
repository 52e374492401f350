"""The checks on GitHub and on GitLab are the same, and what runs on a schedule is off until it is wanted."""

import re
import subprocess

import pytest
import yaml

from tests.lanes import slow_but
from tests.template.answers import choices

OWN = re.compile(r"(uv run .+?)(?: \|\| \w+=\$\?)?")
# What runs on a schedule, and nothing that deletes for good.
JOBS = {
    "monitor": ["etl", "monitor"],
    "retrain": ['retrain ${UNTIL:+--until "$UNTIL"}'],
    "upkeep": ["archive --really", "purge"],
}


def github(project, workflow: str) -> dict:
    return yaml.safe_load(project.text(f".github/workflows/{workflow}.yml"))


def steps(job: dict) -> list[str]:
    """Return what a job runs of the project's own, on GitHub or on GitLab."""
    lines = job.get("script") or [step.get("run", "") for step in job["steps"]]
    return [found[1] for found in map(OWN.fullmatch, lines) if found]


@pytest.mark.parametrize("stage", slow_but({"operation"}, choices()["stage"]))
def test_both_check_the_same(stage, bake):
    checks = steps(github(bake(stage=stage), "ci")["jobs"]["check"])
    assert steps(yaml.safe_load(bake(stage=stage, ci="gitlab").text(".gitlab-ci.yml"))["check"]) == checks
    tools = [line.split()[2] for line in checks]
    assert tools[:5] == ["ruff", "ruff", "ty", "deptry", "pytest"]
    assert checks[-1].endswith("--strict")
    assert ("late-flights demo --sample" in " ".join(checks)) == (stage != "discovery")


@pytest.mark.parametrize("job", JOBS)
def test_both_run_the_same_on_a_schedule(job, bake):
    there = yaml.safe_load(bake(ci="gitlab").text(".gitlab-ci.yml"))
    own = steps(github(bake(), "live")["jobs"][job])
    assert steps(there[job]) == own
    assert own == [f"uv run late-flights {command}" for command in JOBS[job]]


@pytest.mark.parametrize(("etl", "monitor", "status"), [(0, 0, 0), (1, 0, 1), (0, 3, 3), (1, 3, 3)])
def test_where_nothing_could_be_loaded_monitor_looks_all_the_same(bake, etl, monitor, status):
    *_, looks = github(bake(), "live")["jobs"]["monitor"]["steps"]
    assert (looks["if"], looks["run"]) == ("${{ !cancelled() }}", "uv run late-flights monitor")
    script = yaml.safe_load(bake(ci="gitlab").text(".gitlab-ci.yml"))["monitor"]["script"]
    lines = ["set -e", f"uv() {{ echo $3; [ $3 = etl ] && return {etl}; return {monitor}; }}", *script]
    done = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.returncode) == (["etl", "monitor"], status)


def test_on_github_nothing_runs_on_a_schedule_until_its_variables_are_set(bake):
    workflow = github(bake(), "live")
    crons = [each["cron"] for each in workflow[True]["schedule"]]  # YAML 1.1 reads the key `on` as true
    conditions = [workflow["jobs"][job]["if"] for job in JOBS]
    for cron, condition in zip(crons, conditions, strict=True):
        assert condition.startswith("vars.LIVE_RUNNER && vars.LIVE_WORKSPACE && (")
        assert f"github.event.schedule == '{cron}'" in condition
    options = workflow[True]["workflow_dispatch"]["inputs"]["job"]["options"]
    assert options == list(workflow["jobs"]) == list(JOBS)


def test_on_gitlab_a_schedule_runs_only_what_its_variable_names(bake):
    jobs = yaml.safe_load(bake(ci="gitlab").text(".gitlab-ci.yml"))
    for job in JOBS:
        (rule,) = jobs[job]["rules"]
        assert rule == {"if": f'$CI_PIPELINE_SOURCE == "schedule" && $LIVE_WORKSPACE && $LIVE_JOB == "{job}"'}
    assert jobs["check"]["rules"] == [{"if": '$CI_PIPELINE_SOURCE != "schedule"'}]


def test_with_a_scheduler_no_job_of_ci_does_the_same_again(bake):
    project = bake(scheduler="airflow")
    assert not project.has(".github/workflows/live.yml")
    assert project.text(".github/workflows/ci.yml") == bake().text(".github/workflows/ci.yml")
    there = yaml.safe_load(bake(scheduler="airflow", ci="gitlab").text(".gitlab-ci.yml"))
    assert there.keys() == {"workflow", "default", "check"}
    assert there["check"] == yaml.safe_load(bake(ci="gitlab").text(".gitlab-ci.yml"))["check"]


def test_before_operation_nothing_is_scheduled(bake):
    assert not bake(stage="production").has(".github/workflows/live.yml")
    assert "LIVE_" not in bake(stage="production", ci="gitlab").text(".gitlab-ci.yml")
