"""Training, scoring, the service and the tests look up no name, and leave no number of the machine behind."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import handrail
from handrail.serving import dry_run
from tests.engine.support.lived import promoted, rows_asked
from tests.engine.support.workspaces import copied

SOURCE = Path(__file__).parent / "support" / "look_ups.c"
UNTIL_IT_CALLS = 12  # seconds after which a runtime that calls home has done so: it waits for 9
GIVES_UP = 60
# The runtime is silent in a job of CI, too, which would tell nothing of a user's machine.
SILENCING = ("ORT_DISABLE_TELEMETRY", "CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "JENKINS_URL")
RUN = """
import sys, time
from importlib import import_module
project = import_module(sys.argv[1]).project
from handrail import cli
for line in sys.argv[2:]:
    assert cli.run(project, line.split()) in (0, 3), line
time.sleep({seconds})
"""
RUN_THE_RUNTIME = """
import os, sys, time
import onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
end = time.monotonic() + {seconds}
while time.monotonic() < end and not os.path.exists(os.environ["LOOK_UPS"]):
    time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def watcher(tmp_path_factory):
    """Return the library that writes down what is looked up; it is made here."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or not compiler:
        pytest.skip("needs Linux and a C compiler")
    library = tmp_path_factory.mktemp("watcher") / "look_ups.so"
    command = [compiler, "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"]
    subprocess.run(command, check=True)
    return library


@pytest.fixture
def watched(watcher, tmp_path, monkeypatch):
    """Have all processes that are started watched, as if nobody had told the runtime to be silent."""
    home, names = tmp_path / "home", tmp_path / "look-ups"
    home.mkdir()
    for name in SILENCING:
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "LD_PRELOAD": watcher,
        "LOOK_UPS": names,
        "HOME": home,
        "XDG_CACHE_HOME": home / ".cache",
    }.items():
        monkeypatch.setenv(name, str(value))

    def seen():
        """Return the names that were looked up, and the numbers of this machine that were left behind."""
        looked_up = names.read_text().split() if names.exists() else []
        return sorted({*looked_up}), [path.name for path in home.rglob("*deviceid*")]

    return seen


def python(code, *arguments, seconds=0):
    """Run Python as a process of its own."""
    command = [sys.executable, "-c", code.format(seconds=seconds), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr


def test_importing_the_library_silences_the_runtime_for_whoever_imports_it(watched, trained):
    code = "import handrail, onnxruntime, sys; onnxruntime.InferenceSession(sys.argv[1])"
    (model,) = (trained.workspace / "models").glob("*/model.onnx")
    python(code, model)
    assert watched() == ([], [])
    python(code.replace("handrail, ", ""), model)
    _, numbers = watched()
    assert numbers == ["deviceid"]  # so it would be seen here, and at once


def test_nothing_of_the_engine_imports_the_runtime_before_it_is_silenced():
    root = Path(handrail.__file__).parent
    found = {
        path.name for path in root.rglob("*.py") if "import onnxruntime" in path.read_text(encoding="utf-8")
    }
    assert found == {"predictor.py"}  # behind the package's own __init__.py, which silences it


@pytest.mark.slow
def test_the_watcher_sees_a_runtime_that_calls_home(watched, trained):
    (model,) = (trained.workspace / "models").glob("*/model.onnx")
    python(RUN_THE_RUNTIME, model, seconds=GIVES_UP)
    names, _ = watched()
    assert [name for name in names if name.endswith(".microsoft.com")]


@pytest.mark.slow
def test_training_and_scoring_look_up_nothing(watched, trained, tmp_path, monkeypatch):
    project = trained.project
    said = {"WORKSPACE": tmp_path / "workspace", "DECISION__GO": "go", "ACCURACY__MINIMUM": 0.5}
    for name, value in said.items():
        monkeypatch.setenv(f"{project.env_prefix}{name}", str(value))
    monkeypatch.chdir(project.root)
    verbs = ("etl", "train --no-round", "promote", "score", "monitor", "serve --rehearse")
    lines = [f"{verb} --sample {trained.sample}" for verb in verbs]
    python(RUN, project.package, *lines, seconds=UNTIL_IT_CALLS)
    assert watched() == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["one process", "workers"])
def test_the_service_looks_up_nothing(watched, trained, tmp_path, workers):
    settings = promoted(copied(trained, tmp_path))
    begun = time.monotonic()
    with dry_run.running(settings, *workers) as service:
        service.call("/predict", {"records": rows_asked(settings, 100)})
        while time.monotonic() - begun < UNTIL_IT_CALLS:
            service.call("/ready")
            service.call("/predict", {"records": rows_asked(settings, 1)})
    assert watched() == ([], [])


@pytest.mark.slow
def test_a_project_s_own_tests_look_up_nothing(watched, trained):
    root = trained.project.root
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_project.py"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=600)
    assert " passed" in done.stdout, done.stdout + done.stderr
    assert watched() == ([], [])
