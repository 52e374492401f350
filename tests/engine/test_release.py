"""A release: one version in everything, built only from its own tag, and what is built installs."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.template.histories import changed, copied, git

ROOT = Path(__file__).parents[2]
HEADINGS = re.compile(r"^## (\d+)\.(\d+)\.(\d+)( \(not released yet\))?$", re.MULTILINE)


def version_of(root: Path) -> str:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def test_changelog_and_version_agree():
    """What is not released yet is headed by a later version; below it is the version that is."""
    headings = HEADINGS.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    versions = [tuple(map(int, each[:3])) for each in headings]
    assert versions == sorted(versions, reverse=True)
    assert len(set(versions)) == len(versions)
    open_ones = [bool(each[3]) for each in headings]
    assert open_ones in ([False] * len(headings), [True] + [False] * (len(headings) - 1))
    released = versions[1] if open_ones[0] else versions[0]
    assert version_of(ROOT) == ".".join(map(str, released))


@pytest.fixture
def repository(tmp_path) -> Path:
    """A clone of what is here, as version 9.8.7, tagged."""
    root = copied(tmp_path / "handrail")
    shutil.copytree(ROOT / ".ci", root / ".ci", dirs_exist_ok=True)
    git(tmp_path, "init", "--quiet", "--initial-branch", "main", "handrail")
    changed(root / "pyproject.toml", (f'\nversion = "{version_of(ROOT)}"', '\nversion = "9.8.7"'))
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    begin = HEADINGS.search(text).start()
    (root / "CHANGELOG.md").write_text(f"{text[:begin]}## 9.8.7\n\n- Faster.\n\n{text[begin:]}")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "release")
    git(root, "tag", "v9.8.7")
    return root


def release(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, root / ".ci" / "release.py", *arguments],
        env=os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_tag_is_built_and_what_is_built_installs(repository):
    done = release(repository, "v9.8.7")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["handrail-9.8.7-py3-none-any.whl", "handrail-9.8.7.tar.gz", "notes.md"]
    assert (repository / "dist" / "notes.md").read_text() == "- Faster.\n"
    with tarfile.open(repository / "dist" / "handrail-9.8.7.tar.gz") as archive:
        assert "handrail-9.8.7/src/handrail/scaffold/sizes.json" in archive.getnames()


def move_on(root: Path) -> None:
    git(root, "commit", "--quiet", "--allow-empty", "--message", "later")


def still_open(root: Path) -> None:
    changed(root / "CHANGELOG.md", ("## 9.8.7\n", "## 9.8.7 (not released yet)\n"))
    git(root, "commit", "--quiet", "--all", "--message", "open")
    git(root, "tag", "--force", "v9.8.7")


def newer(root: Path) -> None:
    git(root, "tag", "v9.10.0")


@pytest.mark.parametrize(
    ("tag", "change", "said"),
    [
        ("v9.8.8", None, ["v9.8.8: pyproject.toml has version 9.8.7", "v9.8.8: is not the commit"]),
        ("v9.8.7", still_open, ["CHANGELOG.md: is headed 9.8.7 (not released yet), not 9.8.7"]),
        ("v9.8.7", move_on, ["v9.8.7: is not the commit that is checked out"]),
        ("v9.8.7", newer, ["v9.8.7: a release that is as new has its tag already"]),
        (
            "v9.8.7",
            lambda root: (root / "README.md").write_text("mine\n"),
            ["there are changes that no commit has"],
        ),
    ],
)
def test_what_does_not_agree_is_refused_with_nothing_built(tag, change, said, repository):
    if change:
        change(repository)
    done = release(repository, tag)
    assert done.returncode == 1
    for sentence in said:
        assert sentence in done.stderr
    assert not (repository / "dist").exists()


def workflow(name: str) -> dict:
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))


def test_what_builds_may_write_nothing_and_what_writes_builds_nothing():
    jobs = workflow("release")["jobs"]
    assert jobs["build"]["permissions"] == {"contents": "read"}
    runs = [step.get("run", "") for step in jobs["release"]["steps"]]
    assert [run.split()[:3] for run in runs if run] == [["gh", "release", "create"]]
    (attest,) = [step for step in jobs["release"]["steps"] if "actions/attest@" in step.get("uses", "")]
    assert attest["with"]["subject-path"].split() == ["dist/*.whl", "dist/*.tar.gz"]
    assert jobs["release"]["needs"] == "build"


def test_each_week_everything_runs_on_the_newest_and_beyond_the_ranges(tmp_path):
    jobs = workflow("newest")["jobs"]
    assert "make demo test-all" in [step.get("run") for step in jobs["within-ranges"]["steps"]]
    (drops,) = {
        line for line in jobs["beyond-ranges"]["steps"][-1]["run"].splitlines() if line.startswith("sed ")
    }
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    subprocess.run(["bash", "-c", drops], cwd=tmp_path, check=True)
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    asked = [*project["dependencies"], *(each for extra in extras for each in extra)]
    assert not [each for each in asked if "<" in each.partition(";")[0]]
    assert all(">=" in each for each in asked)


def test_each_library_is_tried_beyond_its_range():
    """Every extra that an answer chooses is in a project of the matrix."""
    rows = " ".join(workflow("newest")["jobs"]["beyond-ranges"]["strategy"]["matrix"]["answers"])
    for answer in ("lightgbm", "xgboost", "keras", "mlflow", "spark", "marimo", "labelling", "aws"):
        assert f"={answer}" in rows
