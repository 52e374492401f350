"""Copies of raw files that lie in a bucket: fetched when they are new or changed, and never half of one.

An object is written whole, so none is ever half there. What can be is a table of several objects, while it is
written: it is fetched as it is listed, and listed again afterwards.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.etl.raw_files import PACKED, RawTable, unmarked
from handrail.files import write_whole
from handrail.locks import locked
from handrail.storage.addresses import shown
from handrail.storage.store import ChangedError, Entry, StorageError, Store, open_store

INDEX, LOCK = "fetched.json", ".lock"
SETTING = "data.source"
LOOKS = 3  # at a table that changes while it is fetched
LOCKED_SECONDS = 600.0


def fetch_files(settings: Settings, tables: Iterable[RawTable], folder: Path) -> list[str]:
    """Bring the copies in `folder` up to date with the bucket of data.source; return what is wrong, if any.

    Raises StorageError where the bucket can't be reached or used; what was fetched before is still there.
    """
    address = settings.source_address or ""
    store, problems = open_store(address, settings.root, SETTING), []
    said = (
        f"{folder}: another command has been fetching for {LOCKED_SECONDS:.0f} s; try again when it is done"
    )
    with locked(folder / LOCK, LOCKED_SECONDS, lambda: said):
        copies = _Copies(store, folder, anew=settings.reload)
        for table in tables:
            try:
                copies.update(table)
            except StorageError:  # of no table alone
                raise
            except ProjectError as error:
                problems += error.problems
    return problems


class _Copies:
    """The copies in a folder, and which objects they are of."""

    def __init__(self, store: Store, folder: Path, *, anew: bool) -> None:
        self._store, self._folder = store, folder
        self._known = {} if anew else _read_index(folder / INDEX, store.url)

    def update(self, table: RawTable) -> None:
        """Fetch what is new or changed of a table, and delete what is no more there.

        Raises ProjectError where nothing is there, something is empty or not complete, or it keeps changing.
        """
        for _ in range(LOOKS):
            wanted = self._listed(table)
            try:
                for entry in wanted:
                    self._fetch(entry)
            except ChangedError:
                continue
            if self._listed(table) == wanted:
                self._forget(table, wanted)
                return
        raise ProjectError(
            f"{self._told(table.file)}: has changed {LOOKS} times while it was fetched; run `etl` again when "
            "it is written"
        )

    def _listed(self, table: RawTable) -> list[Entry]:
        """Return the objects of a table; raises ProjectError where there are none, or they can't be whole."""
        found = self._store.entries(table.file)
        if table.is_folder:
            found = [entry for entry in found if not entry.key.endswith("/")]  # a console's mark of a folder
            _refuse_unfinished(self._told(table.file), table, found)
        else:
            known = {entry.key: entry for entry in found}
            found = [known[name] for name in (table.file + end for end in PACKED) if name in known][:1]
        if not found:
            raise ProjectError(
                f"{self._told(table.file)}: no such file; {SETTING} in project.yaml names the place of the "
                "raw tables"
            )
        empty = [entry.key for entry in found if not entry.size and not _is_mark(entry.key)]
        if empty:
            raise ProjectError(
                f"{self._told(key)}: is empty, 0 bytes; write it anew, or delete it" for key in empty
            )
        marker = table.marker if table.is_folder else None
        return [entry for entry in found if not _is_mark(entry.key) or Path(entry.key).name == marker]

    def _fetch(self, entry: Entry) -> None:
        """Fetch an object, unless its copy is here, which is then as young as if it were fetched now."""
        path = self._folder / entry.key
        if self._known.get(entry.key) == entry.tag and path.is_file() and path.stat().st_size == entry.size:
            os.utime(path)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        place, prefix = self._folder.parent, f".raw-{os.getpid()}-"  # as what kills leave is called
        with tempfile.TemporaryDirectory(dir=place, prefix=prefix) as unfinished:
            fetched = Path(unfinished) / "fetched"
            self._store.download(entry, fetched)
            if fetched.stat().st_size != entry.size:
                raise ChangedError(entry.key)
            self._note(entry.key, None)
            fetched.replace(path)
        self._note(entry.key, entry.tag)

    def _forget(self, table: RawTable, wanted: Sequence[Entry]) -> None:
        """Delete copies of a table that are of nothing any more."""
        keys = {entry.key for entry in wanted}
        own = {table.file + end for end in PACKED}
        for key in [*self._known]:
            if key not in keys and (key.startswith(table.file) if table.is_folder else key in own):
                (self._folder / key).unlink(missing_ok=True)
                self._note(key, None)

    def _note(self, key: str, tag: str | None) -> None:
        if tag is None:
            self._known.pop(key, None)
        else:
            self._known[key] = tag
        index = {"from": self._store.url, "tags": self._known}
        write_whole(self._folder / INDEX, json.dumps(index, indent=1) + "\n")

    def _told(self, key: str) -> str:
        return f"{shown(self._store.url)}/{key}"


def _refuse_unfinished(where: str, table: RawTable, found: Sequence[Entry]) -> None:
    """Raise ProjectError where a table of many objects is being written."""
    if table.marker is None or not found:
        return
    marks = {entry.key.rpartition("/")[0]: entry for entry in found if entry.key.endswith(f"/{table.marker}")}
    for entry in found:
        folder = entry.key.rpartition("/")[0]
        if _is_mark(entry.key):
            if "/_temporary" in entry.key:
                raise ProjectError(
                    f"{where}: it is being written: _temporary is in it; run `etl` again later"
                )
            continue
        above = [mark for place, mark in marks.items() if f"{folder}/".startswith(f"{place}/")]
        if not above:
            raise ProjectError(unmarked(table, where, entry.key))
        if entry.modified > max(mark.modified for mark in above):
            raise ProjectError(
                f"{where}: {entry.key} is newer than {table.marker}: more is being written; run `etl` again "
                "when that is done"
            )


def _is_mark(key: str) -> bool:
    """Tell whether an object is no data: a part of its name begins with _ or a dot, and is no name=value."""
    return any(part[:1] in "_." and "=" not in part for part in key.split("/") if part)


def _read_index(path: Path, url: str) -> dict[str, str]:
    """Return the tags of what was fetched; nothing where it was from elsewhere."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return dict(found["tags"]) if found["from"] == url else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
