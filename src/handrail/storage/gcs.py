"""Google Cloud Storage; credentials are looked for where Google's own tools look for them."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from google.api_core import exceptions as failures
from google.auth import exceptions as auth
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY

from handrail.storage.store import (
    ABSENT,
    CONNECT_SECONDS,
    READ_SECONDS,
    ChangedError,
    Entry,
    StorageError,
    bucket_and_prefix,
    no_network,
)

RETRY_SECONDS = 15.0  # in which what fails for the network is tried again
LIMITS: dict[str, Any] = {
    "timeout": (CONNECT_SECONDS, READ_SECONDS),
    "retry": DEFAULT_RETRY.with_timeout(RETRY_SECONDS),
}


class GcsStore:
    """Objects of a bucket below a prefix; the tag is an object's generation."""

    def __init__(self, url: str, setting: str) -> None:
        self.url, self._setting = url.rstrip("/"), setting
        name, self._prefix = bucket_and_prefix(url)
        with self._told():
            self._client = storage.Client()
            self._bucket = self._client.bucket(name)

    def entries(self, prefix: str) -> list[Entry]:
        """Return all objects whose keys begin with `prefix`, by key."""
        with self._told():
            found: Any = self._client.list_blobs(self._bucket, prefix=self._prefix + prefix, **LIMITS)
            return [self._entry(each) for each in found]

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Return content and tag of an object, None where it is not there."""
        with self._told():
            blob = self._bucket.get_blob(self._prefix + key, **LIMITS)
            if blob is None:
                self._require_bucket()
                return None
            try:
                content = blob.download_as_bytes(**LIMITS)  # of that generation
            except failures.NotFound:  # another one since, read that
                return self.read(key)
            return content, str(blob.generation)

    def write(self, key: str, content: bytes, only_if: str | None = None) -> str:
        """Write an object whole, if it is what `only_if` says, and return its tag."""
        with self._told():
            blob = self._bucket.blob(self._prefix + key)
            kind = "application/octet-stream"
            blob.upload_from_string(content, kind, if_generation_match=_number(only_if), **LIMITS)
            return str(blob.generation)

    def upload(self, path: Path, key: str) -> None:
        """Write a file as an object that is not there yet."""
        with self._told():
            blob = self._bucket.blob(self._prefix + key)
            blob.upload_from_filename(str(path), if_generation_match=_number(ABSENT), **LIMITS)

    def download(self, entry: Entry, path: Path) -> None:
        """Write an object to a file, if it is still `entry`."""
        with self._told():
            blob = self._bucket.blob(self._prefix + entry.key, generation=int(entry.tag))
            try:
                blob.download_to_filename(str(path), **LIMITS)
            except failures.NotFound:
                raise ChangedError(entry.key) from None

    def delete(self, key: str) -> None:
        """Delete an object."""
        with self._told():
            try:
                self._bucket.blob(self._prefix + key).delete(**LIMITS)
            except failures.NotFound:
                self._require_bucket()

    def _require_bucket(self) -> None:
        """Raise NotFound where it is the bucket that is not there, and not an object in it."""
        next(iter(self._client.list_blobs(self._bucket, max_results=1, **LIMITS)), None)

    def _entry(self, found: Any) -> Entry:
        written = found.updated.timestamp()
        return Entry(found.name.removeprefix(self._prefix), found.size, str(found.generation), written)

    @contextmanager
    def _told(self) -> Generator[None]:
        """Say what went wrong in words of our own: a library's may hold an address or a key."""
        where = f"{self._setting}: {self.url}"
        try:
            yield
        except failures.PreconditionFailed as error:
            raise ChangedError(error.code) from None
        except failures.NotFound:
            said = f"no such bucket; create it, or correct {self._setting} in project.yaml"
            raise StorageError(f"{where}: {said}") from None
        except (failures.Unauthorized, auth.RefreshError, auth.ReauthFailError):
            raise StorageError(
                f"{where}: the credentials have expired or are refused; sign in again, by "
                "`gcloud auth application-default login`"
            ) from None
        except failures.Forbidden:
            said = "access is denied; ask for the right to list, read and write there"
            raise StorageError(f"{where}: {said}") from None
        except (auth.TransportError, requests.RequestException, failures.RetryError, OSError) as error:
            if isinstance(error, OSError) and error.filename:  # of a file here
                raise
            raise no_network(where, type(error).__name__) from None
        except auth.GoogleAuthError as error:
            kind = type(error).__name__.removesuffix("Error")
            raise StorageError(
                f"{where}: no credentials ({kind}); run `gcloud auth application-default login`, set "
                "GOOGLE_APPLICATION_CREDENTIALS, or give the machine a service account"
            ) from None
        except failures.GoogleAPICallError as error:
            raise StorageError(f"{where}: it answered {error.code}") from None


def _number(tag: str | None) -> int | None:
    """Return the generation that a tag stands for; 0 is that of what is not there."""
    return None if tag is None else int(tag or 0)
