"""What the Dockerfile and compose.yaml of a project promise, whatever was chosen."""

import re

import pytest
import yaml

from handrail.serving.server import ACCEPT_SECONDS, LINGER_SECONDS, STOP_SECONDS
from tests.projects.image import context_of, instructions
from tests.template.baking import bake_new

PINNED = r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}"
CHOSEN = {
    "both": {},
    "the service alone": {"stage": "production", "batch": "none"},
    "batches alone": {"stage": "production", "api": "none"},
}


@pytest.fixture(params=CHOSEN)
def chosen(request, bake):
    return request.param, bake(**CHOSEN[request.param])


def steps(project) -> list[tuple[str, str]]:
    return instructions(project.text("3-production/Dockerfile"))


def compose(project) -> dict:
    return yaml.safe_load(project.text("3-production/compose.yaml"))


def test_every_image_is_pinned_by_digest(chosen):
    _, project = chosen
    (base, *rest) = [rest for name, rest in steps(project) if name == "FROM"]
    assert re.fullmatch(r"python:3\.13\.\d+-slim-\w+@sha256:[0-9a-f]{64} AS base", base)
    assert rest == ["base AS build", "base"]
    others = [each["image"] for each in compose(project)["services"].values() if "build" not in each]
    assert all(re.fullmatch(PINNED, image) for image in others), others


def test_each_container_can_do_and_write_as_little_as_it_needs(chosen):
    kind, project = chosen
    services = compose(project)["services"]
    names = {"both": {"api", "score", "prometheus"}, "the service alone": {"api"}, "batches alone": {"score"}}
    assert services.keys() == names[kind]
    for each in services.values():
        assert (each["read_only"], each["cap_drop"], each["init"]) == (True, ["ALL"], True)
        assert each["security_opt"] == ["no-new-privileges:true"]
        assert not {"privileged", "cap_add", "network_mode", "pid"} & each.keys()
        assert all(port.startswith("127.0.0.1:") for port in each.get("ports", []))
    for each in [each for each in services.values() if "build" in each]:
        models, data = each["volumes"]
        assert (models["target"], models["read_only"]) == ("/workspace/models", True)
        assert (data["target"], data.get("read_only")) == ("/workspace/data", None)
        assert each["user"] == "${WORKSPACE_USER:-1000:1000}"


def test_what_runs_is_said_by_the_dockerfile(chosen):
    kind, project = chosen
    said = dict(steps(project))
    assert said["USER"] == "1000:1000"
    assert said["ENTRYPOINT"] == '["/app/.venv/bin/late-flights"]'
    serves = kind != "batches alone"
    assert said["CMD"].startswith('["serve"' if serves else '["score"]')
    assert ("HEALTHCHECK" in said, "EXPOSE" in said) == (serves, serves)
    assert "/ready" in said.get("HEALTHCHECK", "/ready")
    assert ("API_KEY" in project.text("3-production/compose.yaml")) == serves


def test_a_stop_has_the_time_that_the_service_may_take(bake):
    seconds = int(compose(bake())["services"]["api"]["stop_grace_period"].removesuffix("s"))
    asked = int(re.search(r"--stop-timeout (\d+)", bake().text("3-production/README.md"))[1])
    assert min(seconds, asked) > STOP_SECONDS + LINGER_SECONDS + ACCEPT_SECONDS


def test_the_image_is_made_of_what_is_listed_and_of_no_secret(cookies_session, tmp_path):
    project = bake_new(cookies_session, {})
    for name in (".env", "src/.env", "data/raw/flights.csv", "models/live.json", "src/__pycache__/a.pyc"):
        (project.path / name).parent.mkdir(parents=True, exist_ok=True)
        (project.path / name).write_text("not for the image")
    context_of(project.path, tmp_path / "context")
    found = {path.relative_to(tmp_path / "context").as_posix() for path in (tmp_path / "context").rglob("*")}
    top = {name.split("/")[0] for name in found} - {".dockerignore"}
    assert top == {"pyproject.toml", "README.md", "LICENSE", "project.yaml", "src", "vendor"}
    assert not [name for name in found if name.endswith((".env", ".pyc"))]
    assert {name for name in found if name.startswith("src/") and name.endswith(".py")} == {*project.code}


JAVA = r"apt-get update && .*apt-get install --yes --no-install-recommends default-jre-headless && rm -rf \S+"


@pytest.mark.parametrize(
    ("answers", "group", "java"),
    [
        ({}, False, False),
        ({"compute": "postgres"}, True, False),
        ({"compute": "spark"}, True, True),
        ({"compute": "spark", "batch": "none"}, True, True),  # monitoring reads the table, too
        ({"compute": "spark", "api": "none", "stage": "production"}, True, True),
        ({"compute": "postgres", "batch": "none", "stage": "production"}, False, False),  # it serves alone
        ({"compute": "spark", "batch": "none", "stage": "production"}, False, False),
    ],
    ids=lambda given: "-".join(given.values()) if isinstance(given, dict) else None,
)
def test_the_image_has_what_asks_the_engine_where_a_job_does(answers, group, java, bake):
    project = bake(**answers)
    synced = [rest for name, rest in steps(project) if name == "RUN" and "uv sync" in rest]
    assert ["--group compute" in step for step in synced] == [group, group]
    assert all("--no-default-groups" in step for step in synced)
    last = steps(project)[[rest for _, rest in steps(project)].index("base") + 1 :]
    assert len([step for _, step in last if re.fullmatch(JAVA, step)]) == java
    names = [rest for name, rest in last if name == "RUN" and "/etc/passwd" in rest]
    assert names == ['echo "spark:x:1000:1000::/tmp:/usr/sbin/nologin" >> /etc/passwd'] * java
    assert ("rm -rf /var/lib/apt/lists/*" in project.text("3-production/Dockerfile")) == java


def test_the_database_s_address_is_handed_to_what_scores(bake):
    services = compose(bake(compute="postgres"))["services"]
    assert services["score"]["environment"] == ["LATE_FLIGHTS_COMPUTE_URL"]
    assert services["api"]["environment"] == ["LATE_FLIGHTS_API_KEY"]


@pytest.mark.parametrize("answers", [{}, {"batch": "none"}, {"stage": "production", "api": "none"}], ids=str)
def test_the_database_that_was_chosen_is_there_for_whoever_starts_it(bake, answers):
    found = compose(bake(compute="postgres", **answers))
    each = found["services"]["database"]
    assert re.fullmatch(PINNED, each["image"])
    assert (each["profiles"], each["ports"]) == (["database"], ["127.0.0.1:5432:5432"])
    assert (each["user"], each["read_only"], each["cap_drop"]) == ("postgres", True, ["ALL"])
    assert each["environment"] == ["POSTGRES_PASSWORD"]  # handed through: it stands in no file
    assert each["volumes"] == ["database:/var/lib/postgresql/data"]
    assert "database" in found["volumes"]
    assert "database" not in compose(bake(**answers))["services"]
