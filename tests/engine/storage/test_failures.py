"""Storage that can't be reached or used: one line with what to do, and nothing that is secret."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from handrail import errors
from handrail.storage.addresses import refusal, shown, without_secrets
from handrail.storage.store import open_store
from tests.engine.storage.conftest import place
from tests.engine.support.listeners import free_port

SECRET = "hunter2-and-more"
NO_BUCKET = "no such bucket; create it, or correct data.source in project.yaml"


def refused(address, ask=lambda store: store.entries("")):
    with pytest.raises(errors.ProjectError) as refusal:
        ask(open_store(address, Path(), "data.source"))
    return str(refusal.value)


@pytest.fixture
def answering():
    """Yield a server that answers every request with what `said` is set to: a status and a body."""

    class Answer(BaseHTTPRequestHandler):
        def answer(self):
            self.server.count += 1
            status, body = self.server.said
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_HEAD = answer  # noqa: N815

        def log_message(self, *arguments):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.count = 0
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def s3_answers(answering, monkeypatch):
    """Return a function of status and code: what S3 answers to all that is asked."""
    for name, value in (("ACCESS_KEY_ID", "known"), ("SECRET_ACCESS_KEY", SECRET), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{answering.server_port}")

    def answer(status, code):
        answering.said = status, f"<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>".encode()

    return answer


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (
            400,
            "ExpiredToken",
            "the credentials have expired; sign in again, as by `aws sso login`, or renew the variables",
        ),
        (
            403,
            "InvalidAccessKeyId",
            "the credentials are refused; are AWS_ACCESS_KEY_ID and the others those of this account?",
        ),
        (403, "AccessDenied", "access is denied; ask for the right to list, read and write there"),
        (400, "AuthorizationHeaderMalformed", "the bucket is in another region; set AWS_REGION to it"),
        (501, "NotImplemented", "it answered NotImplemented"),
    ],
)
def test_what_s3_refuses_is_told_with_what_to_do(s3_answers, status, code, said):
    s3_answers(status, code)
    assert refused("s3://bucket/raw") == f"data.source: s3://bucket/raw: {said}"


def test_a_busy_storage_is_asked_three_times(s3_answers, answering):
    s3_answers(503, "SlowDown")
    assert refused("s3://bucket/raw") == "data.source: s3://bucket/raw: it answered SlowDown"
    assert answering.count == 3


def test_a_bucket_that_is_not_there_is_told(s3_variables, monkeypatch):
    place("s3", s3_variables, monkeypatch)
    said = f"data.source: s3://none-of-that/raw: {NO_BUCKET}"
    for ask in (
        lambda store: store.entries(""),
        lambda store: store.read("x"),
        lambda store: store.write("x", b"1", ""),
    ):
        assert refused("s3://none-of-that/raw", ask) == said


def test_a_bucket_of_google_that_is_not_there_is_told(gcs_variables, monkeypatch):
    place("gs", gcs_variables, monkeypatch)
    said = f"data.source: gs://none-of-that/raw: {NO_BUCKET}"
    for ask in (
        lambda store: store.entries(""),
        lambda store: store.read("x"),
        lambda store: store.write("x", b"1", ""),
        lambda store: store.delete("x"),
    ):
        assert refused("gs://none-of-that/raw", ask) == said


@pytest.mark.slow
@pytest.mark.long
def test_a_container_that_is_not_there_is_told(azure_variables, monkeypatch):
    place("abfs", azure_variables, monkeypatch)
    assert refused("abfs://none-of-that/raw") == (
        "data.source: abfs://none-of-that/raw: no such container; create it, or correct data.source in "
        "project.yaml"
    )


def test_no_credentials_are_told(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    assert refused("s3://bucket/raw") == (
        "data.source: s3://bucket/raw: no credentials (NoCredentials); set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role"
    )
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "no credentials (ProfileNotFound)" in refused("s3://bucket/raw")


def test_no_credentials_of_google_are_told(monkeypatch, tmp_path):
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    said = refused("gs://bucket/raw")
    assert said.startswith(
        "data.source: gs://bucket/raw: no credentials (DefaultCredentials); run `gcloud auth"
    )
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    (tmp_path / "key.json").write_text(json.dumps({"type": "service_account", "private_key": SECRET}))
    said = refused("gs://bucket/raw")
    assert said.startswith("data.source: gs://bucket/raw: no credentials (")
    assert SECRET not in said


def test_no_account_of_azure_is_told(monkeypatch):
    for name in ("AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT_NAME"):
        monkeypatch.delenv(name, raising=False)
    assert refused("abfs://bucket/raw").startswith(
        "data.source: abfs://bucket/raw: no account is named; write abfs://bucket@ACCOUNT.dfs.core.windows.net/"
    )
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", SECRET)
    assert refused("abfs://bucket/raw") == (
        "data.source: abfs://bucket/raw: AZURE_STORAGE_CONNECTION_STRING is none; copy it anew"
    )


@pytest.mark.parametrize("scheme", ["s3", "gs", "abfs"])
def test_no_network_is_told_after_some_attempts(scheme, monkeypatch):
    address = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr("handrail.storage.gcs.RETRY_SECONDS", 1.0)
    for name, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "known",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "STORAGE_EMULATOR_HOST": address,
        "GOOGLE_CLOUD_PROJECT": "tests",
        "AZURE_STORAGE_CONNECTION_STRING": (
            f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=AAAA;BlobEndpoint={address}/x;"
        ),
    }.items():
        monkeypatch.setenv(name, value)
    said = refused(f"{scheme}://bucket/raw")
    assert said.startswith(f"data.source: {scheme}://bucket/raw: no answer after 3 attempts (")
    assert said.endswith("); is the network there, and the address right?")
    assert SECRET not in said


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s3://KEY:hunter2@bucket/raw", "it holds a key or a token"),
        ("abfs://box@account.dfs.core.windows.net/raw?sig=hunter2", "it holds a key or a token"),
        ("s3:///raw", "it names no bucket"),
        ("ftp://host/hunter2", "ftp:// is no kind of storage"),
        ("s3://bucket:hunter2/raw", "its host or its port can't be made out"),
    ],
)
def test_an_address_that_can_be_none_is_refused_and_not_repeated(address, said):
    assert said in refused(address)
    assert "hunter2" not in refused(address)


def test_an_address_is_told_without_its_password():
    assert shown("postgresql://reader:p%40ss@db.example:5432/raw?sslmode=require") == (
        "postgresql://reader:***@db.example:5432/raw"
    )
    assert without_secrets("at postgres://u:a:b/c@host/x now") == "at postgres://u:***@host/x now"
    assert shown("s3://bucket/raw/") == "s3://bucket/raw"
    assert shown("../raw?x") == "../raw?x"
    assert refusal("abfs://box@account.dfs.core.windows.net/raw") == ""
    assert refusal("postgresql://u:p@host/db", database=True) == ""
