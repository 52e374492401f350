"""The `@` names: what stays, under which name, with which permissions."""

import os
from pathlib import Path

import pytest

from handrail.scaffold.names import kept_name, leave_out


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("README.md", "README.md"),
        ("api@fastapi.py", "api.py"),
        ("api@keras.py", None),
        ("2-research@research/notes@keras.md", None),
        ("2-research@research/notes.md", "2-research/notes.md"),
        ("metrics@keras+fastapi.py", "metrics.py"),
        ("metrics@keras+sklearn.py", None),
        ("live@no_keras.yml", "live.yml"),
        ("live@no_fastapi.yml", None),
        ("live@research@no_fastapi.yml", None),
        ("live@no_fastapi+research.yml", "live.yml"),
        ("src/__pycache__/api.pyc", None),
    ],
)
def test_kept_name(path, kept):
    assert kept_name(path, {"research", "fastapi"}) == kept


def test_leave_out_removes_renames_and_leaves_no_empty_folder(tmp_path):
    write(
        tmp_path, "README.md", "a@yes/b@yes.txt", "a@yes/c@no.txt", "d@no/e.txt", "f/g@no/h.txt", "f/i@no+yes"
    )
    assert leave_out(tmp_path, {"yes"}) == ["README.md", "a/b.txt", "f/i"]
    assert tree(tmp_path) == ["README.md", "a", "a/b.txt", "f", "f/i"]
    assert (tmp_path / "a" / "b.txt").read_text() == "a@yes/b@yes.txt"


def test_leave_out_does_not_touch_git(tmp_path):
    write(tmp_path, ".git/refs/heads/feature@no", "README.md")
    (tmp_path / ".git" / "empty").mkdir()
    leave_out(tmp_path, set())
    assert tree(tmp_path) == [
        ".git",
        ".git/empty",
        ".git/refs",
        ".git/refs/heads",
        ".git/refs/heads/feature@no",
        "README.md",
    ]


def test_two_parts_that_claim_one_name_are_refused(tmp_path):
    write(tmp_path, "fit@a.py", "fit@b.py")
    with pytest.raises(
        FileExistsError, match=r"two parts of the template claim this, one is fit@a.py.*fit\.py"
    ):
        leave_out(tmp_path, {"a", "b"})


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such permissions")
def test_a_read_only_template_makes_no_read_only_project(tmp_path):
    write(tmp_path, "src/late_flights/fit@yes.py", "src/late_flights/__pycache__/fit.pyc")
    (tmp_path / "src/late_flights/fit@yes.py").chmod(0o555)
    for folder in ("src/late_flights/__pycache__", "src/late_flights", "src"):
        (tmp_path / folder).chmod(0o555)
    before = os.umask(0o027)
    try:
        leave_out(tmp_path, {"yes"})
    finally:
        os.umask(before)
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in tree(tmp_path)}
    assert modes == {"src": 0o750, "src/late_flights": 0o750, "src/late_flights/fit.py": 0o640}
