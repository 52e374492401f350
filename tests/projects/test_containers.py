"""The image of a project, made by its Dockerfile's own steps, and run as it will be: as nobody, read-only."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
import yaml

from tests.projects.image import Stage, build, container, do, instructions, obstacle
from tests.template.baking import Project, bake_new, ran

IMPOSSIBLE = obstacle()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("containers"),
    pytest.mark.skipif(IMPOSSIBLE is not None, reason=str(IMPOSSIBLE)),
]

KEY = "0123456789abcdef0123"
WITH_KEY = {"LATE_FLIGHTS_API_KEY": KEY}
ASK = """
import json, sys
from http.client import HTTPConnection
method, path, body = sys.argv[1:]
connection = HTTPConnection("127.0.0.1", {port}, timeout=20)
connection.request(method, path, body or None, {{"X-API-Key": "{key}", "Content-Type": "application/json"}})
reply = connection.getresponse()
print(json.dumps([reply.status, reply.read().decode()]))
"""
WRITE = """
from pathlib import Path
for folder in "/ /app /app/.venv /workspace /workspace/models /etc /tmp /workspace/data".split():
    try:
        Path(folder, "written").write_text("")
    except OSError as error:
        print(folder, error.strerror, sep=": ")
    else:
        print(folder, "written", sep=": ")
"""


@pytest.fixture(scope="module")
def project(cookies_session) -> Project:
    """Return a project whose model is live on a sample, with files that no image may hold."""
    project = bake_new(cookies_session, {"notebooks": "none", "dashboard": "none", "ci": "none"})
    for verb in ("etl", "train", "promote"):
        ran(project, "uv", "run", project.slug, verb, "--sample", "20000")
    for name in (".env", "src/.env", "3-production/.env", "data/secret.csv"):
        (project.path / name).parent.mkdir(exist_ok=True)
        (project.path / name).write_text("LATE_FLIGHTS_API_KEY=of-nobodys-business\n")
    return project


@pytest.fixture(scope="module")
def stages(project, tmp_path_factory) -> dict[str, Stage]:
    """Return the stages of the project's Dockerfile, all of their steps done."""
    return build(project.path, project.text("3-production/Dockerfile"), tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def image(stages) -> Stage:
    """Return the last stage, which is the image."""
    return stages[""]


@pytest.fixture
def workspace(project, image, tmp_path) -> Path:
    """Return a workspace with the model and the table, its data the image's user's."""
    shutil.copytree(project.path / "sample" / "20000", tmp_path / "live")
    subprocess.run(["chown", "-R", image.user, tmp_path / "live" / "data"], check=True)
    return tmp_path / "live"


def ask(container, method: str, path: str, body: str = "", port: int = 8000) -> tuple[int, str]:
    """Ask over HTTP in the container's network; return the status and the text."""
    code = ASK.format(key=KEY, port=port)
    line = container.outside(sys.executable, "-c", code, method, path, body)
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    return tuple(json.loads(done.stdout))


def wait_for(container, path: str, port: int = 8000) -> tuple[int, str]:
    """Ask until there is an answer; return it."""
    end = time.monotonic() + 60
    while True:
        assert container.process.poll() is None, container.process.stdout.read()
        try:
            return ask(container, "GET", path, port=port)
        except subprocess.CalledProcessError:
            assert time.monotonic() < end
            time.sleep(0.1)


def test_the_image_holds_what_predicts_and_nothing_else(project, image):
    app = image.folder / "app"
    assert sorted(path.name for path in app.iterdir()) == [".venv", "project.yaml"]
    assert not [path for path in app.rglob("*") if path.name in {".env", "secret.csv", ".git"}]
    tools = {path.name for place in (app / ".venv", image.folder / "python") for path in place.glob("bin/*")}
    assert "late-flights" in tools
    assert not {tool for tool in tools if tool.startswith(("pip", "uv", "gcc"))} - {"uvicorn"}
    packages = {path.name.split("-")[0] for path in app.glob(".venv/lib/python3*/site-packages/*.dist-info")}
    assert {"handrail", "late_flights", "onnxruntime", "fastapi"} <= packages
    assert not {"scikit_learn", "skl2onnx", "matplotlib", "pandas", "pytest", "pip", "uv"} & packages
    assert not [path for path in app.rglob("*") if not path.is_symlink() and path.stat().st_uid != 0]
    assert (image.folder / "workspace" / "data").stat().st_uid == 1000
    assert image.user == "1000:1000"


def test_a_lock_that_no_longer_fits_stops_the_build(project, stages):
    (step,) = [
        step
        for name, step in instructions(project.text("3-production/Dockerfile"))
        if name == "RUN" and "--no-install-project" in step
    ]
    path = stages["build"].folder / "app" / "pyproject.toml"
    path.write_text(path.read_text().replace('"rich>=15.0,<15.1"', '"rich>=15.0,<15.0.9"'))
    with pytest.raises(AssertionError, match=r"uv\.lock.*needs to be updated"):
        do(stages["build"], ["/bin/sh", "-c", step])


def test_it_answers_with_nothing_to_write_to_but_data_and_ends_when_told(image, workspace):
    before = {path for path in workspace.rglob("*") if path.is_file()}
    with container(image, workspace / "models", workspace / "data", **WITH_KEY) as service:
        status, said = wait_for(service, "/ready")
        assert (status, json.loads(said)["source"]) == (200, "model")
        assert service.run(*image.health).returncode == 0

        written = service.run("/app/.venv/bin/python", "-c", WRITE).stdout.splitlines()
        refused, kept = written[:6], written[6:]
        assert {line.split(": ")[1] for line in refused} == {"Read-only file system"}
        assert kept == ["/tmp: written", "/workspace/data: written"]
        of_first = service.run("/bin/cat", "/proc/1/cmdline", "/proc/1/status").stdout
        assert of_first.startswith("/app/.venv/bin/python\0/app/.venv/bin/late-flights\0serve\0")
        assert "\nUid:\t1000\t1000\t1000\t1000\n" in of_first
        assert "\nCapEff:\t0000000000000000\n" in of_first
        assert "\nNoNewPrivs:\t1\n" in of_first

        table = duckdb.read_parquet(str(workspace / "data" / "departures.parquet"))
        asked = {"keys": [table.limit(1).fetchall()[0][0]]}
        status, said = ask(service, "POST", "/predict", json.dumps(asked))
        assert status == 200, said
        answered = json.loads(said)
        assert answered["source"] == "model"
        assert service.stop() == 0
    new = {path for path in workspace.rglob("*") if path.is_file()} - before
    (log,) = [path for path in new if path.parent.name == "predictions"]
    told = answered["predictions"][0]["prediction"]
    assert json.loads(log.read_text())["prediction"] == pytest.approx(told, abs=1e-6)
    assert log.stat().st_uid == 1000
    assert {path.relative_to(workspace).parts[0] for path in new} == {"data"}


def test_the_health_check_says_no_where_predictions_would_be_refused(image, workspace):
    (workspace / "data" / "predictions").mkdir(mode=0o755)  # somebody else's
    with container(image, workspace / "models", workspace / "data", **WITH_KEY) as service:
        status, said = wait_for(service, "/ready")
        assert (status, json.loads(said)["reason"]) == (503, "prediction log: Permission denied")
        assert service.run(*image.health).returncode == 1
        assert service.stop() == 0


def test_data_that_can_not_be_written_is_told_in_a_line(image, workspace):
    with container(image, workspace / "models", workspace / "data", writable=False, **WITH_KEY) as service:
        assert service.process.wait(60) == 1
        said = service.process.stdout.read()
    assert said.splitlines()[0].startswith("error: /workspace/data/predictions: Read-only file system")


def test_without_a_key_it_says_what_is_missing_and_ends(image, workspace):
    with container(image, workspace / "models", workspace / "data") as service:
        assert service.process.wait(60) == 1
        assert "LATE_FLIGHTS_API_KEY" in service.process.stdout.read()


def test_the_same_image_scores_as_compose_asks_it_to(project, image, workspace):
    entrypoint = yaml.safe_load(project.text("3-production/compose.yaml"))["services"]["score"]["entrypoint"]
    assert entrypoint[0] == image.entrypoint[0]
    words = [*entrypoint[1:], "--from", "2013-10-01", "--to", "2013-11-01"]
    with container(image, workspace / "models", workspace / "data", *words) as scoring:
        said = scoring.process.communicate(timeout=120)[0]
    assert scoring.process.returncode == 0, said
    assert "rows scored by" in said
    (scored,) = (workspace / "data" / "predictions").glob("scored-2013-10-01-2013-11-01-*.parquet")
    assert scored.stat().st_uid == 1000


@pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not here (Debian's package)")
def test_prometheus_reads_it_by_the_projects_own_configuration(project, image, workspace, tmp_path):
    folder = tmp_path / "prometheus"
    folder.mkdir()
    shutil.copy(project.path / "4-operation" / "alerts.yml", folder)
    text = project.text("4-operation/prometheus.yml")
    assert "- api:8000\n" in text  # the name of the service in compose.yaml, which its network knows
    text = text.replace("api:8000", "127.0.0.1:8000").replace("15s", "1s")
    (folder / "prometheus.yml").write_text(text)
    with container(image, workspace / "models", workspace / "data", **WITH_KEY) as service:
        wait_for(service, "/ready")
        line = service.outside(
            "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/series",
            "--web.listen-address=127.0.0.1:9090",
        )
        prometheus = subprocess.Popen(line, stderr=subprocess.DEVNULL)
        try:
            wait_for(service, "/-/ready", port=9090)
            end = time.monotonic() + 60
            while not (seen := shown(service, "/api/v1/query?query=model_ready")["result"]):
                assert time.monotonic() < end
                time.sleep(0.2)
            (target,) = shown(service, "/api/v1/targets")["activeTargets"]
            (group,) = shown(service, "/api/v1/rules")["groups"]
        finally:
            prometheus.terminate()
            prometheus.wait(30)
    assert (seen[0]["metric"]["job"], seen[0]["value"][1]) == ("late-flights", "1")
    assert target["health"] == "up"
    rules = yaml.safe_load(project.text("4-operation/alerts.yml"))["groups"][0]["rules"]
    assert [rule["name"] for rule in group["rules"]] == [rule["alert"] for rule in rules]


def shown(service, path: str) -> dict:
    """Return what Prometheus says under `data`."""
    return json.loads(ask(service, "GET", path, port=9090)[1])["data"]
