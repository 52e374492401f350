"""Looks at what is on Google Cloud, and changes nothing: `python 3-production/cloud/check.py NAME-staging`.

One line for each thing: `ok`, or `look` and what to do. Ends with 1 where there is something to look at. Asks
through gcloud, in whose project; GCP_REGION says where. The rights to describe and to list are enough.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

Line = tuple[bool, str, str]  # whether it is right, what was looked at, and what is wrong with it
READ = ("describe", "get-iam-policy", "list")
HELLO = "cloudrun/container/hello"  # what runs until the first deploy
OPEN = ("allUsers", "allAuthenticatedUsers")


class RefusedError(Exception):
    """Google Cloud does not answer: no such thing, or no right to ask."""


def gcloud(*words: str) -> Any:
    """Return what gcloud answers."""
    verb = next(word for word in words if word in READ)  # nothing else is ever asked
    program = shutil.which("gcloud") or sys.exit("there is no gcloud here: install it, and sign in")
    line = [program, *words, "--format", "json"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusedError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"no {verb}")
    return json.loads(done.stdout or "null")


def region() -> str:
    """Return where it runs."""
    return os.environ.get("GCP_REGION") or sys.exit("GCP_REGION is not set: the region, as europe-west1")


def variables(container: dict[str, Any]) -> dict[str, str]:
    """Return what a container has in its environment, but for secrets."""
    return {each["name"]: each.get("value", "") for each in container.get("env", [])}


def data(given: dict[str, str]) -> Iterator[Line]:
    """Look at the bucket, and at what has to be in it, by the variables of what runs."""
    kinds = {key.partition("_STORAGE__")[2] or key.partition("_DATA__")[2]: given[key] for key in given}
    bucket = "gs://" + kinds["REGISTRY"].removeprefix("gs://").partition("/")[0]
    found = gcloud("storage", "buckets", "describe", bucket)
    kept = found.get("versioning_enabled", False)
    yield kept, "the bucket keeps what is replaced", "versioning is off: what is deleted is gone"
    hidden = found.get("public_access_prevention") == "enforced" and found.get("uniform_bucket_level_access")
    yield bool(hidden), "the bucket is not public", "public access is not prevented: enforce it, now"
    who = gcloud("storage", "buckets", "get-iam-policy", bucket).get("bindings", [])
    strangers = {one for each in who for one in each["members"] if one in OPEN}
    yield not strangers, "nobody but named accounts may read it", f"{', '.join(strangers)} may read it"
    wanted = {"models/live.json": "a promoted model"}
    wanted |= {"raw/**": "the raw tables"} if kinds.get("SOURCE") == f"{bucket}/raw" else {}
    for prefix, whose in wanted.items():
        missing = f"there is nothing under {prefix}: see README.md, in which order"
        try:
            there = bool(gcloud("storage", "objects", "list", f"{bucket}/{prefix}", "--limit", "1"))
        except RefusedError:
            there = False
        yield there, f"{whose}, under {prefix}", missing


def image(container: dict[str, Any]) -> Iterator[Line]:
    """Look at the image that runs."""
    running = container["image"]
    yield HELLO not in running, "an image was deployed", "none was yet: Google's example runs"
    yield "@sha256:" in running, "it is named by its digest", f"{running} may be another one tomorrow"


def service(name: str) -> Iterator[Line]:
    """Look at what answers over HTTP."""
    found = gcloud("run", "services", "describe", name, "--region", region())
    states = {each["type"]: each for each in found["status"]["conditions"]}
    ready = states.get("Ready", {})
    yield ready.get("status") == "True", "it is ready to answer", f"it is not: {ready.get('message', '')}"
    container = found["spec"]["template"]["spec"]["containers"][0]
    yield from image(container)
    asked = container.get("startupProbe", {}).get("httpGet", {}).get("path")
    yield asked == "/ready", "an instance has to answer /ready first", "no instance is asked for /ready"
    who = gcloud("run", "services", "get-iam-policy", name, "--region", region()).get("bindings", [])
    callers = sorted({one for each in who if each["role"] == "roles/run.invoker" for one in each["members"]})
    yield bool(callers), f"who may ask: {', '.join(callers)}", "nobody may ask: set callers"


def job(name: str) -> Iterator[Line]:
    """Look at the job, at its schedule, and at when it last ran."""
    found = gcloud("run", "jobs", "describe", name, "--region", region())
    yield from image(found["spec"]["template"]["spec"]["template"]["spec"]["containers"][0])
    schedules = gcloud("scheduler", "jobs", "list", "--location", region())
    own = [each for each in schedules if each["name"].endswith(f"/{name}")]
    if not own:  # something else starts it
        return
    on = own[0]["state"] == "ENABLED"
    yield on, "the schedule is on", "the schedule is off: the daily job does not run"
    runs = gcloud("run", "jobs", "executions", "list", "--job", name, "--region", region(), "--limit", "1")
    last = datetime.fromisoformat(runs[0]["metadata"]["creationTimestamp"]) if runs else None
    said = f"the job last ran at {last:%Y-%m-%d %H:%M} UTC" if last else "the job has never run"
    recent = last is not None and datetime.now(UTC) - last < timedelta(hours=25)
    yield recent, said, f"{said}: look at the schedule, and start it once by hand"
    if runs:
        failed = runs[0]["status"].get("failedCount", 0)
        yield not failed, "it ended well", "it did not: read its log"


def alerts(name: str) -> Iterator[Line]:
    """Look at who is told of what."""
    channels = gcloud("beta", "monitoring", "channels", "list")
    on = {each["name"] for each in channels if each["displayName"] == name and each.get("enabled")}
    yield bool(on), "alerts go to a channel that is on", "no channel is on: no alert reaches a person"
    known = gcloud("monitoring", "policies", "list")
    policies = [each for each in known if each["displayName"].startswith(f"{name}:")]
    yield bool(policies), f"{len(policies)} alerts are watched for", "none is watched for"
    for each in policies:
        loud = each.get("enabled") and on & set(each.get("notificationChannels", []))
        yield bool(loud), f"told: {each['displayName']}", "this alert tells nobody"


def main(name: str) -> int:
    """Print a line for each thing that was looked at; return 1 where one is not as it should be."""
    parts = {}
    for kind, spec in (("services", ("spec",)), ("jobs", ("spec", "template", "spec"))):
        for each in gcloud("run", kind, "list", "--region", region()):
            if each["metadata"]["name"] == name:
                found = each
                for step in spec:
                    found = found[step]
                parts[kind] = variables(found["template"]["spec"]["containers"][0])
    if not parts:
        sys.exit(f"{name}: nothing of this name runs in {region()}")
    looks = [(data, {key: value for each in parts.values() for key, value in each.items()})]
    looks += [(look, name) for kind, look in (("services", service), ("jobs", job)) if kind in parts]
    wrong = 0
    for look, what in [*looks, (alerts, name)]:
        try:
            for right, said, remedy in look(what):
                print(f"ok    {said}" if right else f"look  {said}: {remedy}")
                wrong += not right
        except (RefusedError, KeyError, IndexError) as refused:
            print(f"look  {look.__name__}: it can't be told: {refused}")
            wrong += 1
    return int(wrong > 0)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else "usage: check.py NAME-ENVIRONMENT")
    except RefusedError as why:
        sys.exit(str(why))
