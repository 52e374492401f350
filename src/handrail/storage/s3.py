"""Amazon S3, and what speaks its language; credentials are looked for where AWS's own tools look for them."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore import exceptions as failures
from botocore.config import Config

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

CHANGED = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
SAID = {
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"),
        "the credentials have expired; sign in again, as by `aws sso login`, or renew the variables",
    ),
    **dict.fromkeys(
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidClientTokenId"),
        "the credentials are refused; are AWS_ACCESS_KEY_ID and the others those of this account?",
    ),
    **dict.fromkeys(
        ("AccessDenied", "403", "AllAccessDisabled"),
        "access is denied; ask for the right to list, read and write there",
    ),
    **dict.fromkeys(
        ("PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"),
        "the bucket is in another region; set AWS_REGION to it",
    ),
}
UNKNOWN = (
    failures.NoCredentialsError,
    failures.PartialCredentialsError,
    failures.CredentialRetrievalError,
    failures.ProfileNotFound,
)
SIGNED_OUT = (failures.SSOError, failures.TokenRetrievalError)
UNREACHED = (failures.HTTPClientError, failures.ConnectionError)


class S3Store:
    """Objects of a bucket below a prefix."""

    def __init__(self, url: str, setting: str) -> None:
        self.url, self._setting = url.rstrip("/"), setting
        self._bucket, self._prefix = bucket_and_prefix(url)
        retries: Any = {"total_max_attempts": ATTEMPTS, "mode": "standard"}
        config = Config(retries=retries, connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)
        with self._told():
            self._client: Any = boto3.session.Session().client("s3", config=config)

    def entries(self, prefix: str) -> list[Entry]:
        """Return all objects whose keys begin with `prefix`, by key."""
        asked = {"Bucket": self._bucket, "Prefix": self._prefix + prefix}
        with self._told():
            pages = self._client.get_paginator("list_objects_v2").paginate(**asked)
            return [self._entry(each) for page in pages for each in page.get("Contents", ())]

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Return content and tag of an object, None where it is not there."""
        with self._told():
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
                return found["Body"].read(), found["ETag"]
            except self._client.exceptions.NoSuchKey:
                return None

    def write(self, key: str, content: bytes, only_if: str | None = None) -> str:
        """Write an object whole, if it is what `only_if` says, and return its tag."""
        with self._told():
            return self._put(key, content, only_if)["ETag"]

    def upload(self, path: Path, key: str) -> None:
        """Write a file as an object that is not there yet."""
        with self._told(), path.open("rb") as file:
            self._put(key, file, ABSENT)

    def download(self, entry: Entry, path: Path) -> None:
        """Write an object to a file, if it is still `entry`."""
        asked = {"Bucket": self._bucket, "Key": self._prefix + entry.key, "IfMatch": entry.tag}
        with self._told():
            try:
                body = self._client.get_object(**asked)["Body"]
                with path.open("wb") as target:
                    shutil.copyfileobj(body, target, 1 << 20)
            except self._client.exceptions.NoSuchKey:
                raise ChangedError(entry.key) from None

    def delete(self, key: str) -> None:
        """Delete an object."""
        with self._told():
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    def _put(self, key: str, content: Any, only_if: str | None) -> Any:
        conditions = {} if only_if is None else {"IfMatch": only_if} if only_if else {"IfNoneMatch": "*"}
        return self._client.put_object(
            Bucket=self._bucket, Key=self._prefix + key, Body=content, **conditions
        )

    def _entry(self, found: Any) -> Entry:
        key = found["Key"].removeprefix(self._prefix)
        return Entry(key, found["Size"], found["ETag"], found["LastModified"].timestamp())

    @contextmanager
    def _told(self) -> Generator[None]:
        """Say what went wrong in words of our own: a library's may hold an address or a key."""
        where = f"{self._setting}: {self.url}"
        try:
            yield
        except failures.ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in CHANGED:
                raise ChangedError(code) from None
            if code == "NoSuchBucket":
                said = f"no such bucket; create it, or correct {self._setting} in project.yaml"
            elif code in ("NoSuchKey", "404") and error.operation_name == "PutObject":
                raise ChangedError(code) from None  # what was to be replaced is gone
            else:
                said = SAID.get(code) or f"it answered {code}"
            raise StorageError(f"{where}: {said}") from None
        except UNKNOWN as error:
            kind = type(error).__name__.removesuffix("Error")
            raise StorageError(
                f"{where}: no credentials ({kind}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                "AWS_PROFILE, or give the machine a role"
            ) from None
        except SIGNED_OUT:
            raise StorageError(f"{where}: {SAID['ExpiredToken']}") from None
        except UNREACHED as error:
            raise no_network(where, type(error).__name__) from None
        except failures.BotoCoreError as error:
            raise StorageError(f"{where}: it can't be asked ({type(error).__name__})") from None
