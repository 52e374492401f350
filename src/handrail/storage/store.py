"""One interface for every kind of storage: objects under a prefix, written whole, and only if unchanged."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

from handrail.errors import ProjectError
from handrail.storage.addresses import BUCKETS, is_database, refusal, scheme_of, shown

ABSENT = ""  # the tag of what is not there
CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
ATTEMPTS = 3  # at what fails for the network, or because the other side is busy


class Entry(NamedTuple):
    """An object: its key below the store's prefix, its size in bytes, its tag, when it was written.

    The tag is another one whenever the content is. modified: in seconds since 1970
    """

    key: str
    size: int
    tag: str
    modified: float


class StorageError(ProjectError):
    """Storage that can't be reached or used, said as what, where and what next."""


class ChangedError(Exception):
    """An object is another one than the condition names, or is gone, or is there already."""


class Store(Protocol):
    """Objects by key. Every method raises StorageError where the storage can't be reached or used."""

    url: str

    def entries(self, prefix: str) -> list[Entry]:
        """Return all objects whose keys begin with `prefix`, by key."""
        ...

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Return content and tag of an object, None where it is not there."""
        ...

    def write(self, key: str, content: bytes, only_if: str | None = None) -> str:
        """Write an object whole, and return its tag.

        `only_if`: the tag that it must have now, or ABSENT; raises ChangedError where it has another.
        """
        ...

    def upload(self, path: Path, key: str) -> None:
        """Write a file as an object that is not there yet; raises ChangedError where it is."""
        ...

    def download(self, entry: Entry, path: Path) -> None:
        """Write an object to a file; raises ChangedError where it is not `entry` any more."""
        ...

    def delete(self, key: str) -> None:
        """Delete an object; one that is not there is none the less gone."""
        ...


def open_store(place: str, root: Path, setting: str) -> Store:
    """Return the store of an address, or of a folder that is looked for from `root` on.

    `setting` is named in what is refused, as `storage.registry`. Raises StorageError where the address is
    none of storage, or the library for it is not installed.
    """
    wrong = refusal(place) or ("a database is no storage of files" if is_database(place) else "")
    if wrong:
        raise StorageError(f"{setting}: {wrong}")
    scheme = scheme_of(place)
    if scheme is None:
        from handrail.storage.folder import FolderStore

        return FolderStore(root / place)
    try:
        match BUCKETS[scheme]:
            case "s3":
                from handrail.storage.s3 import S3Store

                return S3Store(place, setting)
            case "gcs":
                from handrail.storage.gcs import GcsStore

                return GcsStore(place, setting)
            case _:
                from handrail.storage.azure import AzureStore

                return AzureStore(place, setting)
    except ModuleNotFoundError as error:
        raise StorageError(
            f"{setting}: {shown(place)}: {(error.name or '').partition('.')[0]} is not installed; it comes "
            f"with handrail[{BUCKETS[scheme]}], see pyproject.toml"
        ) from None


@lru_cache(maxsize=16)
def kept_store(place: str, root: Path, setting: str) -> Store:
    """Return the same, opened once by a process that asks for it again and again."""
    return open_store(place, root, setting)


def bucket_and_prefix(url: str) -> tuple[str, str]:
    """Return the bucket of an address, and the prefix of all keys, with a slash at its end unless empty."""
    from urllib.parse import urlsplit

    found = urlsplit(url)
    prefix = found.path.strip("/")
    return found.netloc, f"{prefix}/" if prefix else ""


def no_network(where: str, why: str) -> StorageError:
    """Return the error of a storage that does not answer."""
    return StorageError(
        f"{where}: no answer after {ATTEMPTS} attempts ({why}); is the network there, and the address right?"
    )
