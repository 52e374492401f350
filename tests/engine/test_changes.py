"""The changes of one's own, made by the very lines of the project's docs/change-it.md, and run."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from handrail.registry import live, versions
from tests.engine.support.example import example
from tests.engine.support.workspaces import PROJECT, SAMPLE

pytestmark = pytest.mark.slow

STEP = re.compile(
    r"^(?:In )?`(?P<file>[^`]+)`, (?P<how>below|above|in place of|whole)(?: `(?P<line>[^\n]+)`)?:\n"
    r"(?:\n)*```\w+\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
HOLIDAYS = [f"2013-{day}" for day in ("01-01", "01-21", "05-27", "07-04", "09-02", "11-28", "12-25")]


class Step(NamedTuple):
    """One change of the page: the file, where in it, and the lines."""

    file: str
    how: str
    line: str
    code: str


def steps_of(root: Path, title: str) -> list[Step]:
    """Return the steps of a section of the page, in their order."""
    page = (root / "docs" / "change-it.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^##+ ([^\n]+)\n(.*?)(?=^##+ |\Z)", page, re.MULTILINE | re.DOTALL))
    found = [Step(*(match[name] or "" for name in Step._fields)) for match in STEP.finditer(sections[title])]
    assert found, f"{title}: no step is written as `In FILE, below LINE:` and a block of code"
    return found


class Copy:
    """A copy of the example, to be changed and run in processes of its own."""

    def __init__(self, folder: Path, workspace: Path | None, project=PROJECT) -> None:
        self.root, self.package = folder / "project", project.package
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(project.root, self.root, ignore=ignored)
        self.workspace = self.root / "sample" / str(SAMPLE)
        if workspace:
            shutil.copytree(workspace, self.workspace)

    def change(self, title: str, **replaced: str) -> None:
        """Make every change of a section; `replaced`: texts of the page that are others here."""
        for file, how, line, code in steps_of(self.root, title):
            for old, new in replaced.items():
                code = code.replace(old.replace("_", ":"), new)  # noqa: PLW2901
            path = self.root / file if file == "project.yaml" else self.root / "src" / self.package / file
            path.write_text(changed(path.read_text(encoding="utf-8"), how, line, code), encoding="utf-8")

    def run(self, *arguments: str, status: int = 0, **environment: str) -> str:
        """Run a verb on the sample to the given exit status, and return what it printed."""
        module = ("-m", self.package, *arguments, "--sample", str(SAMPLE))
        return self.python(*module, status=status, **environment)

    def python(self, *arguments: str, status: int = 0, **environment: str) -> str:
        """Run Python in the copy, and return what it printed."""
        own = {f"{self.package.upper()}_{name}": value for name, value in environment.items()}
        path = os.pathsep.join([str(self.root / "src"), os.environ["PYTHONPATH"]])
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": path, **own},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def newest(self) -> dict:
        """Return the record of the version trained last."""
        record = max((self.workspace / "models").glob("*/model.json"), key=os.path.getmtime)
        return json.loads(record.read_text(encoding="utf-8"))


def changed(text: str, how: str, line: str, code: str) -> str:
    """Return a file with lines below, above or in place of one of its lines; or as a whole."""
    if how == "whole":
        return code
    lines = text.splitlines(keepends=True)
    (place,) = [number for number, each in enumerate(lines) if each.strip() == line]
    start, end = {
        "below": (place + 1, place + 1),
        "above": (place, place),
        "in place of": (place, place + 1),
    }[how]
    lines[start:end] = [code]
    return "".join(lines)


@pytest.fixture
def copy(trained, tmp_path) -> Copy:
    """Return a copy of the example with a loaded table and one version."""
    return Copy(tmp_path, trained.workspace)


EASY = {"ACCURACY__MINIMUM": "0.1", "DECISION__GO": "go"}


def test_a_feature(copy):
    copy.change("A feature")
    copy.run("etl")
    copy.run("train")
    encoding = copy.newest()["encoding"]
    assert "plane_engines" in encoding["features"]
    assert encoding["logarithms"] == ["distance_km"]
    dictionary = (copy.root / "2-research" / "data-dictionary.md").read_text(encoding="utf-8")
    assert "| `plane_engines` | Engines of the aircraft | whole number |" in dictionary


def test_a_metric_is_measured_everywhere(copy):
    copy.change("A metric")
    said = copy.run("train", ACCURACY__METRIC="lift_at_10")
    shown = float(re.search(r"^lift_at_10 +(\d+\.\d+) ", said, re.MULTILINE)[1])
    assert copy.newest()["metric"] == "lift_at_10"
    assert copy.newest()["validation"]["model"]["lift_at_10"]["value"] == pytest.approx(shown, abs=1e-3)
    measured = copy.newest()["evaluation"]["model"]["lift_at_10"]["value"]
    for name in ("research.html", "choice.html"):
        assert (copy.workspace / "reports" / name).is_file()
    page = (copy.workspace / "reports" / "research.html").read_text(encoding="utf-8")
    assert "times more cases in the highest tenth" in page
    refused = copy.run("promote", status=1, ACCURACY__METRIC="lift_at_10", ACCURACY__MINIMUM="9")
    assert f"lift_at_10 {measured:.3f} misses the minimum 9 of project.yaml" in refused
    tuned = copy.run("tune", "--trials", "2", ACCURACY__METRIC="lift_at_10")
    assert re.search(r"^trial 2 of 2: lift_at_10 \d\.\d{4}, best", tuned, re.MULTILINE)
    copy.run("promote", **EASY)
    watched = copy.run("monitor", "--relive", status=3, **EASY, LIVE__MINIMUM_OUTCOMES="100")
    assert re.search(r"^lift_at_10 +\d\.\d{3} +1\.5 to 6 +ok", watched, re.MULTILINE)


def test_a_metric_of_amounts_is_measured_too(trained_amounts, tmp_path):
    copy = Copy(tmp_path, trained_amounts.workspace, example("regression"))
    copy.change("A metric")
    said = copy.run("train")
    assert re.search(r"^median_error +\d+\.\d+ +\d+\.\d+ to \d+\.\d+", said, re.MULTILINE)


def test_an_estimator_and_a_step_of_the_training(copy):
    before = copy.newest()["evaluation"]["baseline"]["roc_auc"]["value"]
    copy.change("An estimator")
    copy.run("train")
    plain = copy.newest()
    assert plain["hyperparameters"] == {"C": 1.0}
    assert plain["evaluation"]["model"]["roc_auc"]["value"] > before
    copy.change("A step of the training")
    copy.run("train")
    stepped = copy.newest()["evaluation"]["model"]
    assert stepped["brier"]["value"] != plain["evaluation"]["model"]["brier"]["value"]
    assert stepped["roc_auc"]["value"] == pytest.approx(
        plain["evaluation"]["model"]["roc_auc"]["value"], abs=0.05
    )
    assert re.search(r"^C +[\d.e-]+ +1 +0\.001 to 100", copy.run("tune", "--trials", "2"), re.MULTILINE)


ASKED = """
import json, sys
from fastapi.testclient import TestClient
from {package} import project
from handrail.serving.dry_run import first_live_record

settings = project.settings({sample})
record = json.loads(json.dumps(first_live_record(settings), default=str))
with TestClient(project.create_app(settings)) as client:
    def ask(path, body=None, **headers):
        headers = {{name.replace("_", "-"): value for name, value in headers.items()}}
        reply = client.post(path, json=body, headers=headers) if body else client.get(path, headers=headers)
        return [reply.status_code, reply.json()]
    body = {{"records": [record]}}
    print(json.dumps([
        ask("/health"),
        ask("/about"),
        ask("/about", X_Signed_In="ada"),
        ask("/predict", body),
        ask("/predict", body, X_Signed_In="ada"),
        ask("/predict", body, X_API_Key="0123456789abcdef"),
    ]))
"""


def test_a_route_and_a_middleware_that_guards_everything(copy):
    settings = PROJECT.settings().model_copy(update={"workspace": copy.workspace})
    live.make_live(settings, versions.newest_version(settings))
    copy.change("A route, and a middleware")
    code = ASKED.format(package=copy.package, sample=SAMPLE)
    said = copy.python("-c", code, API_KEY="0123456789abcdef")
    health, shut, about, refused, unkeyed, predicted = json.loads(said.splitlines()[-1])
    assert health == [200, {"status": "ok"}]
    signed_out = [401, {"errors": [{"field": "X-Signed-In", "rule": "sign in"}]}]
    assert shut == refused == signed_out
    assert about[1]["sponsor"] == PROJECT.settings().decision.sponsor
    assert unkeyed[0] == 401
    assert predicted[0] == 200
    assert predicted[1]["source"] == "model"


def test_a_check_has_a_reading_a_range_and_an_alert(copy):
    copy.change("A check")
    copy.run("promote", **EASY)
    said = copy.run("monitor", "--relive", status=3, **EASY, LIVE__MINIMUM_OUTCOMES="100")
    assert re.search(r"^share of departures at night +0\.0\d+ +0 to 0\.05 +ok", said, re.MULTILINE)
    checks = copy.root / "src" / copy.package / "monitor" / "checks.py"
    checks.write_text(checks.read_text(encoding="utf-8").replace("high=0.05", "high=0.001"), encoding="utf-8")
    said = copy.run("monitor", status=3, **EASY)
    days = r"2013-\d\d-\d\d to 201\d-\d\d-\d\d"
    alert = rf"^alert: {days}: share of departures at night is 0\.0\d+, expected 0 to 0\.001$"
    assert re.search(alert, said, re.MULTILINE)
    kept = (copy.workspace / "reports" / "alerts.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    assert "share of departures at night" in kept


def test_a_verb(copy):
    copy.change("A verb")
    said = copy.run("busiest").splitlines()
    assert len(said) == 5
    assert re.fullmatch(r"2013-\d\d-\d\d +\d+", said[0])
    assert "busiest" in copy.python("-m", copy.package, "--help")


class Calendar(BaseHTTPRequestHandler):
    """Answers with the public holidays."""

    def do_GET(self) -> None:
        """Send them."""
        body = json.dumps([{"day": day, "name": "a holiday"} for day in HOLIDAYS]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        """Say nothing."""


def test_a_raw_table_that_is_no_file(copy):
    with ThreadingHTTPServer(("127.0.0.1", 0), Calendar) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        copy.change("A raw table that is no file", **{"127.0.0.1_8123": f"127.0.0.1:{server.server_port}"})
        said = copy.run("etl")
        server.shutdown()
    assert re.search(r"^holidays +7 +raw$", said, re.MULTILINE)
    copy.run("train")
    assert "holiday" in copy.newest()["encoding"]["features"]
    refused = copy.run("etl", status=1)
    assert re.search(
        r"error: holidays\(\): the source can't be read \(.*refused.*\); see etl/extract\.py", refused
    )
    assert (copy.workspace / "data" / "raw" / "holidays.parquet").is_file()


def test_every_step_of_the_page_names_a_line_that_is_there():
    for problem in ("classification", "regression", "forecasting"):
        root = example(problem).root
        page = (root / "docs" / "change-it.md").read_text(encoding="utf-8")
        blocks = re.findall(r"^```(?:python|sql|yaml)$", page, re.MULTILINE)
        assert len(blocks) == len(list(STEP.finditer(page))), "a block of code that is no step"
        for match in STEP.finditer(page):
            file = match["file"]
            path = root / file if file == "project.yaml" else root / "src" / example(problem).package / file
            if match["how"] != "whole":
                lines = [each.strip() for each in path.read_text(encoding="utf-8").splitlines()]
                assert lines.count(match["line"]) == 1, f"{problem}: {file}: {match['line']}"
