"""Azure's blob storage, also below Data Lake; credentials are those of Azure's own tools.

`abfs://container@account.dfs.core.windows.net/path`, or `abfs://container/path` where
AZURE_STORAGE_ACCOUNT_NAME or AZURE_STORAGE_CONNECTION_STRING names the account.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azure.core import MatchConditions
from azure.core import exceptions as failures
from azure.storage.blob import BlobServiceClient, ContainerClient

from handrail.storage.store import (
    ABSENT,
    ATTEMPTS,
    CONNECT_SECONDS,
    READ_SECONDS,
    ChangedError,
    Entry,
    StorageError,
    bucket_and_prefix,
    no_network,
)

LIMITS: dict[str, Any] = {
    "retry_total": ATTEMPTS - 1,
    "retry_backoff_factor": 0.5,
    "connection_timeout": CONNECT_SECONDS,
    "read_timeout": READ_SECONDS,
}
ADVICE = (
    "sign in by `az login`, set AZURE_STORAGE_CONNECTION_STRING or AZURE_CLIENT_ID and the others, or give "
    "the machine an identity"
)


class AzureStore:
    """Blobs of a container below a prefix."""

    def __init__(self, url: str, setting: str) -> None:
        self.url, self._setting = url.rstrip("/"), setting
        place, self._prefix = bucket_and_prefix(url)
        with self._told():
            self._container = self._opened(place)

    def entries(self, prefix: str) -> list[Entry]:
        """Return all blobs whose names begin with `prefix`, by name."""
        with self._told():
            found = self._container.list_blobs(name_starts_with=self._prefix + prefix)
            return [self._entry(each) for each in found]

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Return content and tag of a blob, None where it is not there."""
        with self._told():
            try:
                found = self._container.download_blob(self._prefix + key)
                return found.readall(), found.properties.etag
            except failures.ResourceNotFoundError as error:
                if _code(error) != "BlobNotFound":
                    raise
                return None

    def write(self, key: str, content: bytes, only_if: str | None = None) -> str:
        """Write a blob whole, if it is what `only_if` says, and return its tag."""
        with self._told():
            return self._put(key, content, only_if)

    def upload(self, path: Path, key: str) -> None:
        """Write a file as a blob that is not there yet."""
        with self._told(), path.open("rb") as file:
            self._put(key, file, ABSENT)

    def download(self, entry: Entry, path: Path) -> None:
        """Write a blob to a file, if it is still `entry`."""
        asked: dict[str, Any] = {"etag": entry.tag, "match_condition": MatchConditions.IfNotModified}
        with self._told():
            try:
                found = self._container.download_blob(self._prefix + entry.key, **asked)
                with path.open("wb") as target:
                    found.readinto(target)
            except failures.ResourceNotFoundError as error:
                if _code(error) != "BlobNotFound":
                    raise
                raise ChangedError(entry.key) from None

    def delete(self, key: str) -> None:
        """Delete a blob."""
        with self._told():
            try:
                self._container.delete_blob(self._prefix + key)
            except failures.ResourceNotFoundError as error:
                if _code(error) != "BlobNotFound":
                    raise

    def _opened(self, place: str) -> ContainerClient:
        container, _, host = place.rpartition("@")
        if not container:
            container, host = place, ""
        connection = os.environ.get("AZURE_STORAGE_CONNECTION_STRING")
        if connection and not host:
            try:
                service = BlobServiceClient.from_connection_string(connection, **LIMITS)
            except ValueError:
                raise StorageError(
                    f"{self._setting}: {self.url}: AZURE_STORAGE_CONNECTION_STRING is none; copy it anew"
                ) from None
            return service.get_container_client(container)
        account = host.partition(".")[0] or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME")
        if not account:
            raise StorageError(
                f"{self._setting}: {self.url}: no account is named; write "
                f"abfs://{container}@ACCOUNT.dfs.core.windows.net/..., or set AZURE_STORAGE_ACCOUNT_NAME"
            )
        credential: Any = os.environ.get("AZURE_STORAGE_ACCOUNT_KEY")
        if not credential:
            from azure.identity import DefaultAzureCredential

            credential = DefaultAzureCredential()
        address = f"https://{account}.blob.core.windows.net"
        return BlobServiceClient(address, credential, **LIMITS).get_container_client(container)

    def _put(self, key: str, content: Any, only_if: str | None) -> str:
        conditions: dict[str, Any] = {"overwrite": only_if != ABSENT}
        if only_if:
            conditions |= {"etag": only_if, "match_condition": MatchConditions.IfNotModified}
        blob = self._container.get_blob_client(self._prefix + key)
        return blob.upload_blob(content, **conditions)["etag"]

    def _entry(self, found: Any) -> Entry:
        name, written = found.name.removeprefix(self._prefix), found.last_modified.timestamp()
        return Entry(name, found.size, f'"{found.etag.strip(chr(34))}"', written)

    @contextmanager
    def _told(self) -> Generator[None]:
        """Say what went wrong in words of our own: a library's may hold an address or a key."""
        where = f"{self._setting}: {self.url}"
        try:
            yield
        except (failures.ResourceExistsError, failures.ResourceModifiedError) as error:
            raise ChangedError(_code(error)) from None
        except failures.ResourceNotFoundError:
            said = f"no such container; create it, or correct {self._setting} in project.yaml"
            raise StorageError(f"{where}: {said}") from None
        except failures.ClientAuthenticationError as error:
            code = f" ({_code(error)})" if _code(error) else ""
            raise StorageError(f"{where}: no credentials, or they are refused{code}; {ADVICE}") from None
        except (failures.ServiceRequestError, failures.ServiceResponseError) as error:
            raise no_network(where, type(error).__name__) from None
        except failures.HttpResponseError as error:
            if error.status_code == 412:
                raise ChangedError(_code(error)) from None
            if error.status_code == 403:
                said = "access is denied; ask for the right to list, read and write there"
            else:
                said = f"it answered {error.status_code} {_code(error)}".rstrip()
            raise StorageError(f"{where}: {said}") from None


def _code(error: Exception) -> str:
    """Return the service's word for what was wrong."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")
