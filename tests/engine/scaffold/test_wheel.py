"""The wheel: the same as `uv build` makes, the same bytes each time, and its content in its version."""

import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from handrail.scaffold import wheel

ROOT = Path(__file__).resolve().parents[3]
TOOLS = Path(sys.executable).parent
STRAY = ("__pycache__/fit.pyc", ".ruff_cache/x", ".pytest_cache/x", ".DS_Store", "fit.py.orig", "old.pyc")


@pytest.fixture
def template(tmp_path) -> Path:
    """A small template: this one's pyproject.toml, README and licence, and a package of three modules."""
    folder = tmp_path / "template"
    package = folder / "src" / "handrail" / "training"
    package.mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for path in (package.parent / "__init__.py", package / "__init__.py", package / "fit.py"):
        path.write_text(f'"""{path.stem} of {path.parent.name}"""\n')
    (package.parent / "py.typed").touch()
    return folder


def built(template: Path, folder: Path) -> Path:
    """Return the wheel that `uv build` makes."""
    line = [str(TOOLS / "uv"), "build", "--quiet", "--wheel", "--out-dir", str(folder), str(template)]
    subprocess.run(line, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def entries(path: Path) -> list[tuple[str, list[str]]]:
    """Return every entry of a wheel: its name and its lines, without what may differ."""
    version = path.name.split("-")[1]
    with zipfile.ZipFile(path) as archive:
        held = [(name, archive.read(name).decode(errors="replace")) for name in archive.namelist()]
    return [(name.replace(version, "V"), comparable(name, text, version)) for name, text in held]


def comparable(name: str, text: str, version: str) -> list[str]:
    """Return the lines of a file of the wheel, without version and generator, and hashes of these."""
    if name.endswith("RECORD"):
        text = re.sub(r"(\.dist-info/(?:WHEEL|METADATA)),.*", r"\1", text)
    if ".dist-info/" in name:
        text = re.sub(r"(?m)^Generator: .*$", "Generator: any", text.replace(version, "V"))
    return text.split("\n")


@pytest.mark.parametrize("own", [True, False], ids=["this repository", "a small one with stray files"])
def test_the_wheel_is_the_one_that_uv_builds(own, template, tmp_path):
    if own:
        shutil.rmtree(template / "src")
        shutil.copytree(ROOT / "src", template / "src")
    for name in STRAY:
        path = template / "src" / "handrail" / "training" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("stray")
    ours = entries(wheel.write_wheel(template, tmp_path / "ours"))
    theirs = entries(built(template, tmp_path / "theirs"))
    assert [name for name, _ in ours] == [name for name, _ in theirs]
    assert ours == theirs


def test_each_time_the_same_bytes_whatever_the_clock_and_the_permissions(template, tmp_path):
    first = wheel.write_wheel(template, tmp_path / "first")
    for path in template.rglob("*.py"):
        path.touch()
        path.chmod(0o600)
    again = wheel.write_wheel(template, tmp_path / "again")
    assert first.name == again.name
    assert first.read_bytes() == again.read_bytes()
    with zipfile.ZipFile(first) as archive:
        infos = archive.infolist()
    assert {info.compress_type for info in infos} == {zipfile.ZIP_STORED}
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {oct(info.external_attr >> 16) for info in infos if not info.is_dir()} == {"0o100644"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("src/handrail/training/fit.py", "of training", "of Training"),
        ("README.md", "# Handrail", "# Our Handrail"),
        ("LICENSE", "2026", "2027"),
        ("pyproject.toml", "pyyaml>=", "pyyaml>"),
        ("pyproject.toml", "cli.outside:main", "cli.outside:run"),
    ],
)
def test_another_content_is_another_version(file, old, new, template):
    before = wheel.engine_version(template)
    path = template / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert wheel.engine_version(template) != before
    assert re.fullmatch(r"\d+\.\d+\.\d+\+h[0-9a-f]{8}", before)
    path.write_text(text, encoding="utf-8")
    assert wheel.engine_version(template) == before


def test_what_the_wheel_leaves_out_is_no_part_of_its_version(template):
    before = wheel.engine_version(template)
    (template / "src" / "handrail" / "__pycache__").mkdir()
    (template / "src" / "handrail" / "__pycache__" / "x.pyc").write_text("x")
    (template / "tests").mkdir()
    (template / "tests" / "test_x.py").write_text("x")
    assert wheel.engine_version(template) == before


def test_the_judges_accept_it(template, tmp_path):
    path = wheel.write_wheel(template, tmp_path / "vendor")
    for judge in (["twine", "check", "--strict"], ["check-wheel-contents"]):
        done = subprocess.run(
            [TOOLS / judge[0], *judge[1:], path], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_a_dependency_with_a_choice_of_markers_keeps_it_together():
    both = wheel.with_marker("tensorflow>=2,<3; sys_platform == 'a' or os_name == 'b'", "extra == 'keras'")
    assert both == "tensorflow>=2,<3 ; (sys_platform == 'a' or os_name == 'b') and extra == 'keras'"
    assert wheel.with_marker("rich>=15,<16", "") == "rich>=15,<16"


def test_it_is_made_in_a_fraction_of_a_second(tmp_path):
    begin = time.process_time()
    wheel.write_wheel(ROOT, tmp_path)
    assert time.process_time() - begin < 0.2


def test_without_the_engine_it_is_said_what_is_missing(template):
    shutil.rmtree(template / "src")
    with pytest.raises(FileNotFoundError, match=r"src.handrail"):
        wheel.engine_version(template)
