"""How a project gets the engine: from its own wheel, an index, a checkout; and never a stranger's."""

import re
import subprocess
import sys
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.template.baking import Project, bake_new, ran

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("supply")]

TEMPLATE = Path(__file__).parents[2]
SAYS = "import handrail, importlib.metadata as m; print(m.version('handrail'), handrail.__file__)"
STRANGER = "raise SystemExit('a stranger')\n"


@pytest.fixture(scope="module")
def research(cookies_session) -> Project:
    """Return a baked project with its lock and environment; small, so that it installs quickly."""
    project = bake_new(cookies_session, {"stage": "discovery"})
    ran(project, "uv", "sync", "--quiet")
    return project


@pytest.fixture
def clone(research, tmp_path) -> Project:
    """Return a clone elsewhere, with the lock committed and no environment yet."""
    lock = research.path / "uv.lock"
    subprocess.run(["git", "clone", "--quiet", research.path, tmp_path / "clone"], check=True)
    (tmp_path / "clone" / "uv.lock").write_bytes(lock.read_bytes())
    return Project(tmp_path / "clone", research.answers)


def engine_of(project: Project) -> str:
    """Return the version of the engine that the project's pyproject.toml asks for."""
    return re.search(r'"handrail(?:\[[\w,]*\])?==([^"]+)"', project.text("pyproject.toml"))[1]


def vendored(project: Project) -> Path:
    """Return the wheel in the project."""
    (wheel,) = (project.path / "vendor").glob("handrail-*.whl")
    return wheel


def stranger(folder: Path, version: str) -> Path:
    """Write a wheel of the same name and of another make."""
    folder.mkdir(parents=True, exist_ok=True)
    path, info = folder / f"handrail-{version}-py3-none-any.whl", f"handrail-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("handrail/__init__.py", STRANGER)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.4\nName: handrail\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing of it."""

    def log_message(self, *_) -> None:
        """Say nothing."""


@pytest.fixture
def index(tmp_path):
    """Serve a folder as a package index on this machine; return its address and the folder of handrail."""
    folder = tmp_path / "index"
    (folder / "handrail").mkdir(parents=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", folder / "handrail"
        server.shutdown()


def without_source(text: str) -> str:
    """Return pyproject.toml without the entry that points to the wheel."""
    kept = re.sub(r"^handrail = \{ path = .*\n", "", text, flags=re.MULTILINE)
    assert kept != text
    return kept


def test_a_clone_elsewhere_installs_what_is_locked(clone):
    ran(clone, "uv", "sync", "--locked", "--quiet")
    version, file = ran(clone, "uv", "run", "--locked", "python", "-c", SAYS).split()
    assert version == engine_of(clone)
    assert Path(file).is_relative_to(clone.path / ".venv")
    assert "1-discovery: " in ran(clone, "uv", "run", "--locked", "late-flights", "status")


def test_pip_installs_the_wheel_and_the_project(clone, tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    quiet = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    ran(clone, str(python), *quiet, f"./vendor/{vendored(clone).name}", "-e", ".")
    version, file = ran(clone, str(python), "-c", SAYS).split()
    assert version == engine_of(clone)
    assert Path(file).is_relative_to(tmp_path / "venv")
    assert "1-discovery: " in ran(clone, str(python), "-m", "late_flights", "status")


def test_the_engine_may_come_from_an_index(clone, index):
    address, folder = index
    wheel = vendored(clone)
    (folder / wheel.name).write_bytes(wheel.read_bytes())
    wheel.unlink()
    text = clone.text("pyproject.toml").replace(
        f'handrail = {{ path = "vendor/{wheel.name}" }}', 'handrail = { index = "own" }'
    )
    (clone.path / "pyproject.toml").write_text(
        f'{text}\n[[tool.uv.index]]\nname = "own"\nurl = "{address}"\nexplicit = true\n', encoding="utf-8"
    )
    ran(clone, "uv", "sync", "--quiet")
    assert ran(clone, "uv", "run", "python", "-c", SAYS).split()[0] == engine_of(clone)


def test_the_engine_can_be_changed_beside_the_project(clone, tmp_path):
    checkout = tmp_path / "engine"
    subprocess.run(["git", "clone", "--quiet", TEMPLATE, checkout], check=True)
    ran(clone, "uv", "sync", "--locked", "--quiet")
    said = ran(
        clone, "uv", "run", "--quiet", "--locked", "--with-editable", str(checkout), "python", "-c", SAYS
    )
    assert Path(said.split()[-1]).is_relative_to(checkout)
    assert ran(clone, "git", "status", "--porcelain").split() in ([], ["??", "uv.lock"])


@pytest.mark.parametrize("version", ["9.9", "0.2.0"])
def test_a_stranger_on_a_reachable_index_is_never_taken(clone, index, version):
    address, folder = index
    stranger(folder, version)
    found = ran(clone, "uv", "run", "--quiet", "--index", address, "python", "-c", SAYS)
    assert found.split()[-2] == engine_of(clone)


@pytest.mark.parametrize("version", ["9.9", "0.2.0"])
def test_without_its_source_nothing_is_installed_instead_of_a_stranger(clone, index, version):
    address, folder = index
    stranger(folder, version)
    text = without_source(clone.text("pyproject.toml"))
    (clone.path / "pyproject.toml").write_text(text, encoding="utf-8")
    (clone.path / "uv.lock").unlink()
    done = clone.run("uv", "sync", "--index", address)
    assert done.returncode != 0
    assert "No solution found" in done.stderr
    assert f"handrail=={engine_of(clone)}" in " ".join(done.stderr.split()).replace("handrail[", "handrail[")


def test_a_wheel_of_the_same_name_with_other_content_is_refused(clone):
    wheel = vendored(clone)
    with zipfile.ZipFile(wheel) as whole:
        files = {name: whole.read(name) for name in whole.namelist()}
    files["handrail/__init__.py"] += STRANGER.encode()
    with zipfile.ZipFile(wheel, "w") as changed:
        for name, content in files.items():
            changed.writestr(name, content)
    done = clone.run("uv", "sync", "--locked")
    assert done.returncode != 0
    assert "hash" in done.stderr.lower()


def test_an_ignore_rule_of_the_user_does_not_lose_the_wheel(cookies_session, tmp_path, monkeypatch):
    ignored = tmp_path / "ignore"
    ignored.write_text("*.whl\nvendor/\n", encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.excludesFile")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(ignored))
    project = bake_new(cookies_session, {"stage": "discovery", "project_slug": "ignored-wheels"})
    tracked = ran(project, "git", "ls-files", "vendor").split()
    assert tracked == [f"vendor/{vendored(project).name}"]
