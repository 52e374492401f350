"""Keeps the versions of the model: one folder each, checked by checksum, never changed.

`trained.jsonl` beside them says which was trained when. It is no part of them: the same content has the same
name, whenever it was made.
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from handrail.config.settings import Settings
from handrail.contract.schema import columns
from handrail.errors import ProjectError
from handrail.files import OPEN, READABLE, json_lines, settle, unfinished_path
from handrail.project import Project
from handrail.registry.drift_reference import PREDICTION, Bins
from handrail.tasks.metric import Decision, of_baseline
from handrail.training.baseline import Baseline
from handrail.training.encoding import Encoding, encoding_of

SUMS = "SHA256SUMS"
TRAINED = "trained.jsonl"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Version:
    """A version whose files are what they were when it was trained."""

    name: str
    path: Path
    info: Mapping[str, Any]
    project: Project

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.path / "model.onnx"

    @property
    def decision(self) -> Decision:
        """What was decided on the validation rows: how predictions are acted on."""
        return self.info["evaluation"]["decision"]

    def decision_of(self, source: Literal["model", "fallback"]) -> Decision:
        """Return the same for whoever answers: the baseline's are acted on by a threshold of its own."""
        return self.decision if source == "model" else of_baseline(self.decision)

    @property
    def note(self) -> str:
        """What has to be said of its answers; empty where there is nothing."""
        if "low" in self.project.task.told and "range" not in self.decision:
            return f"{self.name} answers without low and high: no range was learnt with it; train again"
        return ""

    @cached_property
    def encoding(self) -> Encoding:
        """How columns become the model's input."""
        return encoding_of(self.info["encoding"])

    @cached_property
    def baseline(self) -> Baseline:
        """The simple technique, learnt from the same rows."""
        return self.project.baseline.Baseline(**self.info["baseline"])

    @cached_property
    def bins(self) -> list[Bins]:
        """The bins in which drift is counted."""
        return [
            Bins(name, edges=tuple(item["edges"]), names=tuple(item["names"]))
            for name, item in self.info["reference"].items()
        ]

    @property
    def watched(self) -> list[Bins]:
        """The bins of the prediction and of each feature that the contract lets be watched for drift.

        Where it leaves the target alone, as one that follows the season, so is the prediction.
        """
        moving = {column.name for column in columns(self.project.contract) if not column.drift}
        moving |= {PREDICTION} if self.project.target in moving else set()
        return [item for item in self.bins if item.column not in moving]

    @property
    def watched_features(self) -> list[Bins]:
        """The same without the prediction."""
        return [item for item in self.watched if item.column != PREDICTION]


def kept_infos(settings: Settings) -> Iterator[tuple[str, Any]]:
    """Yield the name of each version that is kept, with its record; one that can't be read is left out.

    It is not checked whether they are whole: that `load_version` does.
    """
    for path in sorted(model_folder(settings).glob("[!.]*/model.json")):
        try:
            info = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        yield path.parent.name, info


def save_version(settings: Settings, files: Mapping[str, bytes], prefix: str) -> str:
    """Write a version, whole or not at all, and return its name: `prefix` and a hash of its content.

    The same content has the same name, so training again on the same data changes nothing, but for the line
    that says when.
    """
    sums = "".join(f"{sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    name = f"{prefix}-{_content_hash(sums.encode())}"
    target = version_folder(settings, name)
    if target.is_dir():
        shutil.rmtree(target) if broken_files(target) else None
    if not target.is_dir():
        unfinished = unfinished_path(target)
        try:
            unfinished.mkdir(parents=True)
            for file, content in {**files, SUMS: sums.encode()}.items():
                (unfinished / file).write_bytes(content)
                settle(unfinished / file)
                (unfinished / file).chmod(READABLE)  # the service may run as another user
            unfinished.chmod(OPEN)
            unfinished.rename(target)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), "version": name})
    with (model_folder(settings) / TRAINED).open("ab", buffering=0) as log:
        log.write(f"{line}\n".encode())
    return name


def load_version(settings: Settings, name: str, checksum: str | None = None) -> Version:
    """Return version `name`; raises ProjectError where it is absent or any of its files was changed.

    `checksum`, if given, is that of the version's list of checksums, as it was when it was promoted.
    """
    path = version_folder(settings, name)
    if not path.is_dir() and not _fetched(settings, name):
        raise ProjectError(f"{path}: no such model version; `train` makes one")
    broken = broken_files(path, checksum)
    if broken:
        raise ProjectError(f"{path}: {broken}; the version is refused; train it again or roll back")
    info, task = json.loads((path / "model.json").read_text(encoding="utf-8")), settings.project.task.kind
    if info.get("task", task) != task:
        raise ProjectError(f"{path}: learnt for {info['task']}, contract.py says {task}; train again")
    return Version(name, path, info, settings.project)


def newest_version(settings: Settings) -> str:
    """Return the version trained last; raises ProjectError where there is none.

    It is the last in `trained.jsonl` that is still kept. Versions that it does not name are older than it:
    of them, the one whose folder was written last.
    """
    kept = [path for path in model_folder(settings).glob("[!.]*") if (path / SUMS).is_file()]
    if not kept:
        raise ProjectError(f"{model_folder(settings)}: no model version yet; run `train` first")
    names = {path.name for path in kept}
    known = [name for name, _ in _trained(settings) if name in names]
    return known[-1] if known else max(kept, key=lambda path: path.stat().st_mtime_ns).name


def learnt_before(settings: Settings, version: Version) -> date:
    """Return the day before which lies all that a version has learnt from.

    It is that of its split; where chance has parted the rows, the day after its training, or else tomorrow.
    """
    split = version.info["split"]
    if "live_from" in split:
        return date.fromisoformat(split["live_from"])
    found = [at for name, at in _trained(settings) if name == version.name]
    trained = datetime.fromisoformat(found[-1]) if found else datetime.now(UTC)
    return trained.date() + timedelta(days=1)


def version_folder(settings: Settings, name: str) -> Path:
    """Return the folder of version `name`, there or not; raises ProjectError where a name can't be one."""
    if not NAME.fullmatch(name):
        raise ProjectError(
            f"{name!r:.80}: no name of a version; give one as it stands in models/, without a path"
        )
    return model_folder(settings) / name


def _trained(settings: Settings) -> list[tuple[str, str]]:
    """Return version and moment of each training, in order; a line that a kill has cut off says nothing."""
    found: list[tuple[str, str]] = []
    for said in json_lines(model_folder(settings) / TRAINED):
        with suppress(KeyError, TypeError):
            found.append((said["version"], said["at"]))
    return found


def model_folder(settings: Settings) -> Path:
    """Return the folder of all versions."""
    return settings.workspace / "models"


def _fetched(settings: Settings, name: str) -> bool:
    """Bring a version in from the registry that machines share, if there is one that has it."""
    if settings.shared.registry is None:
        return False
    from handrail.registry.shared import fetch_version  # it builds on this module

    return fetch_version(settings, name)


def broken_files(path: Path, checksum: str | None = None, name: str = "") -> str:
    """Return what is wrong with a version's files, or nothing; `name`: where the folder has another one."""
    try:
        sums = (path / SUMS).read_bytes()
    except OSError:
        return f"{SUMS} is missing"
    if checksum and sha256(sums).hexdigest() != checksum:
        return f"{SUMS} is not the one that was promoted"
    expected = {line[66:]: line[:64] for line in sums.decode(errors="replace").splitlines()}
    present = {file.name for file in path.iterdir()} - {SUMS}
    if present != set(expected):
        return f"files are missing or strange: {', '.join(sorted(present ^ set(expected)))}"
    changed = [
        name for name, value in expected.items() if sha256((path / name).read_bytes()).hexdigest() != value
    ]
    if changed:
        return f"the checksum of {', '.join(changed)} is wrong"
    if (name or path.name).rpartition("-")[2] != _content_hash(sums):
        return f"its content is that of a version whose name ends in {_content_hash(sums)}"
    return ""


def stamps(settings: Settings, name: str) -> dict[str, tuple[int, ...]]:
    """Return size, times and number of each file of a version: as long as they are the same, so is the file.

    Nothing is read, and a folder that is not there has none. Raises OSError where it can't be looked into.
    """
    try:
        found = {path.name: path.stat() for path in version_folder(settings, name).iterdir()}
    except FileNotFoundError:
        return {}
    return {
        file: (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino) for file, stat in found.items()
    }


def _content_hash(sums: bytes) -> str:
    """Return the part of a version's name that its content gives: of the text of its list of checksums."""
    return sha256(sums).hexdigest()[:8]
