"""Baked projects, installed and run as their README says: the numbers and sentences they print."""

import json
import os
import re
import shlex
from itertools import product
from pathlib import Path

import pytest
import yaml

from benchmarks.environment_sizes import installed_bytes
from handrail.scaffold.sizes import megabytes
from tests.engine.support.browser import Page
from tests.engine.support.postgres_server import binaries, postgres_server
from tests.template.answers import TEMPLATE, choices, chosen_words, slug_problems, well_formed
from tests.template.baking import Project, bake_new, ran

pytestmark = pytest.mark.slow

PROJECTS = {
    "operation": {},
    "forecasting-api": {
        "problem": "forecasting",
        "model": "xgboost",
        "batch": "none",
        "scheduler": "airflow",
        "cloud": "gcp",
        "ci": "gitlab",
        "license": "mit",
    },
    "production-batch": {
        "stage": "production",
        "problem": "regression",
        "model": "lightgbm",
        "tracking": "mlflow",
        "api": "none",
        "cloud": "aws",
        "ci": "none",
    },
    "research": {
        "stage": "research",
        "model": "keras",
        "notebooks": "marimo",
        "labelling": "labelling",
        "editor": "devcontainer",
    },
    "discovery": {"stage": "discovery"},
    "on postgres": {
        "stage": "production",
        "problem": "regression",
        "model": "lightgbm",
        "compute": "postgres",
        "api": "none",
        "ci": "none",
    },
    "on spark": {"stage": "research", "compute": "spark", "notebooks": "marimo", "labelling": "labelling"},
}
LONG = ("on postgres", "on spark")  # each command waits for the engine: minutes where others take seconds
SAMPLE = ("--sample", "50000")
NEVER_ENDS = "serve"
ALERT = 3
# What a demo says of each part.
SAID = {
    "research": r"Measured +\w+ \d+\.\d+ \(\d+\.\d+ to \d+\.\d+\)",
    "production": r"[\w-]+ is in staging",
    "fastapi": r'answered: .*"prediction": \d+\.\d+',
    "batch": r"[\d,]+ rows scored by",
    "labelling": r"joined: 3,322 of 3,322 rows of planes have a label",
    "operation": r"Alert +2013-\d\d-01 to 201[34]-\d\d-01: \w+ is -?\d+\.\d+, expected",
}
INSTALLED = """
import json, sys
from importlib import metadata
names = {script.name for script in metadata.entry_points(group="console_scripts")}
for distribution in metadata.distributions():
    names.add(distribution.metadata["Name"])
    names.update((distribution.read_text("top_level.txt") or "").split())
    names.update(str(file).split("/")[0].removesuffix(".py") for file in distribution.files or ())
print(json.dumps(sorted(names)))
"""


WITH_DATA = [name for name in PROJECTS if name != "discovery"]


def in_groups(names: list[str]) -> list:
    """Return the names as parameters of `installed`, each project's tests in one process."""
    return [
        pytest.param(name, marks=[pytest.mark.xdist_group(name), *[pytest.mark.long] * (name in LONG)])
        for name in names
    ]


@pytest.fixture(scope="session")
def environments() -> dict[str, Project]:
    """The projects installed so far."""
    return {}


@pytest.fixture(scope="session")
def database():
    """The database of the project whose data is processed in one."""
    if binaries() is None:
        yield  # its tests say that the address is not set
        return
    with postgres_server() as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LATE_FLIGHTS_COMPUTE_URL", url)
        yield


@pytest.fixture(params=in_groups([*PROJECTS]))
def installed(request, cookies_session, environments) -> Project:
    """A baked project with its environment."""
    if PROJECTS[request.param].get("compute") == "postgres":
        request.getfixturevalue("database")
    if request.param not in environments:
        project = bake_new(cookies_session, PROJECTS[request.param])
        ran(project, "uv", "sync", "--quiet")
        environments[request.param] = project
    return environments[request.param]


def test_its_packages_take_what_is_said_of_it_before(installed):
    """`sizes.json` is right: written anew by `benchmarks/environment_sizes.py` where this fails."""
    found = installed_bytes(installed.path)
    own = {"handrail", "late-flights"}
    measured = sum(size for name, size in found.items() if name not in own) / 1e6
    assert measured > 50
    assert megabytes(TEMPLATE, set(chosen_words(installed.record))) == pytest.approx(measured, rel=0.1)


def test_its_own_tests_pass(installed):
    said = ran(installed, "uv", "run", "pytest", "-q", "-m", "")
    passed = int(re.search(r"(\d+) passed", said)[1])
    assert passed >= 3
    assert "warning" not in said


@pytest.mark.parametrize(
    "tool", ["ruff check", "ruff format --check", "ty check", "deptry ."], ids=lambda tool: tool.split()[0]
)
def test_its_own_checks_are_silent(tool, installed):
    ran(installed, "uv", "run", *tool.split())


@pytest.mark.parametrize("installed", in_groups(WITH_DATA), indirect=True)
def test_demo_on_a_sample(installed):
    said = ran(installed, "uv", "run", "late-flights", "demo", *SAMPLE)
    chosen = chosen_words(json.loads(installed.text(".handrail.json"))["answers"])
    assert {word: bool(re.search(SAID[word], said)) for word in SAID} == {
        word: word in chosen for word in SAID
    }
    measured = r"Measured +(\w+) (\d+\.\d+) .*; the simple technique reaches (\d+\.\d+)"
    metric, model, baseline = re.search(measured, said).groups()
    assert (float(model) > float(baseline)) is (metric == "roc_auc")
    assert abs(float(model) / float(baseline) - 1) > 0.01


@pytest.mark.parametrize("installed", in_groups(WITH_DATA), indirect=True)
def test_the_page_for_those_who_choose_reckons(installed):
    """Its script runs on the counts that training wrote: every position, and with other costs."""
    if not Path(installed.path, "sample/50000/reports/choice.html").is_file():
        ran(installed, "uv", "run", "late-flights", "etl", *SAMPLE)
        ran(installed, "uv", "run", "late-flights", "train", *SAMPLE)
    page = Page(installed.text("sample/50000/reports/choice.html"))
    data = page.data
    before = {place: page.text(f"cost-{place}") for place in data["listed"]}
    page.press("twice")
    low, high = 2 * data["costs"]["low"], data["costs"]["high"]
    for place, each in enumerate(data["model"]):
        page.enter("position", place)
        amount = each["low"] * low + each["high"] * high
        assert page.text("label") == each["label"]
        shown = float(page.text("here-cost").removeprefix("USD ").replace(",", ""))
        assert shown == pytest.approx(amount, abs=0.51)
    page.press("agreed")
    assert {place: page.text(f"cost-{place}") for place in data["listed"]} == before


@pytest.mark.parametrize("installed", in_groups(["production-batch", "research", *LONG]), indirect=True)
def test_tuning_a_sample_goes_on_and_is_used(installed):
    """What `tune` finds is what `train` uses; without a clear gain the defaults stay."""
    small = ("--sample", "5000")
    for line in ("etl", "train", "tune --trials 2", "tune --trials 3", "train"):
        said = ran(installed, "uv", "run", "late-flights", *line.split(), *small)
        if line == "tune --trials 3":
            assert "going on after 2 trials\n" in said
            assert re.search(r"^trial 3 of 3: \w+ \d+\.\d{4}, best", said, re.MULTILINE)
            same = "no other trial scored better" in said
            better = re.search(r"^better by \d\.\d+ \((-?\d\.\d+) to -?\d\.\d+\)$", said, re.MULTILINE)
            worse = re.search(r"^worse by \d\.\d+ \(-?\d\.\d+ to -?\d\.\d+\)$", said, re.MULTILINE)
            found = f"written to {Path('sample', '5000', 'hyperparameters.yaml')}" in said
            assert same or better or worse
            assert found == (better is not None and not same and float(better[1]) > 0)
    card = max((installed.path / "sample" / "5000" / "models").glob("*/model.json"), key=os.path.getmtime)
    info = json.loads(card.read_text(encoding="utf-8"))
    file = installed.path / "sample" / "5000" / "hyperparameters.yaml"
    if file.exists():
        assert info["hyperparameters"] == yaml.safe_load(file.read_text(encoding="utf-8"))["hyperparameters"]
    assert bool(info["tuned"]) == file.exists()


def others() -> list:
    """Return the pairs of a model and a problem that no project above has, each model's in one process."""
    keys = ("model", "problem")
    had = {tuple(answers.get(key, choices()[key][0]) for key in keys) for answers in PROJECTS.values()}
    return [
        pytest.param(model, problem, marks=pytest.mark.xdist_group(f"others {model}"))
        for model, problem in product(*(choices()[key] for key in keys))
        if (model, problem) not in had
    ]


@pytest.mark.parametrize(("model", "problem"), others())
def test_every_model_learns_every_problem(model, problem, cookies_session):
    """On all rows it clearly beats the baseline, and its file agrees with the library that made it."""
    answers = {"stage": "research", "notebooks": "none", "model": model, "problem": problem}
    project = bake_new(cookies_session, answers)
    ran(project, "uv", "sync", "--quiet")
    ran(project, "uv", "run", "late-flights", "etl")
    ran(project, "uv", "run", "late-flights", "train", "--no-round")
    checks = ran(project, "uv", "run", "late-flights", "status").splitlines()
    assert [line for line in checks if "baseline beaten" in line and "done" in line], checks
    said = ran(project, "uv", "run", "pytest", "-q", "tests/test_project.py", "tests/test_example.py")
    assert int(re.search(r"(\d+) passed", said)[1]) > 15


@pytest.mark.parametrize("installed", in_groups(["discovery"]), indirect=True)
def test_discovery_has_next_to_no_dependencies(installed):
    assert "discovery" in ran(installed, "uv", "run", "late-flights", "status")
    assert len(ran(installed, "uv", "tree", "--quiet", "--depth", "1", "--no-dev").splitlines()) <= 6


def commands_of(readme: str) -> list[list[str]]:
    """Return the commands in a README's fenced blocks, one list of words each."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("$ ").split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("uv ")]


def test_readme_commands(installed):
    """Every command of the README comes to its good end; on a sample, but for the full project."""
    commands = commands_of(installed.text("README.md"))
    assert ["uv", "run", "pytest"] in commands
    smaller = SAMPLE if installed.answers else ()
    for command in commands:
        if command[:3] == ["uv", "run", "late-flights"] and NEVER_ENDS not in command:
            ran(installed, *command, *smaller)


@pytest.mark.parametrize("installed", in_groups(["operation"]), indirect=True)
def test_a_fresh_project_scores_seven(installed):
    """All 28 tests of the score are automated, and pass."""
    if not Path(installed.path, "models/live.json").is_file():
        ran(installed, "uv", "run", "late-flights", "demo")
    done = installed.run("uv", "run", "late-flights", "readiness")
    record = json.loads(installed.text("reports/readiness.json"))
    assert record["sections"] == {"data": 7, "model": 7, "infrastructure": 7, "monitoring": 7}
    assert len({row["test"] for row in record["rows"]}) == 28
    assert record["failed"] == []
    said = [line for line in done.stderr.splitlines() if not line.endswith(" so far")]
    assert (done.returncode, said) == (0, [])
    assert "28 of 28 tests pass\n" in done.stdout


@pytest.mark.parametrize("installed", in_groups(["operation"]), indirect=True)
def test_scheduled_jobs_retrain_and_watch_in_a_workspace_elsewhere(installed, tmp_path):
    """The commands of the jobs as they are written, and a month scored between them."""
    jobs = yaml.safe_load(installed.text(".github/workflows/live.yml"))["jobs"]
    runs = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    environment = {"LATE_FLIGHTS_WORKSPACE": str(tmp_path), "LATE_FLIGHTS_WEBHOOK_URL": ""}
    scored = "uv run late-flights score --from 2013-11-01 --to 2013-12-01"
    said = {}
    first = [f"uv run late-flights {verb}" for verb in ("etl", "train --no-round", "promote")]
    environment["LATE_FLIGHTS_RETRAINING__GOES_LIVE"] = "promotion"
    for command in (*first, *runs["retrain"], scored, *runs["monitor"], *runs["upkeep"]):
        done = installed.run("bash", "-c", command, **environment, UNTIL="2013-11-01")
        assert done.returncode == 0 or (done.returncode, command) == (3, runs["monitor"][-1]), done.stderr
        said[command] = done.stdout
    watched, archived, purged = (said[command] for command in (runs["monitor"][-1], *runs["upkeep"]))
    assert re.search(r"2013-1[01]-\d\d to 2013-1[12]-\d\d: [\d,]+ predictions, [\d,]+ outcomes", watched)
    assert archived == "nothing is old enough for the archive\n"
    assert purged == "nothing is old enough to be deleted\n"
    (version,) = (path.name for path in (tmp_path / "models").glob("2013-11-01-*"))
    assert version in (tmp_path / "models" / "live.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("installed", in_groups(["operation"]), indirect=True)
def test_the_runbook_is_rehearsed(installed):
    """Each command that it names comes to its good end on a copy."""
    ran(installed, "uv", "run", "late-flights", "demo", *SAMPLE)
    ran(installed, "uv", "run", "late-flights", "train", "--until", "2013-11-01", *SAMPLE)
    ran(installed, "uv", "run", "late-flights", "promote", *SAMPLE)
    rehearsal = ("uv", "run", "late-flights", "handover", "--rehearse", *SAMPLE)
    done = installed.run(*rehearsal, PYTEST_ADDOPTS="tests/test_example.py")
    assert done.returncode == 0, done.stderr
    kept = json.loads(installed.text("sample/50000/reports/rehearsal.json"))
    assert re.match(r"\d+ passed", kept["tests"]["said"])
    assert [each["command"] for each in kept["commands"] if each["works"]] == [
        "rollback",
        "retrain",
        "alert",
        "replay",
        "refused",
    ]


@pytest.mark.parametrize("installed", in_groups(WITH_DATA), indirect=True)
def test_first_day_commands(installed):
    """Every command of a new colleague's first day comes to its good end as it is written."""
    commands = commands_of(installed.text("docs/first-day.md"))
    verbs = [command[3] for command in commands if command[:3] == ["uv", "run", "late-flights"]]
    assert verbs[:2] == ["demo", "status"]
    for command in commands:
        done = installed.run(*command)
        good = (0, ALERT) if "monitor" in command else (0,)
        assert done.returncode in good, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("name", ["discovery", "operation"])
def test_starting_over(name, cookies_session):
    """Emptied of its example, a project is whole: status works, and its tests pass."""
    project = bake_new(cookies_session, PROJECTS[name])
    ran(project, "uv", "sync", "--quiet")
    assert "  1-discovery/problem.md\n" in ran(project, "uv", "run", "late-flights", "start-over")
    assert "1-discovery: 0 of 4 done" in ran(project, "uv", "run", "late-flights", "status")
    assert project.run("uv", "run", "late-flights", "status", "--strict").returncode == 1
    assert re.search(r"\d+ passed", ran(project, "uv", "run", "pytest", "-q"))


def test_running_changes_nothing_that_is_committed(installed):
    changed = ran(installed, "git", "status", "--porcelain").splitlines()
    assert set(changed) <= {"?? uv.lock"}


def test_names_of_what_is_installed_are_refused(installed):
    script = Path(installed.path, ".venv", "names.py")
    script.write_text(INSTALLED, encoding="utf-8")
    names = {name.lower().replace("_", "-") for name in json.loads(ran(installed, "uv", "run", str(script)))}
    possible = {name for name in names if well_formed(name)} - {"late-flights"}
    assert sorted(name for name in possible if not list(slug_problems("project_slug", name))) == []
