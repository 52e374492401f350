"""The question `cloud`: what it brings, what it leaves alone, and that a deploy waits for a person."""

import re
import subprocess

import pytest
import yaml

from tests.template.baking import ran
from tests.template.checks.judges import run
from tests.template.checks.texts import UniqueKeys

FOLDER = "3-production/cloud/"
BRINGS = {
    "aws": {"README.md", "build.sh", "check.py", "deploy.sh", "stack.yaml"},
    "gcp": {"README.md", "build.sh", "check.py", "deploy.sh"}
    | {
        f"{name}.tf"
        for name in (
            "deploy",
            "deploy-job",
            "deploy-service",
            "job",
            "main",
            "schedule",
            "secrets",
            "service",
        )
    },
}
ON = {"aws": "AWS_REGION", "gcp": "GCP_PROJECT"}
EXTRA = {"aws": "s3", "gcp": "gcs"}
KEYS = re.compile(r"AKIA|aws_secret|AWS_SECRET|credentials_json|private_key|secrets\.", re.IGNORECASE)


def deploys(project, ci: str) -> dict:
    name = {"github": ".github/workflows/deploy.yml", "gitlab": ".gitlab/deploy.yml"}[ci]
    return yaml.safe_load(project.text(name))


@pytest.mark.parametrize("cloud", BRINGS)
def test_a_cloud_is_a_folder_and_a_workflow(cloud, bake):
    without, project = bake(), bake(cloud=cloud)
    more = {*project.files} - {*without.files}
    assert more == {f"{FOLDER}{name}" for name in BRINGS[cloud]} | {".github/workflows/deploy.yml"}
    assert {*without.files} <= {*project.files}
    assert re.search(rf'"handrail\[[^]]*\b{EXTRA[cloud]}\]', project.text("pyproject.toml"))


@pytest.mark.parametrize("cloud", BRINGS)
def test_without_ci_the_scripts_are_all_and_nobody_else_may_deploy(cloud, bake):
    project = bake(cloud=cloud, ci="none")
    assert not [name for name in project.files if name.startswith((".github/", ".gitlab"))]
    assert {f"{FOLDER}build.sh", f"{FOLDER}deploy.sh"} <= {*project.files}
    whole = "".join(text for name, text in project.texts.items() if name.startswith(FOLDER))
    assert not re.search(r"oidc|workload_identity|DeployRole|Provider", whole)


@pytest.mark.parametrize("cloud", BRINGS)
def test_on_github_live_waits_for_its_environment_and_takes_staging_s_image(cloud, bake):
    project = bake(cloud=cloud)
    jobs = deploys(project, "github")["jobs"]
    assert [*jobs] == ["staging", "live"]
    assert jobs["staging"]["if"].startswith(f"vars.{ON[cloud]} && github.ref == 'refs/heads/main'")
    assert jobs["live"]["needs"] == "staging"
    for name, job in jobs.items():
        assert job["environment"] == name
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
    last = jobs["live"]["steps"][-1]
    assert last["run"] == 'bash 3-production/cloud/deploy.sh live "$DIGEST"'
    assert last["env"]["DIGEST"] == "${{ needs.staging.outputs.digest }}"
    assert "build.sh" not in str(jobs["live"])
    assert not KEYS.search(project.text(".github/workflows/deploy.yml"))
    pins = re.findall(r"uses: (.+)", project.text(".github/workflows/deploy.yml"))
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", pin) for pin in pins)


@pytest.mark.parametrize("cloud", BRINGS)
def test_on_gitlab_live_is_started_by_a_person_and_takes_staging_s_image(cloud, bake):
    project = bake(cloud=cloud, ci="gitlab")
    assert yaml.safe_load(project.text(".gitlab-ci.yml"))["include"] == [{"local": ".gitlab/deploy.yml"}]
    jobs = deploys(project, "gitlab")
    rule = f'$CI_PIPELINE_SOURCE != "schedule" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && ${ON[cloud]}'
    assert jobs["staging"]["rules"] == [{"if": rule}]
    assert jobs["live"]["rules"] == [{"if": rule, "when": "manual", "allow_failure": True}]
    assert jobs["live"]["needs"] == ["staging"]
    assert (jobs["staging"]["environment"], jobs["live"]["environment"]) == ("staging", "live")
    assert jobs["live"]["script"] == ['bash 3-production/cloud/deploy.sh live "$LIVE_DIGEST"']
    assert 'echo "LIVE_DIGEST=$digest" > digest.env' in jobs["staging"]["script"]
    assert [*jobs[".deploy"]["id_tokens"].values()] == [{"aud": "https://gitlab.com"}]
    assert not KEYS.search(project.text(".gitlab/deploy.yml"))
    done = run(
        "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", project.path / ".gitlab" / "deploy.yml"
    )
    assert done.returncode == 0, done.stdout


def test_what_there_is_follows_from_what_was_chosen(bake):
    def kinds(**answers: str) -> set[str]:
        stack = yaml.load(bake(cloud="aws", **answers).text(f"{FOLDER}stack.yaml"), UniqueKeys)
        return {*stack["Resources"]}

    whole = kinds()
    assert {"Service", "Balancer", "JobTask", "Schedule", "NoRun", "DeployRole", "Secrets"} <= whole
    assert not {"JobTask", "Schedule", "JobFailed", "NoRun"} & kinds(stage="production", batch="none")
    assert not {"Service", "Balancer", "Secrets", "NotReady"} & kinds(stage="production", api="none")
    assert "Secrets" in kinds(api="none")
    assert whole - kinds(scheduler="airflow") == {"Schedule", "ScheduleRole", "NoRun"}
    assert whole - kinds(ci="none") == {"DeployRole", "Provider", "PushPolicy"}


@pytest.mark.parametrize("cloud", BRINGS)
def test_a_build_of_what_no_commit_has_is_refused(cloud, bake, tmp_path):
    project = bake(cloud=cloud)
    copy = tmp_path / "copy"
    ran(project, "git", "clone", "--quiet", str(project.path), str(copy))
    (copy / "README.md").write_text("changed", encoding="utf-8")
    done = subprocess.run(
        ["bash", copy / "3-production" / "cloud" / "build.sh"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "there are changes that no commit has: commit them first\n"
