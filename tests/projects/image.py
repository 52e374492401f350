"""An image made by the steps of a Dockerfile, and what runs in it, without Docker: bubblewrap walls them off.

The root of a stage is this machine's, read-only, with folders of its own on top: `/app`, `/workspace`, and
`/python`, an environment in place of the base image's Python; and the base image's users. So a step has the
shell, user, paths and variables that it has with Docker; what else the base image has is this machine's, and
so is what Debian's packages would bring.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from docker.utils.build import exclude_paths

OWN = ("app", "workspace", "python")
NAMES = {
    "passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": "root:x:0:\nnogroup:x:65534:\n",
}  # of the base image: its user 1000 has none
NOT_MOUNTED = {*OWN, "proc", "dev", "tmp"}
# By what a machine reaches its package index; Docker's own build would be told by its arguments.
OF_THE_INDEX = re.compile(r"(PIP|SSL|UV_INDEX|UV_DEFAULT_INDEX|UV_SYSTEM_CERTS|https?_proxy|no_proxy)", re.I)
PATH = f"/python/bin:{sys.base_prefix}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Stage:
    """A stage of a Dockerfile as far as it has come; `folder` holds the folders that are its own."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=lambda: {"PATH": PATH})
    workdir: str = "/"
    user: str = "0:0"
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    health: Sequence[str] = ()

    def at(self, path: str) -> Path:
        """Return where a path of the image is on this machine."""
        return self.folder / os.path.normpath(f"{self.workdir}/{path}" if path[0] != "/" else path)[1:]


def obstacle() -> str | None:
    """Return why no image can be made here, or None."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "an image is made as root, on Linux"
    if not shutil.which("bwrap"):
        return "bwrap is not here (Debian's package bubblewrap)"
    trial = ["bwrap", "--ro-bind", "/", "/", "true"]
    tried = subprocess.run(trial, capture_output=True, text=True, check=False)
    return f"bwrap can't be used here: {tried.stderr.strip()}" if tried.returncode else None


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Return each instruction of a Dockerfile and what stands after it, lines that go on joined."""
    whole = re.sub(r"^#.*\n", "", dockerfile, flags=re.MULTILINE).replace("\\\n", "")
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in whole.splitlines() if line)]


def context_of(project: Path, target: Path) -> None:
    """Copy what a build is given: what .dockerignore leaves, by the rules of Docker's own client."""
    lines = (project / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    for name in sorted(exclude_paths(str(project), patterns)):
        if (project / name).is_dir():
            (target / name).mkdir(parents=True, exist_ok=True)
        else:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(project / name, target / name)


def build(project: Path, dockerfile: str, work: Path) -> dict[str, Stage]:
    """Do every step of a Dockerfile; return its stages by name, the last one as "".

    Raises AssertionError where a step fails.
    """
    context = work / "context"
    context_of(project, context)
    stages: dict[str, Stage] = {}
    stage = Stage(work)
    for number, (name, rest) in enumerate(instructions(dockerfile)):
        match name:
            case "FROM":
                origin, _, own = rest.partition(" AS ")
                stage = _begun(stages.get(origin), work / f"stage-{number}")
                stages[own] = stage
            case "ENV":
                given = dict(pair.split("=", 1) for pair in shlex.split(rest))
                stage = replace(stage, variables={**stage.variables, **given})
            case "WORKDIR":
                stage = replace(stage, workdir=rest)
                stage.at(".").mkdir(exist_ok=True)
            case "USER":
                stage = replace(stage, user=rest)
            case "COPY":
                _copied(stage, rest, context, stages)
            case "RUN" if not rest.startswith("apt-get "):
                do(stage, ["/bin/sh", "-c", rest])
            case "ENTRYPOINT":
                stage = replace(stage, entrypoint=json.loads(rest))
            case "CMD":
                stage = replace(stage, command=json.loads(rest))
            case "HEALTHCHECK":
                stage = replace(stage, health=json.loads(rest[rest.index("[") :]))
            case "RUN" | "EXPOSE":
                pass  # no step can change this machine's root
            case _:
                raise AssertionError(f"{name}: this is not known here")
        stages[own] = stage
    return stages


def _begun(origin: Stage | None, folder: Path) -> Stage:
    """Return a new stage, on another or on a Python of its own."""
    if origin:
        shutil.copytree(origin.folder, folder, symlinks=True)
        return replace(origin, folder=folder)
    for name in OWN:
        (folder / name).mkdir(parents=True)
    (folder / "etc").mkdir()
    for name, text in NAMES.items():
        (folder / "etc" / name).write_text(text)
    stage = Stage(folder)
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    do(stage, [str(python), "-m", "venv", "/python"])
    return stage


def _copied(stage: Stage, rest: str, context: Path, stages: Mapping[str, Stage]) -> None:
    """Do a COPY, from the context or from another stage."""
    *sources, target = shlex.split(rest)
    origin = context
    if sources[0].startswith("--from="):
        origin = stages[sources.pop(0).removeprefix("--from=")].folder
    for source in sources:
        found = sorted(origin.glob(source.lstrip("/")))
        assert found or "*" in source, f"COPY {source}: not there"
        for path in found:
            place = stage.at(target) / path.name if target.endswith("/") else stage.at(target)
            if path.is_dir():
                how = shutil.copy2 if origin is context else os.link  # large, and no step changes a file
                shutil.copytree(path, place, symlinks=True, dirs_exist_ok=True, copy_function=how)
            else:
                shutil.copy2(path, place)


def do(stage: Stage, command: Sequence[str]) -> None:
    """Run a step as root, on the stage's own folders. Raises AssertionError with what it said if it fails."""
    mounts = _own(stage, "--bind")
    variables = {key: value for key, value in os.environ.items() if OF_THE_INDEX.match(key)}
    settings = str(Path.home() / ".config")
    mounts += ["--ro-bind-try", settings, "/root/.config", "--bind", str(_cache()), "/cache"]
    variables |= {"HOME": "/root", **stage.variables, "UV_NO_CACHE": "0", "UV_CACHE_DIR": "/cache"}
    line = _sandbox(stage, mounts, variables)
    done = subprocess.run([*line, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"


@cache
def _cache() -> Path:
    """Return the folder of what uv has downloaded on this machine; a build by Docker begins without."""
    told = subprocess.run(
        [Path(sys.executable).parent / "uv", "cache", "dir"], capture_output=True, text=True, check=True
    ).stdout
    Path(told.strip()).mkdir(parents=True, exist_ok=True)
    return Path(told.strip())


def _own(stage: Stage, how: str) -> list[str]:
    """Return the words that mount what is the stage's own."""
    places = [*OWN, *(f"etc/{name}" for name in NAMES)]
    return [word for place in places for word in (how, str(stage.folder / place), f"/{place}")]


def _sandbox(stage: Stage, mounts: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """Return the beginning of a command that runs in a root of its own."""
    line = ["bwrap", "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--tmpfs", "/"]
    for entry in sorted(Path("/").iterdir()):
        if entry.is_symlink():
            line += ["--symlink", str(entry.readlink()), str(entry)]
        elif entry.is_dir() and entry.name not in NOT_MOUNTED:
            line += ["--ro-bind", str(entry), str(entry)] if entry.stat().st_mode & 0o1 else []
    # It may be in a home that is closed to others.
    for folder in reversed(Path(sys.base_prefix).parents[:-1]):
        line += ["--perms", "0755", "--dir", str(folder)]
    line += ["--ro-bind", sys.base_prefix, sys.base_prefix]
    line += [
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--perms",
        "1777",
        "--tmpfs",
        "/tmp",
        *mounts,
        "--remount-ro",
        "/",
    ]
    line += ["--chdir", stage.workdir, "--clearenv"]
    return [*line, *(word for pair in variables.items() for word in ("--setenv", *pair))]


@dataclass(frozen=True)
class Container:
    """What runs in an image: its process here, and the process that is number 1 in there."""

    stage: Stage
    process: subprocess.Popen
    first: int

    def run(self, *command: str) -> subprocess.CompletedProcess:
        """Run a command beside it, as the same user, as `docker exec` does."""
        whole = [*_entered(self.first), *_as(self.stage.user), *command]
        variables = {**self.stage.variables}
        return subprocess.run(whole, env=variables, capture_output=True, text=True, check=False, timeout=60)

    def outside(self, *command: str) -> list[str]:
        """Return a command that runs on this machine, and sees the container's network."""
        return ["nsenter", "--target", str(self.first), "--net", *command]

    def stop(self) -> int:
        """Send SIGTERM to its first process; return the status that it ends with."""
        os.kill(self.first, signal.SIGTERM)
        return self.process.wait(40)


@contextmanager
def container(
    stage: Stage,
    models: Path,
    data: Path,
    *command: str,
    writable: bool = True,
    network: bool = False,
    **variables: str,
) -> Generator[Container]:
    """Run the image with a read-only root, no capability and a network of its own, as its user.

    `models` is mounted to be read, `data` to be written if `writable`; with `network`, it has the machine's.
    Yields it at once; ends it at last.
    """
    mounts = [*_own(stage, "--ro-bind"), "--ro-bind", str(models), "/workspace/models"]
    mounts += ["--bind" if writable else "--ro-bind", str(data), "/workspace/data"]
    line = _sandbox(stage, mounts, {**stage.variables, **variables})
    told, tell = os.pipe()
    asked = [*line, *([] if network else ["--unshare-net"]), "--as-pid-1", "--info-fd", str(tell)]
    process = subprocess.Popen(
        [*asked, *_as(stage.user), *stage.entrypoint, *(command or stage.command)],
        pass_fds=[tell],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    os.close(tell)
    first = _number_of_first(told)
    try:
        yield Container(stage, process, first)
    finally:
        if process.poll() is None:
            os.kill(first, signal.SIGKILL)  # bubblewrap ends with it, and not the other way round
        process.communicate()


def _number_of_first(told: int) -> int:
    """Return the process that bubblewrap names; it doesn't close where it says so."""
    said = b""
    while not said.endswith(b"}\n"):
        part = os.read(told, 1000)
        assert part, said
        said += part
    os.close(told)
    return json.loads(said)["child-pid"]


def _entered(first: int) -> list[str]:
    return ["nsenter", "--target", str(first), "--mount", "--pid", "--net", "--ipc", "--wdns=/app"]


def _as(user: str) -> list[str]:
    """Return the beginning of a command that runs as a user by number, who can't become another."""
    number, group = user.split(":")
    line = ["setpriv", f"--reuid={number}", f"--regid={group}", "--clear-groups", "--no-new-privs"]
    return [*line, "--bounding-set=-all", "--inh-caps=-all"]
