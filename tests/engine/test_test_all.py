"""What `make test-all` writes of itself, from reports of pytest: here of a few tests, of each outcome."""

import subprocess
import sys

import pytest

from benchmarks import test_all as written

LANE = """
import time
import pytest

@pytest.mark.xdist_group("some group")
@pytest.mark.parametrize("name", ["a|b", "c@d"])
def test_passes(name):
    time.sleep(0.06 if name == "c@d" else 0)

def test_fails():
    assert 1 + 1 == 3

@pytest.fixture
def broken():
    raise RuntimeError("broken")

def test_has_a_broken_fixture(broken):
    pass

@pytest.mark.skip(reason="java is not here")
def test_needs_java():
    pass
"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Return a folder with the report of one lane, run in two processes; the others came to no end."""
    folder = tmp_path_factory.mktemp("lanes")
    (folder / "test_lane.py").write_text(LANE, encoding="utf-8")
    line = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]
    line += ["--rootdir", str(folder), "-c", "/dev/null", "--junitxml", str(folder / "slow.xml")]
    done = subprocess.run([*line, str(folder)], capture_output=True, text=True, check=False)
    assert "1 failed, 2 passed, 1 skipped, 1 error" in done.stdout
    return folder


def test_each_test_has_its_name_and_its_outcome(reports):
    lane = written.read_lane(reports / "slow.xml")
    assert {test.name: (test.outcome, test.reason) for test in lane.tests} == {
        "test_lane.py::test_passes[a|b]": ("passed", ""),
        "test_lane.py::test_passes[c@d]": ("passed", ""),
        "test_lane.py::test_fails": ("failed", ""),
        "test_lane.py::test_has_a_broken_fixture": ("failed", ""),
        "test_lane.py::test_needs_java": ("skipped", "java is not here"),
    }
    assert lane.seconds > 0.06


def test_the_page_has_counts_minutes_what_failed_and_the_slowest(reports):
    lanes = [written.read_lane(reports / f"{name}.xml") for name in written.LANES]
    lines = written.page(lanes, "2026-01-05", "abc1234", "Linux, 2 cores").splitlines()
    assert "Written by it on 2026-01-05, at commit abc1234, on Linux, 2 cores." in lines
    minutes = f"{lanes[1].seconds / 60:.1f}"
    assert lines[6:9] == [
        "| fast | 0 | 0 | 0 | came to no end |",
        f"| slow | 2 | 2 | 1 | {minutes} |",
        "| long | 0 | 0 | 0 | came to no end |",
    ]
    failed = lines[lines.index("## What failed") + 2 :][:2]
    assert sorted(failed) == ["- `test_lane.py::test_fails`", "- `test_lane.py::test_has_a_broken_fixture`"]
    assert "- 1: java is not here" in lines
    slowest = lines[lines.index("| seconds | test |") + 2]
    assert slowest == "| 0 | `test_lane.py::test_passes[c@d]` |"


def test_it_ends_with_1_where_anything_failed_and_with_0_where_all_passed(reports, tmp_path, monkeypatch):
    monkeypatch.setattr(written, "WRITTEN", tmp_path / "test-all.md")
    monkeypatch.setattr(written, "commit_here", lambda: "abc1234")
    case = '<testcase classname="a.b" name="c" time="1"/>'
    whole = f'<testsuites><testsuite time="61.5">{case}</testsuite></testsuites>'
    for name in written.LANES:
        (tmp_path / f"{name}.xml").write_text(whole, encoding="utf-8")
    assert written.main(tmp_path) == 0
    assert "| long | 1 | 0 | 0 | 1.0 |\n" in (tmp_path / "test-all.md").read_text(encoding="utf-8")
    (tmp_path / "slow.xml").write_bytes((reports / "slow.xml").read_bytes())
    assert written.main(tmp_path) == 1
    (tmp_path / "slow.xml").unlink()
    assert written.main(tmp_path) == 1
