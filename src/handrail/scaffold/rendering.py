"""A project rendered once more, from a version of the template: each in a process of its own, without git."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .errors import UpdateError
from .history import Version
from .names import CACHES
from .record import NAME
from .repository import LOCAL

WANTED = "cookiecutter>=2.6,<3"
OLDEST, TOO_NEW = (2, 6), (3,)


def baker() -> list[str]:
    """Return the command line of cookiecutter: the one installed beside us, or else one that uv fetches."""
    try:
        installed = tuple(map(int, version("cookiecutter").split(".")[:2]))
    except (PackageNotFoundError, ValueError):
        installed = ()
    if OLDEST <= installed < TOO_NEW:
        return [sys.executable, "-m", "cookiecutter"]
    uv = os.environ.get("UV") or shutil.which("uv")
    if not uv:
        raise UpdateError(
            f"an update needs uv, or cookiecutter in this environment: python -m pip install '{WANTED}'"
        )
    return [uv, "tool", "run", "--quiet", "--python", sys.executable, "--from", WANTED, "cookiecutter"]


def command_line(parts: list[str]) -> list[str] | list[bytes]:
    """Return a command in UTF-8, whatever the locale; on Windows as it is."""
    return parts if os.name == "nt" else [part.encode(errors="surrogateescape") for part in parts]


def rendered(template: Version, answers: Mapping[str, str], folder: Path) -> Path:
    """Bake a project into a new folder, whatever the user's settings; return its path. Raises UpdateError."""
    (folder / ".git").mkdir(parents=True)  # inside of what looks like a repository, the hooks make none
    settings = {"cookiecutters_dir": str(folder / "cloned"), "replay_dir": str(folder / "replay")}
    (folder / "settings.yaml").write_text(json.dumps(settings), encoding="utf-8")
    options = ("--no-input", "--config-file", "settings.yaml", "--output-dir", "made")
    given = [f"{key}={answer}" for key, answer in answers.items()]
    own = {key: value for key, value in os.environ.items() if key not in (*LOCAL, "COOKIECUTTER_CONFIG")}
    try:
        done = subprocess.run(
            command_line([*baker(), *options, str(template.folder), *given]),
            cwd=folder,
            env=own | {"PYTHONDONTWRITEBYTECODE": "1", "PWD": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise UpdateError(f"cookiecutter could not be started: {error}") from error
    made = list((folder / "made").glob("*")) if done.returncode == 0 else []
    if len(made) != 1:
        said = done.stderr.decode(errors="replace").strip() or done.stdout.decode(errors="replace").strip()
        raise UpdateError(
            f"template {template}: could not be baked: {' '.join(said.split()) or done.returncode}"
        )
    return made[0]


def engine_of(project: Path) -> str:
    """Return the engine's version that a project's record names."""
    return json.loads((project / NAME).read_text(encoding="utf-8"))["engine"]


def align(rendering: Path, project: Path, engine: str) -> list[str]:
    """Make of the old rendering what the team's work is compared with; return the files that pin the engine.

    The record is the project's own. The wheel is too, as it may be another one: the template may have had
    changes that were not committed. And the engine is pinned to the new version already, so that a line that
    a team writes beside a pin is no conflict.
    """
    baked_with, kept, pinned = engine_of(rendering), engine_of(project), []
    shutil.copyfile(project / NAME, rendering / NAME)
    for path in sorted(path for path in rendering.rglob("*") if path.is_file() and path.name != NAME):
        content = path.read_bytes()
        if path.suffix == ".whl" and baked_with in path.name:
            own = path.with_name(path.name.replace(baked_with, kept))
            path.rename(own)
            if (project / own.relative_to(rendering)).is_file():
                shutil.copyfile(project / own.relative_to(rendering), own)
        elif baked_with.encode() in content:
            path.write_bytes(content.replace(baked_with.encode(), engine.encode()))
            pinned.append(path.relative_to(rendering).as_posix())
    return pinned


def leave_out_wheels(*renderings: Path) -> None:
    """Remove the wheels of the engine: the team takes that from elsewhere."""
    for rendering in renderings:
        shutil.rmtree(rendering / "vendor", ignore_errors=True)


def sources(folder: Path) -> list[Path]:
    """Return the Python files below a folder, caches and environments left out."""
    left_out = {*CACHES, ".git", ".venv", "node_modules"}
    return sorted(
        path for path in folder.rglob("*.py") if left_out.isdisjoint(path.relative_to(folder).parts)
    )
