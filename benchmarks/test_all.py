"""Write test-all.md, what the last run of `make test-all` came to, from the lanes' reports in JUnit's form.

python benchmarks/test_all.py FOLDER
"""

import os
import platform
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

WRITTEN = Path(__file__).with_name("test-all.md")
LANES = ("fast", "slow", "long")
SLOWEST = 20


@dataclass(frozen=True)
class Test:
    """A test of a lane: its name, its seconds, and `passed`, `failed` or `skipped`, with the reason."""

    name: str
    seconds: float
    outcome: str
    reason: str = ""


@dataclass(frozen=True)
class Lane:
    """A lane: the seconds from its first test to its last, and its tests; None if it came to no end."""

    name: str
    seconds: float | None
    tests: tuple[Test, ...] = ()

    def count(self, outcome: str) -> int:
        """Return how many tests had this outcome."""
        return sum(test.outcome == outcome for test in self.tests)


def read_lane(path: Path) -> Lane:
    """Read a lane's report; a file that is not there is a lane that came to no end."""
    if not path.is_file():
        return Lane(path.stem, None)
    (suite,) = ElementTree.parse(path).getroot().iter("testsuite")
    return Lane(path.stem, float(suite.attrib["time"]), tuple(map(read_test, suite.iter("testcase"))))


def read_test(case: ElementTree.Element) -> Test:
    """Read one test, without the group that xdist writes after its name."""
    name = re.sub(r"@[^@\]]*$", "", case.attrib["name"])
    module = case.attrib["classname"].replace(".", "/")
    whole, seconds = f"{module}.py::{name}", float(case.attrib["time"])
    if case.find("failure") is not None or case.find("error") is not None:
        return Test(whole, seconds, "failed")
    skipped = case.find("skipped")
    if skipped is not None:
        return Test(whole, seconds, "skipped", skipped.attrib.get("message", ""))
    return Test(whole, seconds, "passed")


def page(lanes: list[Lane], day: str, commit: str, machine: str) -> str:
    """Return the page: what was run where, each lane's counts and minutes, what failed, the slowest tests."""
    lines = ["# The last run of `make test-all`", ""]
    lines += [f"Written by it on {day}, at commit {commit}, on {machine}.", ""]
    lines += ["| lane | passed | failed | skipped | minutes |", "|---|---|---|---|---|"]
    for lane in lanes:
        counts = [lane.count(outcome) for outcome in ("passed", "failed", "skipped")]
        told = "came to no end" if lane.seconds is None else f"{lane.seconds / 60:.1f}"
        lines += [f"| {lane.name} | {' | '.join(f'{count:,}' for count in counts)} | {told} |"]
    tests = [test for lane in lanes for test in lane.tests]
    failed = [f"- `{test.name}`" for test in tests if test.outcome == "failed"]
    reasons = Counter(test.reason for test in tests if test.outcome == "skipped")
    skipped = [f"- {count:,}: {reason}" for reason, count in sorted(reasons.items())]
    for title, found in (("What failed", failed), ("Why tests were skipped", skipped)):
        lines += ["", f"## {title}", "", *found] if found else []
    lines += ["", "## The slowest", "", "| seconds | test |", "|---|---|"]
    slowest = sorted(tests, key=lambda test: -test.seconds)[:SLOWEST]
    lines += [f"| {test.seconds:.0f} | `{test.name.replace('|', '/')}` |" for test in slowest]
    return "\n".join([*lines, ""])


def main(folder: Path) -> int:
    """Write the page; return 1 where a test failed or a lane came to no end."""
    lanes = [read_lane(folder / f"{name}.xml") for name in LANES]
    text = page(lanes, f"{datetime.now(UTC):%Y-%m-%d}", commit_here(), machine_here())
    WRITTEN.write_text(text, encoding="utf-8", newline="\n")
    return int(any(lane.seconds is None or lane.count("failed") for lane in lanes))


def commit_here() -> str:
    """Return the commit that is checked out, and whether anything was changed since."""
    commit, changed = (
        subprocess.run(["git", *words], cwd=WRITTEN.parent, capture_output=True, text=True, check=True).stdout
        for words in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
    )
    return f"{commit.strip()}{' and changes since' if changed.strip() else ''}"


def machine_here() -> str:
    """Return system, Python, cores and memory of this machine."""
    memory = ""
    if hasattr(os, "sysconf"):
        gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        memory = f" and {gib:.0f} GiB"
    return f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores{memory}"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
