"""The checks on GitHub and on GitLab are the same, and what runs on a schedule is off until it is wanted."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.lanes import slow_but
from tests.template.answers import choices
from tests.template.baking import isolated
from tests.template.histories import baked, copy_of, first_version, git, prepended, second_version

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
    assert there.keys() == {"workflow", "default", "check", "container", "update"}
    assert there["check"] == yaml.safe_load(bake(ci="gitlab").text(".gitlab-ci.yml"))["check"]


def test_before_operation_nothing_is_scheduled(bake):
    assert not bake(stage="production").has(".github/workflows/live.yml")
    assert "LIVE_" not in bake(stage="production", ci="gitlab").text(".gitlab-ci.yml")


def proposed(
    project: Path, script: str, template: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run what proposes an update, beside a `gh` that keeps what it was asked."""
    tools = project.parent / "tools"
    tools.mkdir()
    lines = f"#!/bin/sh\necho \"$*\" >> '{tools}/asked'\n"
    (tools / "gh").write_text(lines, encoding="utf-8")
    run = f"#!/bin/sh\nshift\nexec '{Path(sys.executable).parent}/'\"$@\"\n"
    (tools / "uv").write_text(run, encoding="utf-8")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    given = {"TEMPLATE": str(template), "GH_TOKEN": "t", "BASE": "main", "CI_DEFAULT_BRANCH": "main"}
    path = os.pathsep.join([str(tools), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=project,
        env=isolated(project.parent / "home", **{"PATH": path} | given | environment),
        capture_output=True,
        text=True,
        check=False,
    )


def proposal(ci: str, project: Path) -> str:
    """Return the lines of the workflow that propose an update."""
    if ci == "github":
        workflow = yaml.safe_load((project / ".github/workflows/update.yml").read_text(encoding="utf-8"))
        return workflow["jobs"]["update"]["steps"][-1]["run"]
    job = yaml.safe_load((project / ".gitlab-ci.yml").read_text(encoding="utf-8"))["update"]
    address = "https://oauth2:$UPDATE_TOKEN@$CI_SERVER_HOST/$CI_PROJECT_PATH.git"
    script = "\n".join(job["script"])
    assert address in script
    return script.replace(f'"{address}"', "origin")


@pytest.mark.slow
@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_an_update_is_proposed_with_its_conflicts(ci, tmp_path):
    template = first_version(tmp_path / "template")
    project = baked(f"git+file://{template}", tmp_path / "made", "stage=discovery", f"ci={ci}")
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    git(tmp_path / "remote.git", "config", "receive.advertisePushOptions", "true")
    git(project, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(project, "push", "--quiet", "origin", "HEAD:main")
    prepended(project / ".gitignore", "/ours/\n")
    git(project, "commit", "--quiet", "--all", "--message", "ours")
    nothing = proposed(copy_of(project, tmp_path / "same"), proposal(ci, project), template)
    assert (nothing.returncode, git(tmp_path / "remote.git", "branch", "--list", "handrail-update")) == (
        0,
        "",
    )
    second_version(template)
    done = proposed(project, proposal(ci, project), template)
    assert done.returncode == 0, done.stderr
    files = git(tmp_path / "remote.git", "show", "--name-only", "--format=%s", "handrail-update").splitlines()
    assert files[0] == "Update from the template"
    assert {".gitignore", ".handrail.json", "1-discovery/problem.md"} < {*files}
    marked = git(tmp_path / "remote.git", "show", "handrail-update:.gitignore")
    assert "<<<<<<< HEAD\n/ours/\n=======\n/second/\n>>>>>>> " in marked
    if ci == "github":
        asked = (tmp_path / "made" / "tools" / "asked").read_text(encoding="utf-8").splitlines()
        assert asked[0] == "auth setup-git"
        assert asked[1].startswith(
            "pr create --base main --head handrail-update --title Update from the template"
        )


@pytest.mark.slow
@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_an_update_that_is_refused_fails_the_job_and_proposes_nothing(ci, tmp_path):
    template = first_version(tmp_path / "template")
    project = baked(f"git+file://{template}", tmp_path / "made", "stage=discovery", f"ci={ci}")
    done = proposed(project, proposal(ci, project), tmp_path / "nowhere")
    assert done.returncode == 1
    assert "the template cannot be read" in done.stdout + done.stderr


def test_nothing_is_proposed_until_it_is_wanted(bake):
    assert github(bake(), "update")["jobs"]["update"]["if"] == "vars.TEMPLATE"
    (rule,) = yaml.safe_load(bake(ci="gitlab").text(".gitlab-ci.yml"))["update"]["rules"]
    asked = '$CI_PIPELINE_SOURCE == "schedule" && $PROPOSE_UPDATE && $TEMPLATE && $UPDATE_TOKEN'
    assert rule == {"if": asked}


def test_both_build_the_image_and_on_gitlab_where_a_runner_can(bake):
    here, there = (
        github(bake(), "ci")["jobs"]["container"],
        yaml.safe_load(bake(ci="gitlab").text(".gitlab-ci.yml")),
    )
    lines = [step["run"] for step in here["steps"] if "run" in step]
    assert there["container"]["script"] == lines
    assert [line.split()[:2] for line in lines] == [
        ["docker", "compose"],
        ["docker", "build"],
        ["docker", "run"],
    ]
    assert there["container"]["rules"] == [{"if": '$CI_PIPELINE_SOURCE != "schedule" && $IMAGE_RUNNER'}]
    assert "container" not in github(bake(stage="research"), "ci")["jobs"]


@pytest.mark.parametrize("stage", slow_but({"operation"}, choices()["stage"]))
def test_newer_images_are_proposed_for_those_that_are_there(stage, bake):
    updates = yaml.safe_load(bake(stage=stage).text(".github/dependabot.yml"))["updates"]
    found = [(update["package-ecosystem"], update["directory"]) for update in updates]
    images = [("docker", "/3-production")] * (stage in {"production", "operation"})
    beside = [("docker-compose", "/3-production")] * (stage == "operation")
    assert found == [("github-actions", "/"), *images, *beside]
    assert bake(stage=stage, ci="gitlab").has("renovate.json") == bool(images)
