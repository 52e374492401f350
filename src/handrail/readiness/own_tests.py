"""Runs the project's own tests of the model's specification."""

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext

SPECIFIED = ("tests/test_project.py", "tests/test_example.py")
LONGEST_SECONDS = 600


def unit_tested(context: ReadinessContext) -> str:
    """Run the tests of the contract, the features, the model and the metrics in a process of their own."""
    root = context.settings.root
    absent = [name for name in SPECIFIED if not (root / name).is_file()]
    if absent:
        raise ProjectError(f"{name}: no such file; it tests what the model is to be" for name in absent)
    if find_spec("pytest") is None:
        raise ProjectError("pytest is not installed here; run `uv sync`")
    with tempfile.TemporaryDirectory() as folder:
        cases, status = _run(root, Path(folder) / "tests.xml")
    bad = [
        case.get("name", "")
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    ]
    if bad or status:
        raise ProjectError(f"{len(bad)} of {len(cases)} tests of the model fail: {', '.join(bad[:5])}")
    return f"{len(cases)} tests of contract, features, model and metrics passed"


def _run(root: Path, report: Path) -> tuple[list[ElementTree.Element], int]:
    """Return the cases of pytest's report, and its exit status; all run in one process, slow ones too."""
    alone = ["-o", "addopts=", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", *alone, f"--junitxml={report}", *SPECIFIED]
    done = subprocess.run(  # noqa: S603 (fixed words)
        command, cwd=root, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False
    )
    if not report.is_file():
        raise ProjectError(f"pytest: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return list(ElementTree.parse(report).iter("testcase")), done.returncode  # noqa: S314 (just written)
