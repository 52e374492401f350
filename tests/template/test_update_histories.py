"""`handrail update` over long histories: nothing of the team's is lost, and nothing else is left behind."""

import random
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.template.baking import isolated
from tests.template.histories import (
    HANDRAIL,
    Tools,
    appended,
    baked,
    commit,
    contents,
    copy_of,
    git,
    prepended,
    record,
    snapshot,
    three_versions,
)
from tests.template.test_update import TAKE_BACK, Desk

pytestmark = pytest.mark.slow

OURS = "Ours.\n"
RECORD = ".handrail.json"


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> Path:
    """A template with three versions."""
    return three_versions(tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="module")
def operation(history, tmp_path_factory) -> Path:
    """A project of stage operation, of the first version."""
    return baked(f"git+file://{history}", tmp_path_factory.mktemp("o"), "--checkout", "v0.2.0")


@pytest.fixture
def desk(tmp_path) -> Desk:
    return Desk(tmp_path / "home")


EDITED = """
    1-discovery/README.md 1-discovery/decision.md 2-research/README.md 2-research/data-dictionary.md
    2-research/report.md 2-research/experiments.md 3-production/README.md 3-production/Dockerfile
    4-operation/README.md 4-operation/runbook.md README.md AGENTS.md project.yaml docs/first-day.md
    src/late_flights/contract.py src/late_flights/model/train.py src/late_flights/model/features.py
    src/late_flights/etl/extract.py src/late_flights/etl/transform.sql src/late_flights/serve/api.py
""".split()
ADDED = ["notes.md", "docs/our-way.md", "src/late_flights/model/calibration.py", "tests/test_ours.py"]
DELETED = ["3-production/launch.md", "LICENSE", "tests/test_autumn.py"]
RENAMED = {
    "1-discovery/problem.md": "1-discovery/what-we-solve.md",  # the template goes on to change it
    "1-discovery/data.md": "1-discovery/sources/data.md",
    "src/late_flights/serve/batch.py": "src/late_flights/serve/nightly.py",
}


def worked_in(project: Path) -> Path:
    """Leave thirty traces of work in a project, in three commits; `#` is a comment in most of its files."""
    for name in EDITED:
        comment = {".sql": "-- ", ".md": "", ".py": "# "}.get(Path(name).suffix, "# ")
        appended(project / name, f"\n{comment}{OURS}")
    commit(project, "edit")
    for name in ADDED:
        (project / name).write_text(f"# {OURS}")
    commit(project, "add")
    for name in DELETED:
        (project / name).unlink()
    for before, after in RENAMED.items():
        (project / after).parent.mkdir(exist_ok=True)
        git(project, "mv", before, after)
    commit(project, "delete and rename")
    return project


def test_thirty_local_changes_outlive_three_versions(desk, operation, history, tmp_path):
    assert len([*EDITED, *ADDED, *DELETED, *RENAMED]) == 30
    project = worked_in(copy_of(operation, tmp_path / "work"))
    for version in ("v0.3.0", "v0.4.0"):
        done = desk.update(project, "--to", version)
        assert (done.status, done.err) == (0, ""), done.out
        git(project, "commit", "--quiet", "--message", version)
    fresh = contents(baked(f"git+file://{history}", tmp_path / "fresh", "--checkout", "v0.4.0"))
    now = contents(project)
    edited = {"docs/beginning.md" if name == "docs/first-day.md" else name for name in EDITED}
    for name in edited:
        assert now[name].endswith(OURS.encode()), name
        assert now[name].replace(fresh[name], b"").count(b"\n") == 2, name
    assert all(now[name] == f"# {OURS}".encode() for name in ADDED)
    assert not {*DELETED, *RENAMED} & now.keys()
    assert all(now[after] == fresh[before] for before, after in RENAMED.items())
    assert now["1-discovery/what-we-solve.md"].endswith(b"\nSecond version.\n")
    untouched = fresh.keys() - {*edited, *DELETED, *RENAMED}
    assert [name for name in untouched if now[name] != fresh[name]] == []
    assert now.keys() == untouched | edited | {*ADDED} | {*RENAMED.values()}


def test_grown_step_by_step_with_work_in_between_it_is_what_is_baked_at_once(desk, history, tmp_path):
    address = f"git+file://{history}"
    project = baked(address, tmp_path / "work", "--checkout", "v0.2.0", "stage=discovery", "model=xgboost")
    places = {
        "research": "1-discovery/problem.md",
        "production": "2-research/report.md",
        "operation": "src/late_flights/serve/api.py",
    }
    for stage, edited in places.items():
        appended(project / edited, f"\n# {OURS}")
        (project / f"{stage}.md").write_text(OURS)
        commit(project, f"before {stage}")
        model = ["model=xgboost"] if stage == "research" else []
        desk.updated(project, "--to", "v0.2.0", f"stage={stage}", *model)
    once = contents(baked(address, tmp_path / "once", "--checkout", "v0.2.0", "model=xgboost"))
    now = contents(project)
    for stage, edited in places.items():
        assert now.pop(f"{stage}.md") == OURS.encode()
        assert now[edited] == once[edited] + f"\n# {OURS}".encode()
        now[edited] = once[edited]
    assert now == once


def test_shrunk_it_is_what_is_baked_at_once_and_edited_parts_are_asked_about(
    desk, operation, history, tmp_path
):
    address, first = f"git+file://{history}", ("--checkout", "v0.2.0")
    project = copy_of(operation, tmp_path / "work")
    appended(project / "2-research" / "report.md", f"\n{OURS}")
    commit(project, "ours")
    desk.updated(project, "--to", "v0.2.0", "api=none")
    without = contents(baked(address, tmp_path / "without", *first, "api=none"), "2-research/report.md")
    assert contents(project, "2-research/report.md") == without
    appended(project / "4-operation" / "runbook.md", f"\n{OURS}")
    commit(project, "ours")
    done = desk.update(project, "--to", "v0.2.0", "stage=research")
    assert done.status == 1
    assert "  4-operation/runbook.md: you changed it, the template removed it." in done.out
    git(project, "rm", "--quiet", "4-operation/runbook.md")
    git(project, "commit", "--quiet", "--message", "shrink")
    small = contents(baked(address, tmp_path / "small", *first, "stage=research"), "2-research/report.md")
    assert contents(project, "2-research/report.md") == small
    assert (project / "2-research" / "report.md").read_text(encoding="utf-8").endswith(OURS)


def test_back_to_the_older_version_it_is_what_it_was(desk, operation, tmp_path):
    project = copy_of(operation, tmp_path / "work")
    before = contents(project)
    desk.updated(project)
    assert record(project)["version"] == "0.4.0"
    desk.updated(project, "--to", "v0.2.0")
    assert contents(project) == before


def test_killed_at_any_moment_nothing_is_lost(desk, operation, tmp_path):
    """With a conflict in it, so that every kind of writing is there; at random times of a whole run."""
    project = copy_of(operation, tmp_path / "work")
    prepended(project / ".gitignore", "/ours/\n")
    (project / "src" / "late_flights" / "own.py").write_text('"""Ours."""\n')
    commit(project, "ours")
    (project / "untracked.txt").write_text(OURS)
    before = snapshot(project)
    started = time.monotonic()
    assert desk.update(project).status == 1
    whole = time.monotonic() - started
    git(project, *TAKE_BACK)
    tools, moments = Tools(tmp_path / "tools"), random.Random(1)
    for _ in range(10):
        process = subprocess.Popen(
            [HANDRAIL, "update"],
            cwd=project,
            env=isolated(desk.home, PATH=tools.path),
            stdout=subprocess.DEVNULL,
        )
        with suppress(subprocess.TimeoutExpired):  # else it was quicker this time
            process.wait(moments.uniform(0.5, 0.95) * whole)
        process.kill()
        process.wait()
        tools.wait()
        git(project, *TAKE_BACK)
        assert snapshot(project).files == before.files
        assert git(project, "status", "--porcelain") == "?? untracked.txt"
    assert desk.update(project).status == 1
