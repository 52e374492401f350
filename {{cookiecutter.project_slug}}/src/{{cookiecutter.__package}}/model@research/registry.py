"""Keeps the versions of the model: one folder each, checked by checksum, never changed.

`models/live.json` names the version that is live; the ones that were live before lie under it.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from ..errors import ProjectError
from ..settings import Settings
from .baseline import Baseline
from .features import Encoding
from .reference import Bins

SUMS = "SHA256SUMS"
Mode = Literal["model", "fallback"]


@dataclass(frozen=True)
class Version:
    """A version whose files are what they were when it was trained."""

    name: str
    path: Path
    info: Mapping[str, Any]

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.path / "model.onnx"

    @property
    def threshold(self) -> float:
        """The value of a prediction from which it is acted on."""
        return self.info["evaluation"]["threshold"]

    @cached_property
    def encoding(self) -> Encoding:
        """How columns become the model's input."""
        found = self.info["encoding"]
        return Encoding(tuple(found["features"]), {k: tuple(v) for k, v in found["categories"].items()})

    @cached_property
    def baseline(self) -> Baseline:
        """The simple technique, learnt from the same rows."""
        return Baseline(**self.info["baseline"])

    @cached_property
    def bins(self) -> list[Bins]:
        """The bins in which drift is counted."""
        return [
            Bins(name, edges=tuple(item["edges"]), names=tuple(item["names"]))
            for name, item in self.info["reference"].items()
        ]


@dataclass(frozen=True)
class Live:
    """The versions promoted so far (the last is live), and whether the model or the fallback answers."""

    versions: tuple[str, ...]
    checksums: tuple[str, ...]
    mode: Mode
    reason: str


def save_version(settings: Settings, files: Mapping[str, bytes], prefix: str) -> str:
    """Write a version, whole or not at all, and return its name: `prefix` and a hash of its content.

    The same content has the same name, so training again on the same data changes nothing.
    """
    sums = "".join(f"{sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    name = f"{prefix}-{sha256(sums.encode()).hexdigest()[:8]}"
    target = _folder(settings) / name
    if target.is_dir():
        shutil.rmtree(target) if _broken(target) else None
    if not target.is_dir():
        unfinished = target.with_name(f".{name}.{os.getpid()}")
        try:
            unfinished.mkdir(parents=True)
            for file, content in {**files, SUMS: sums.encode()}.items():
                (unfinished / file).write_bytes(content)
            unfinished.rename(target)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return name


def load_version(settings: Settings, name: str, checksum: str | None = None) -> Version:
    """Return version `name`; raises ProjectError where it is absent or any of its files was changed.

    `checksum`, if given, is that of the version's list of checksums, as it was when it was promoted.
    """
    path = _folder(settings) / name
    if not path.is_dir():
        raise ProjectError(f"{path}: no such model version; `train` makes one")
    broken = _broken(path, checksum)
    if broken:
        raise ProjectError(f"{path}: {broken}; the version is refused; train it again or roll back")
    return Version(name, path, json.loads((path / "model.json").read_text(encoding="utf-8")))


def newest_version(settings: Settings) -> str:
    """Return the version trained last; raises ProjectError where there is none."""
    found = [path for path in _folder(settings).glob("[!.]*") if (path / SUMS).is_file()]
    if not found:
        raise ProjectError(f"{_folder(settings)}: no model version yet; run `train` first")
    return max(found, key=lambda path: path.stat().st_mtime_ns).name


def live_path(settings: Settings) -> Path:
    """Return the file that names the live version."""
    return _folder(settings) / "live.json"


def read_live(settings: Settings) -> Live | None:
    """Return what is live, or None where nothing was promoted yet."""
    path = live_path(settings)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Live(tuple(found["versions"]), tuple(found["checksums"]), found["mode"], found["reason"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ProjectError(f"{path}: not readable ({error}); promote a version again") from None


def load_live(settings: Settings) -> tuple[Version, Live]:
    """Return the live version, checked; raises ProjectError where nothing was promoted."""
    live = read_live(settings)
    if live is None:
        raise ProjectError(f"{live_path(settings)}: no model is live yet; run `train`, then `promote`")
    return load_version(settings, live.versions[-1], live.checksums[-1]), live


def make_live(settings: Settings, name: str) -> None:
    """Put version `name` on top of what was live before; the model answers again."""
    load_version(settings, name)
    live = read_live(settings) or Live((), (), "model", "")
    if live.versions[-1:] == (name,):
        live = Live(live.versions[:-1], live.checksums[:-1], "model", "promoted again")
    checksum = sha256((_folder(settings) / name / SUMS).read_bytes()).hexdigest()
    _write_live(settings, Live((*live.versions, name), (*live.checksums, checksum), "model", "promoted"))


def roll_back(settings: Settings) -> str:
    """Make the version live that was live before, and return its name; raises ProjectError without one."""
    live = read_live(settings)
    if live is None or len(live.versions) < 2:
        raise ProjectError(f"{live_path(settings)}: no earlier version to go back to")
    load_version(settings, live.versions[-2], live.checksums[-2])
    _write_live(settings, Live(live.versions[:-1], live.checksums[:-1], "model", "rolled back"))
    return live.versions[-2]


def use_fallback(settings: Settings, reason: str) -> None:
    """Let the baseline answer in place of the live model, until the next promotion or rollback."""
    live = read_live(settings)
    if live:
        _write_live(settings, Live(live.versions, live.checksums, "fallback", reason))


def write_whole(path: Path, content: str) -> None:
    """Write a text file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(content, encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _folder(settings: Settings) -> Path:
    return settings.workspace / "models"


def _write_live(settings: Settings, live: Live) -> None:
    content = {
        "versions": live.versions,
        "checksums": live.checksums,
        "mode": live.mode,
        "reason": live.reason,
    }
    event = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "live": live.versions[-1]}
    with (_folder(settings) / "history.jsonl").open("a", encoding="utf-8") as history:
        history.write(json.dumps(event | {"mode": live.mode, "reason": live.reason}) + "\n")
    write_whole(live_path(settings), json.dumps(content, indent=2) + "\n")


def _broken(path: Path, checksum: str | None = None) -> str:
    """Return what is wrong with a version's files, or nothing."""
    try:
        sums = (path / SUMS).read_bytes()
    except OSError:
        return f"{SUMS} is missing"
    if checksum and sha256(sums).hexdigest() != checksum:
        return f"{SUMS} is not the one that was promoted"
    expected = {line[66:]: line[:64] for line in sums.decode().splitlines()}
    present = {file.name for file in path.iterdir()} - {SUMS}
    if present != set(expected):
        return f"files are missing or strange: {', '.join(sorted(present ^ set(expected)))}"
    changed = [
        name for name, value in expected.items() if sha256((path / name).read_bytes()).hexdigest() != value
    ]
    return f"the checksum of {', '.join(changed)} is wrong" if changed else ""
