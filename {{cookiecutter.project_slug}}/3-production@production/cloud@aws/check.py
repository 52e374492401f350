"""Looks at what is on AWS, and changes nothing: `python 3-production/cloud/check.py NAME-staging`.

One line for each thing: `ok`, or `look` and what to do. Ends with 1 where there is something to look at. Asks
through the AWS CLI, in whose profile and region; the rights to describe, get and list are enough.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

Line = tuple[bool, str, str]  # whether it is right, what was looked at, and what is wrong with it
DAY, WEEKS = timedelta(days=1), timedelta(days=21)
Stack = dict[str, str]  # what the template calls a resource, and what AWS calls it


class RefusedError(Exception):
    """AWS does not answer: no such thing, or no right to ask."""


def aws(service: str, verb: str, *arguments: str) -> Any:
    """Return what the AWS CLI answers."""
    if not verb.startswith(("describe-", "get-", "list-")):
        raise ValueError(f"{verb} might change something")
    program = shutil.which("aws") or sys.exit("there is no AWS CLI here: install it, and sign in")
    line = [program, service, verb, *arguments, "--output", "json"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusedError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no answer")
    return json.loads(done.stdout or "{}")


def time(said: str | float) -> datetime:
    """Return a time as the CLI says it: version 2 writes it out, version 1 counts seconds."""
    return datetime.fromisoformat(said) if isinstance(said, str) else datetime.fromtimestamp(said, UTC)


def data(stack: Stack) -> Iterator[Line]:
    """Look at the bucket, and at what has to be in it."""
    bucket = ("--bucket", stack["Data"])
    kept = aws("s3api", "get-bucket-versioning", *bucket).get("Status") == "Enabled"
    yield kept, "the bucket keeps what is replaced", "versioning is off: what is deleted is gone"
    hidden = aws("s3api", "get-public-access-block", *bucket)["PublicAccessBlockConfiguration"]
    yield all(hidden.values()), "the bucket is not public", "public access is not blocked: block it, now"
    policy = json.loads(aws("s3api", "get-bucket-policy", *bucket)["Policy"])["Statement"]
    refused = any(each["Effect"] == "Deny" and "aws:SecureTransport" in str(each) for each in policy)
    yield refused, "the bucket is read by TLS only", "its policy lets requests through that are not encrypted"
    wanted = {"models/live.json": "a promoted model"}
    if "JobTask" in stack:
        task = aws("ecs", "describe-task-definition", "--task-definition", stack["JobTask"])["taskDefinition"]
        if "DATA__SOURCE" in str(task["containerDefinitions"]):
            wanted["raw/"] = "the raw tables"
    for prefix, whose in wanted.items():
        found = aws("s3api", "list-objects-v2", *bucket, "--prefix", prefix, "--max-items", "1")
        missing = f"there is nothing under {prefix}: see README.md, in which order"
        yield bool(found.get("Contents")), f"{whose}, under {prefix}", missing


def image(stack: Stack) -> Iterator[Line]:
    """Look at the image that runs, and at what the scan has found in it."""
    running = stack["Image"]
    yield bool(running), "an image was deployed", "none was yet: nothing runs"
    if not running:
        return
    name, digest = running.partition("/")[2].split("@")
    asked = ("--repository-name", name, "--image-id", f"imageDigest={digest}")
    found = aws("ecr", "describe-image-scan-findings", *asked).get("imageScanFindings", {})
    counts = found.get("findingSeverityCounts", {})
    grave = counts.get("CRITICAL", 0) + counts.get("HIGH", 0)
    yield not grave, "the image's scan", f"{grave} critical or high findings: build on a newer base image"


def service(stack: Stack) -> Iterator[Line]:
    """Look at the tasks that answer, and at the load balancer before them."""
    if "Service" not in stack:
        return
    asked = ("--cluster", stack["Cluster"], "--services", stack["Service"])
    found = aws("ecs", "describe-services", *asked)["services"][0]
    count = f"{found['runningCount']} of {found['desiredCount']}"
    enough = found["runningCount"] >= found["desiredCount"] > 0
    yield enough, f"tasks that answer: {count}", f"only {count} run: see the log and the events in ECS"
    states = aws("elbv2", "describe-target-health", "--target-group-arn", stack["Targets"])
    health = [each["TargetHealth"]["State"] for each in states["TargetHealthDescriptions"]]
    said = ", ".join(health) or "there is none"
    yield "healthy" in health, f"targets: {said}", f"no task answers /ready: {said}"
    listener = aws("elbv2", "describe-listeners", "--listener-arns", stack["Https"])["Listeners"][0]
    arn = listener["Certificates"][0]["CertificateArn"]
    held = aws("acm", "describe-certificate", "--certificate-arn", arn)["Certificate"]
    until = time(held["NotAfter"]) if "NotAfter" in held else datetime.now(UTC)
    ends = f"the certificate holds until {until:%Y-%m-%d}"
    yield until - datetime.now(UTC) > WEEKS, ends, f"{ends}: why was it not renewed?"


def job(stack: Stack) -> Iterator[Line]:
    """Look at the schedule, and at when the job last ran."""
    if "Schedule" not in stack:
        return
    on = aws("scheduler", "get-schedule", "--name", stack["Schedule"])["State"] == "ENABLED"
    yield on, "the schedule is on", "the schedule is off: the daily job does not run"
    asked = ("--log-group-name", stack["JobLog"], "--order-by", "LastEventTime", "--descending")
    streams = aws("logs", "describe-log-streams", *asked, "--max-items", "1")["logStreams"]
    seen = [each["lastEventTimestamp"] / 1000 for each in streams if "lastEventTimestamp" in each]
    last = datetime.fromtimestamp(max(seen), UTC) if seen else None
    said = f"the job last ran at {last:%Y-%m-%d %H:%M} UTC" if last else "the job has never run"
    recent = last is not None and datetime.now(UTC) - last < DAY + timedelta(hours=1)
    yield recent, said, f"{said}: look at the schedule's role, and start it once by hand"


def alerts(stack: Stack) -> Iterator[Line]:
    """Look at who is told, and at what is told now."""
    found = aws("sns", "list-subscriptions-by-topic", "--topic-arn", stack["Alerts"])["Subscriptions"]
    told = [each["Endpoint"] for each in found if each["SubscriptionArn"].startswith("arn:")]
    nobody = "nobody has confirmed the mail by which AWS asks: no alert reaches a person"
    yield bool(told), f"alerts go to {', '.join(told)}", nobody
    names = [stack[name] for name in ("NotReady", "Fails", "Slow", "NoRun") if name in stack]
    for each in aws("cloudwatch", "describe-alarms", "--alarm-names", *names)["MetricAlarms"]:
        loud = each["ActionsEnabled"] and stack["Alerts"] in each["AlarmActions"]
        yield loud, f"told: {each['AlarmDescription']}", "this alarm tells nobody"
        yield each["StateValue"] != "ALARM", f"not now: {each['AlarmDescription']}", "it is so now"


def resources(name: str) -> Stack:
    """Return what is in a stack, and the image that it runs as `Image`."""
    found = aws("cloudformation", "describe-stacks", "--stack-name", name)["Stacks"][0]
    given = {each["ParameterKey"]: each["ParameterValue"] for each in found["Parameters"]}
    parts = aws("cloudformation", "describe-stack-resources", "--stack-name", name)["StackResources"]
    made = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in parts}
    return made | {"Image": given.get("Image", "")}


def main(name: str) -> int:
    """Print a line for each thing that was looked at; return 1 where one is not as it should be."""
    try:
        stack = resources(name)
    except RefusedError as refused:
        sys.exit(f"{name}: {refused}")
    wrong = 0
    for look in (data, image, service, job, alerts):
        try:
            for right, what, remedy in look(stack):
                print(f"ok    {what}" if right else f"look  {what}: {remedy}")
                wrong += not right
        except (RefusedError, KeyError, IndexError) as refused:
            print(f"look  {look.__name__}: it can't be told: {refused}")
            wrong += 1
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else "usage: check.py STACK")
