"""The registry that machines share: versions, and what is live, in the place of `storage.registry`.

A version is there when its list of checksums is, which is written last. What is live is one object that is
replaced only by somebody who has seen it as it is: of two machines that change it at once, one follows the
other. Each machine has copies in its workspace, by which it goes on where the place can't be reached.
"""

import json
import logging
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.files import OPEN, READABLE, json_lines, settle, unfinished_path, write_whole
from handrail.registry.history import history_path
from handrail.registry.versions import NAME, SUMS, broken_files, model_folder, version_folder
from handrail.storage.store import ABSENT, ChangedError, Store, kept_store

log = logging.getLogger(__name__)
LIVE, VERSIONS, SEEN = "live.json", "versions", ".shared.json"
MOST_EVENTS = 1000  # of the history that is kept with what is live
_looked: dict[tuple[Path, str], float] = {}  # when each process has last looked, by workspace and place
_told: dict[tuple[Path, str], str] = {}  # what was wrong with a place when that was told last


def shared_registry(settings: Settings) -> Store | None:
    """Return the place of versions and of what is live, None where each machine has its own."""
    place = settings.shared.registry
    return kept_store(place, settings.root, "storage.registry") if place else None


def publish_version(store: Store, settings: Settings, name: str) -> None:
    """Write a version to the shared registry, its list of checksums last; one that is there stays."""
    folder = version_folder(settings, name)
    there = {entry.key: entry.size for entry in store.entries(f"{VERSIONS}/{name}/")}
    if f"{VERSIONS}/{name}/{SUMS}" in there or not (folder / SUMS).is_file():
        return
    for path in [*sorted(each for each in folder.iterdir() if each.name != SUMS), folder / SUMS]:
        key = f"{VERSIONS}/{name}/{path.name}"
        if key in there and there[key] == path.stat().st_size:  # of one that was killed
            continue
        store.write(key, path.read_bytes())


def fetch_version(settings: Settings, name: str) -> bool:
    """Bring a version of the shared registry into the workspace, checked; tell whether it is there.

    Raises ProjectError where a file is not what the list of checksums says, or the registry can't be asked.
    """
    store = shared_registry(settings)
    listed = store.read(f"{VERSIONS}/{name}/{SUMS}") if store else None
    if store is None or listed is None:
        return False
    target = version_folder(settings, name)
    unfinished = unfinished_path(target)
    shutil.rmtree(unfinished, ignore_errors=True)
    entries = {entry.key.rpartition("/")[2]: entry for entry in store.entries(f"{VERSIONS}/{name}/")}
    try:
        unfinished.mkdir(parents=True)
        for file, entry in entries.items():
            if not NAME.fullmatch(file):
                raise ProjectError(
                    f"{store.url}/{entry.key}: no name of a file of a version; delete it there"
                )
            try:
                store.download(entry, unfinished / file)
            except ChangedError:
                raise ProjectError(
                    f"{store.url}/{entry.key}: has changed while it was fetched; try again"
                ) from None
            settle(unfinished / file)
            (unfinished / file).chmod(READABLE)
        wrong = broken_files(unfinished, name=name)
        if wrong:
            raise ProjectError(f"{store.url}/{VERSIONS}/{name}: {wrong}; nothing of it is used")
        unfinished.chmod(OPEN)
        if not target.is_dir():
            unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return True


def fetch_versions(settings: Settings, names: Iterable[str]) -> None:
    """Bring in those of the versions that are not here, and are there; what is absent in both is left out."""
    for name in names:
        if NAME.fullmatch(name) and not version_folder(settings, name).is_dir():
            fetch_version(settings, name)


def follow(settings: Settings, seconds: float | None = None) -> None:
    """Take over what is live in the shared registry, and the versions that answer, now and then.

    `seconds`: how lately; by default storage.look_seconds. Where it can't be reached or is not whole, what
    was taken over last stays, which is told once; raises ProjectError where there is nothing that could stay.
    """
    store = shared_registry(settings)
    if store is None:
        return
    key, now, here = (settings.workspace, store.url), time.monotonic(), model_folder(settings) / LIVE
    patience = settings.shared.look_seconds if seconds is None else seconds
    if now - _looked.get(key, -patience) < patience:
        return
    from handrail.registry.live import changing_live

    try:
        with changing_live(settings):
            found = store.read(LIVE)
            take_over(settings, found)
    except ProjectError as error:
        if not here.is_file():
            raise
        _tell_once(key, "unreached", f"{'; '.join(error.problems)}; what was live when last seen stays")
    else:
        if found is None and here.is_file():
            stays = "what is live here stays, and its next promotion takes it along"
            _tell_once(key, "empty", f"{store.url}: nothing is live in this registry; {stays}")
        else:
            _told.pop(key, None)
    _looked[key] = time.monotonic()


def _tell_once(key: tuple[Path, str], what: str, said: str) -> None:
    """Log what is wrong with a place, if that was not told last."""
    if _told.get(key) != what:
        log.warning("%s", said)
    _told[key] = what


def take_over(settings: Settings, found: tuple[bytes, str] | None) -> None:
    """Make the workspace's live.json and history those of the shared registry; who calls holds the lock.

    The versions that answer are brought in before: a service that follows the file can load them.
    """
    if found is None or found[1] == _seen(settings):
        return
    content, tag = found
    document = parsed(settings, content)
    _refuse_another(settings, document)
    names = [document["versions"][-1], *filter(None, [(document.get("canary") or {}).get("name")])]
    for name in names:
        if not version_folder(settings, name).is_dir() and not fetch_version(settings, name):
            raise ProjectError(
                f"{settings.shared.registry}: {name} is live and not there; promote another version"
            )
    keep(settings, document, tag)


def _refuse_another(settings: Settings, document: Mapping[str, Any]) -> None:
    """Refuse what was never live here where something is that the registry has never known.

    Two machines with models of their own were given the same address, or one made live what it had before the
    other brought its own along: which counts is for a person to say.
    """
    path = model_folder(settings) / LIVE
    try:
        here = json.loads(path.read_text(encoding="utf-8"))["versions"][-1]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return
    known = {*document["versions"], *(event.get("live") for event in document.get("history", ()))}
    if here not in known:
        raise ProjectError(
            f"{settings.shared.registry}: {document['versions'][-1]} is live there, and {here}, which is "
            f"live here, was never in it; to go by it, move {settings.shown(path)} away; else set "
            "storage.registry to a place of its own"
        )


def keep(settings: Settings, document: Mapping[str, Any], tag: str) -> None:
    """Write the workspace's copy of what is live, and of what is known of its history."""
    folder = model_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    known = json_lines(history_path(settings))
    new = [event for event in document.get("history", ()) if event not in known]
    if new:
        lines = "".join(json.dumps(event) + "\n" for event in [*known, *new])
        write_whole(history_path(settings), lines)
    live = {name: value for name, value in document.items() if name != "history"}
    write_whole(folder / LIVE, json.dumps(live, indent=2) + "\n", READABLE)
    write_whole(folder / SEEN, json.dumps({"from": settings.shared.registry, "tag": tag}) + "\n")


def parsed(settings: Settings, content: bytes) -> dict[str, Any]:
    """Return the shared live.json; raises ProjectError where it is none."""
    try:
        document = json.loads(content)
        if not document["versions"] or len(document["versions"]) != len(document["checksums"]):
            raise ValueError("each version needs its checksum")
        return document
    except (ValueError, KeyError, TypeError) as error:
        raise ProjectError(
            f"{settings.shared.registry}/{LIVE}: not readable ({error}); put an earlier one back, or delete "
            "it and promote a version again"
        ) from None


def replace(
    store: Store,
    settings: Settings,
    seen: tuple[bytes, str] | None,
    live: Mapping[str, Any],
    event: Mapping[str, Any],
) -> bool:
    """Make `live` what is live for all machines, if that is still what was `seen`; tell whether it was.

    The versions that it names are published before. Then the workspace has it, too; who calls holds the lock.
    """
    events: Sequence[Any] = json_lines(history_path(settings))
    if seen:
        events = parsed(settings, seen[0]).get("history", [])
    document = {**live, "history": [*events, event][-MOST_EVENTS:]}
    canary = live.get("canary") or {}
    known = parsed(settings, seen[0])["versions"] if seen else ()
    for name in (*live["versions"], *filter(None, [canary.get("name")])):
        if name not in known:
            publish_version(store, settings, name)
    content = (json.dumps(document, indent=1) + "\n").encode()
    try:
        tag = store.write(LIVE, content, seen[1] if seen else ABSENT)
    except ChangedError:
        now = store.read(LIVE)
        if now is None or now[0] != content:  # else it was our own write, whose answer was lost
            return False
        tag = now[1]
    keep(settings, document, tag)
    return True


def _seen(settings: Settings) -> str | None:
    """Return the tag of what was taken over last, None where that is not here, or from another place."""
    folder = model_folder(settings)
    try:
        found = json.loads((folder / SEEN).read_text(encoding="utf-8"))
        whole = (folder / LIVE).is_file() and found["from"] == settings.shared.registry
        return found["tag"] if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
