"""A discovery project works with what the library itself depends on: no numbers, no tables, no pictures."""

import os
import shutil
import subprocess
import sys

from tests.engine.support.example import example

# click, pydantic, pydantic-settings, pyyaml and rich, and what they need.
BASE = {"annotated_types", "click", "dotenv", "markdown_it", "mdurl", "pydantic", "pydantic_core"}
BASE |= {"pydantic_settings", "pygments", "rich", "typing_extensions", "typing_inspection", "yaml"}
NOT_OURS = {"_distutils_hack", "coverage"}  # what the interpreter of the tests brings by itself
RUN = """
import sys
from {package} import project
from handrail import cli

class Absent:
    def find_spec(self, name, path=None, target=None):
        if path is None and name in {absent}:
            raise ModuleNotFoundError("not installed: " + name, name=name)

sys.meta_path.insert(0, Absent())
for verb in (["ideas"], ["status", "--html"], ["status", "--strict"], ["start-over"], ["status"]):
    print(verb[0], cli.run(project, verb))
files = {{name.partition(".")[0]: getattr(module, "__file__", None) for name, module in sys.modules.items()}}
print("brought", *sorted(name for name, file in files.items() if file and "site-packages" in file))
"""
ABSENT = {"duckdb", "jinja2", "matplotlib", "nltk", "numpy", "onnxruntime", "optuna", "pandas", "pyarrow"}


def test_discovery_needs_no_more_than_the_base_install(tmp_path):
    project = example(stage="discovery")
    shutil.copytree(project.root, tmp_path / "own")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "mine"]):
        someone = [
            "git",
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=a@example.com",
            "-c",
            "commit.gpgSign=false",
        ]
        subprocess.run([*someone, *command], cwd=tmp_path / "own", check=True)
    (tmp_path / "own" / ".git" / "info" / "exclude").write_text("/reports/\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(package=project.package, absent=ABSENT)],
        cwd=tmp_path / "own",
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.stderr == ""
    assert [line for line in lines if line.split(" ")[0] in ("ideas", "status", "start-over")] == [
        "ideas 0",
        "status 0",
        "status 0",
        "start-over 0",
        "status 0",
    ]
    assert "1-discovery: passed" in lines
    assert "1-discovery: 0 of 4 done" in lines
    (brought,) = [set(line.split(" ")[1:]) for line in lines if line.startswith("brought ")]
    assert brought - BASE - NOT_OURS == set()
