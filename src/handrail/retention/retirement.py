"""Moves to the archive and deletes what has reached the age that `retention` in project.yaml says."""

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from handrail.config.sections import Retention
from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.files import unfinished_path
from handrail.retention.audit_log import audit_log
from handrail.retention.inventory import StoredItem, archive_folder, inventory
from handrail.retention.links import refuse_links


def to_archive(settings: Settings, today: date) -> list[StoredItem]:
    """Return what is to be moved to the archive."""
    return [
        item
        for item in inventory(settings)
        if not item.archived and _reached(item, _days(settings, item, "archive_after_days"), today)
    ]


def to_purge(settings: Settings, today: date) -> list[StoredItem]:
    """Return what is to be deleted, in its place or in the archive."""
    return [
        item
        for item in inventory(settings)
        if _reached(item, _days(settings, item, "purge_after_days"), today)
    ]


def archive(settings: Settings, items: list[StoredItem], today: date) -> Iterator[StoredItem]:
    """Move `items`, yielding each that is done; a copy is whole before the original goes.

    Raises ProjectError where something is in its place in the archive already, and, with nothing touched,
    where something is a symbolic link.
    """
    refuse_links([item.path for item in items])
    with audit_log(settings) as write:
        for item in items:
            target = archive_folder(settings) / f"{today}" / item.kind / item.path.name
            if target.exists():
                raise ProjectError(f"{target}: is there already; look at both, and remove one")
            size = item.size_bytes
            _copy(item.path, target)
            delete(item.path)
            rule = f"{item.kind} after {_days(settings, item, 'archive_after_days')} days"
            to = target.relative_to(settings.workspace).as_posix()
            write("archive", what=_name(settings, item), to=to, bytes=size, newest=f"{item.day}", rule=rule)
            yield item


def purge(settings: Settings, items: list[StoredItem]) -> Iterator[StoredItem]:
    """Delete `items` for good, yielding each that is done; raises ProjectError before any for a link."""
    refuse_links([item.path for item in items])
    with audit_log(settings) as write:
        for item in items:
            size = item.size_bytes
            delete(item.path)
            rule = f"{item.kind} after {_days(settings, item, 'purge_after_days')} days"
            write("purge", what=_name(settings, item), bytes=size, newest=f"{item.day}", rule=rule)
            yield item


def _days(settings: Settings, item: StoredItem, rule: str) -> int | None:
    return getattr(getattr(settings.section(Retention), item.kind), rule)


def _reached(item: StoredItem, days: int | None, today: date) -> bool:
    return days is not None and item.age_days(today) >= days


def _name(settings: Settings, item: StoredItem) -> str:
    return item.path.relative_to(settings.workspace).as_posix()


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder with its times, whole or not at all, onto another disk too."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_path(target)
    try:
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, unfinished)
        unfinished.rename(target)
    finally:
        delete(unfinished)


def delete(path: Path) -> None:
    """Delete a file or a folder; a folder disappears at once, and its files then."""
    if path.is_dir():
        going = path.with_name(f".{path.name.lstrip('.')}.gone-{os.getpid()}")
        path.rename(going)
        shutil.rmtree(going)
    else:
        path.unlink(missing_ok=True)
