"""The log of predictions that machines share: what each has logged is sent to one place, and read from there.

A prediction is logged on the machine before it is answered, and sent soon after: each file in segments, whole
lines under a name of their own, which nobody writes again. So nothing that was sent is ever changed by a
machine that goes on, is killed, or sends it twice. What services did goes the same way.
"""

import json
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from threading import Event, Thread
from typing import Any

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.files import unfinished_path, write_whole
from handrail.locks import locked
from handrail.registry.shared import fetch_versions, follow
from handrail.serving.activity import activity_folder, shared_activity_folder
from handrail.serving.prediction_log import parts_of, prediction_folder, shared_prediction_folder
from handrail.storage.store import ABSENT, ChangedError, Entry, Store, kept_store

log = logging.getLogger(__name__)
SENT, FETCHED, LOCK = ".sent.json", ".fetched.json", ".sending.lock"
LINES = (".jsonl", ".ndjson")
MOST_BYTES = 32_000_000  # of a segment
LOCKED_SECONDS = 60.0
STOP_SECONDS = 10.0  # for what is under way when a service stops
KINDS: dict[str, tuple[Callable[[Settings], Path], Callable[[Settings], Path]]] = {
    "predictions": (prediction_folder, shared_prediction_folder),
    "service": (activity_folder, shared_activity_folder),
}


def shared_log(settings: Settings) -> Store | None:
    """Return the place of what all machines have predicted, None where each has its own."""
    place = settings.shared.predictions
    return kept_store(place, settings.root, "storage.predictions") if place else None


def send(settings: Settings) -> int:
    """Send what was logged here since the last time, and return how many segments and files that were.

    Raises ProjectError where it can't be sent; it is kept, and sent the next time.
    """
    store = shared_log(settings)
    if store is None:
        return 0
    return sum(_Folder(settings, store, kind, own(settings)).send() for kind, (own, _) in KINDS.items())


def unsent_bytes(settings: Settings) -> int:
    """Return how much of what was logged here is not sent yet."""
    store = shared_log(settings)
    if store is None:
        return 0
    return sum(_Folder(settings, store, kind, own(settings)).unsent() for kind, (own, _) in KINDS.items())


def fetch(settings: Settings, *, dry_run: bool = False) -> None:
    """Bring in what other machines have sent, and the versions by which they have answered.

    What was logged here is sent before; not in a `dry_run`.

    Raises ProjectError where the place can't be reached: half of the predictions would be taken for all.
    """
    store = shared_log(settings)
    if store is None:
        return
    if not dry_run:
        send(settings)
    for kind, (own, others) in KINDS.items():
        found = store.entries(f"{kind}/")
        sent = _Folder(settings, store, kind, own(settings))  # read after the list: a service may be sending
        theirs = {entry.key.removeprefix(f"{kind}/"): entry for entry in found if not sent.is_own(entry.key)}
        _fetch(store, theirs, others(settings))
    if settings.shared.registry:
        follow(settings, 0)
        fetch_versions(settings, _answered(settings))


def _answered(settings: Settings) -> list[str]:
    """Return the versions by which any prediction was made that is here."""
    from handrail.compute.duckdb import connect, row
    from handrail.monitoring.outcomes import all_predictions, prediction_files

    if not prediction_files(settings):
        return []
    with connect(settings) as connection:
        query = f"SELECT list(DISTINCT version) AS names FROM ({all_predictions(settings)})"
        return sorted(filter(None, row(connection, query)["names"] or ()))


class _Folder:
    """A folder of this machine whose files are sent, and what of them was."""

    def __init__(self, settings: Settings, store: Store, kind: str, folder: Path) -> None:
        self._store, self._kind, self._folder = store, kind, folder
        self._place = settings.shared.predictions
        found = _read_json(folder / SENT)
        same = found.get("to") == self._place
        self.machine: str = found.get("machine") or secrets.token_hex(4)
        self.sent: dict[str, Any] = found.get("files", {}) if same else {}

    def send(self) -> int:
        """Send what is new; return how many objects that were."""
        if not self._folder.is_dir():
            return 0
        said = f"{self._folder}: another process has been sending for {LOCKED_SECONDS:.0f} s; try again"
        with locked(self._folder / LOCK, LOCKED_SECONDS, lambda: said):
            found = _read_json(self._folder / SENT)  # another may have sent it meanwhile
            if found.get("to") == self._place:
                self.machine, self.sent = found["machine"], found["files"]
            else:
                self._write()  # by its name, this machine knows its files again, also if it is killed now
            files = self._files()
            count = sum(
                self._send_lines(path) if path.suffix in LINES else self._send_file(name, path)
                for name, path in files.items()
            )
            self._forget_replaced(files)
            return count

    def unsent(self) -> int:
        """Return the bytes of whole lines and files that are not sent yet."""
        found = 0
        for name, path in self._files().items() if self._folder.is_dir() else ():
            if path.suffix in LINES:
                found += path.stat().st_size - int(self.sent.get(name, 0))
            elif self.sent.get(name, {}).get("as") != _identity(path):
                found += path.stat().st_size
        return found

    def is_own(self, key: str) -> bool:
        """Tell whether an object was sent from here."""
        name = key.rpartition("/")[2]
        stem, _, suffix = name.rpartition(".")
        before = stem.rpartition(".")[0]
        if f".{suffix}" in LINES:
            return f"{before}.{suffix}" in self.sent or (self._folder / f"{before}.{suffix}").is_file()
        return before.endswith(f".{self.machine}")

    def _files(self) -> dict[str, Path]:
        """Return what there is to send, by its name: files, and those of a folder that Spark has written."""
        found = [path for path in sorted(self._folder.glob("[!.]*")) if path.suffix in (*LINES, ".parquet")]
        files = [part for path in found for part in (parts_of(path) if path.is_dir() else [path])]
        return {path.relative_to(self._folder).as_posix(): path for path in files}

    def _forget_replaced(self, files: Mapping[str, Path]) -> None:
        """Delete what was sent of a file or folder that another of its name has replaced since."""
        there = {name.partition("/")[0] for name in files}
        for name in [name for name in self.sent if name not in files and name.partition("/")[0] in there]:
            self._store.delete(self.sent[name]["key"])
            del self.sent[name]
            self._write()

    def _send_lines(self, path: Path) -> int:
        """Send the whole lines that were added to a file, in segments that are named by where they begin."""
        count, begin = 0, int(self.sent.get(path.name, 0))
        with path.open("rb") as file:
            while True:
                file.seek(begin)
                content = file.read(MOST_BYTES)
                content = content[: content.rfind(b"\n") + 1]
                if not content:
                    return count
                key = f"{self._kind}/{path.stem}.{begin:012d}{path.suffix}"
                try:
                    self._store.write(key, content, ABSENT)
                    length = len(content)
                except ChangedError:  # sent before, by a process that was killed before it could note that
                    length = next(entry.size for entry in self._store.entries(key) if entry.key == key)
                begin += length
                count += 1
                self._note(path.name, begin)

    def _send_file(self, name: str, path: Path) -> int:
        """Send a file that was written whole, named by its content; what it replaces is deleted then."""
        known, identity = self.sent.get(name, {}), _identity(path)
        if known.get("as") == identity:
            return 0
        digest = _digest(path)
        flat = re.sub(r"[^\w.-]", "-", name.removesuffix(path.suffix).replace(".parquet/", "/"))
        key = f"{self._kind}/{flat}.{self.machine}.{digest}{path.suffix}"
        with suppress(ChangedError):  # the same content is there
            self._store.upload(path, key)
        self._note(name, {"as": identity, "key": key})
        if known.get("key") not in (None, key):
            self._store.delete(known["key"])
        return 1

    def _note(self, name: str, what: object) -> None:
        self.sent[name] = what
        self._write()

    def _write(self) -> None:
        state = {"to": self._place, "machine": self.machine, "files": self.sent}
        write_whole(self._folder / SENT, json.dumps(state, indent=1) + "\n")


def _fetch(store: Store, theirs: dict[str, Entry], folder: Path) -> None:
    """Make a folder the copy of what others have sent; what is gone there goes here, too."""
    index = _read_json(folder / FETCHED)
    known = index.get("tags", {}) if index.get("from") == store.url else {}
    wanted = {name: each for name, each in theirs.items() if "/" not in name and name[:1] not in ("", ".")}
    folder.mkdir(parents=True, exist_ok=True)
    for name, entry in wanted.items():
        path = folder / name
        if known.get(name) != entry.tag or not path.is_file() or path.stat().st_size != entry.size:
            known[name] = _download(store, entry, path)
    for path in [*folder.glob("[!.]*")]:
        if path.name not in wanted:
            path.unlink()
    tags = {name: tag for name, tag in known.items() if name in wanted}
    write_whole(folder / FETCHED, json.dumps({"from": store.url, "tags": tags}, indent=1) + "\n")


def _download(store: Store, entry: Entry, path: Path) -> str:
    """Bring in an object, whole or not at all; one that has changed since it was listed, as it is now."""
    unfinished = unfinished_path(path)
    try:
        for _ in range(3):
            try:
                store.download(entry, unfinished)
            except ChangedError:
                found = [each for each in store.entries(entry.key) if each.key == entry.key]
                if not found:
                    break
                entry = found[0]
                continue
            if unfinished.stat().st_size == entry.size:
                unfinished.replace(path)
                return entry.tag
        raise ProjectError(f"{store.url}/{entry.key}: changes while it is fetched; try again")
    finally:
        unfinished.unlink(missing_ok=True)


def _identity(path: Path) -> str:
    found = path.stat()
    return f"{found.st_mtime_ns}-{found.st_size}"


def _digest(path: Path) -> str:
    """Return eight digits of a checksum of a file's content."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()[:8]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}


class Sharing:
    """What a service does beside its answers: follows what is live, and sends what it has predicted.

    `unsent`: why it could not be sent, or nothing. What can't be sent stays on the disk, and is sent by
    whoever can: this service later, the next one, `score` or `monitor` on this machine.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings, self._stop, self.unsent = settings, Event(), ""
        self._threads: list[Thread] = []

    def begin(self) -> None:
        """Begin, if anything is shared."""
        shared = self._settings.shared
        if shared.registry:
            self._begin("follow", shared.look_seconds, lambda: follow(self._settings, 0))
        if shared.predictions:
            self._begin("send", shared.ship_seconds, self.send)

    def send(self) -> None:
        """Send what is not sent yet; why it can't be is told once, and again when it can."""
        try:
            send(self._settings)
        except (ProjectError, OSError) as error:
            why = "; ".join(error.problems) if isinstance(error, ProjectError) else str(error)
            if not self.unsent:
                log.error("predictions are kept here, and not sent: %s", why)
            self.unsent = why
        else:
            if self.unsent:
                log.warning("predictions are sent again")
            self.unsent = ""

    def end(self) -> None:
        """Stop, and send what is left; what can't be sent is told."""
        self._stop.set()
        for thread in self._threads:
            thread.join(STOP_SECONDS)
        if self._settings.shared.predictions:
            self.send()
            if self.unsent:
                log.error("%s bytes stay here unsent: %s", f"{unsent_bytes(self._settings):,}", self.unsent)

    def _begin(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        def run() -> None:
            while not self._stop.is_set():
                try:
                    work()
                except Exception as error:  # whatever it is, the service goes on answering
                    log.error("%s: %s: %s", name, type(error).__name__, error)
                self._stop.wait(seconds)

        thread = Thread(target=run, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)
