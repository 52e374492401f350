"""A baked project's running service is as its own /openapi.json says, by all checks of schemathesis."""

import re
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.template.baking import bake_new, own_environment, ran

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("described service")]

KEY = "0123456789abcdef0123"
SCHEMATHESIS = "schemathesis>=4.32,<4.33"  # in an environment of its own: it brings some 40 packages
WITH_KEY = ("--header", f"X-API-Key: {KEY}")
SERVED = {
    "with the key": ({}, WITH_KEY),
    "without the key": ({}, ("--warnings", "off")),
    "without a key": ({"REQUIRE_API_KEY": "false"}, ()),
    "more behind the key": ({"KEY_ALSO_FOR": '["metrics", "version"]'}, WITH_KEY),
}


@pytest.fixture(scope="module")
def project(cookies_session):
    """Return a project of yes or no whose model is live, on a sample."""
    return project_of(cookies_session, "classification")


def project_of(cookies, problem):
    answers = {"stage": "production", "problem": problem, "notebooks": "none", "batch": "none"}
    project = bake_new(cookies, answers)
    for verb in ("etl", "train", "promote"):
        ran(project, "uv", "run", project.slug, verb, "--sample", "50000")
    return project


@contextmanager
def served(project, **settings):
    """Run the service on a free port with settings of `serving`; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    prefix = project.package.upper()
    said = {
        f"{prefix}_API_KEY": KEY,
        **{f"{prefix}_SERVING__{name}": value for name, value in settings.items()},
    }
    command = [project.path / ".venv/bin" / project.slug, "serve", "--port", port, "--sample", "50000"]
    process = subprocess.Popen(
        command, cwd=project.path, env=own_environment(**said), stdout=subprocess.DEVNULL
    )
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}/ready")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(40)


def wait_until_ready(process, address):
    begun = time.monotonic()
    while process.poll() is None and time.monotonic() - begun < 60:
        try:
            urlopen(address, timeout=5).close()
            return
        except URLError:
            time.sleep(0.05)
    raise AssertionError(f"{address}: no answer")


def findings(description, folder, *arguments):
    """Return what schemathesis says of the service that is described there."""
    schemathesis = ("uv", "run", "--no-project", "--quiet", "--with", SCHEMATHESIS, "schemathesis")
    hooks = {"PYTHONPATH": str(Path(__file__).parent), "SCHEMATHESIS_HOOKS": "schemathesis_hooks"}
    done = subprocess.run(
        [*schemathesis, "run", description, "--checks", "all", "--seed", "1", *arguments],
        cwd=folder,
        env=own_environment(**hooks),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("how", SERVED)
def test_nothing_is_found(project, tmp_path, how):
    settings, arguments = SERVED[how]
    check(project, tmp_path, *arguments, **settings)


def test_nothing_is_found_of_forecasts(cookies_session, tmp_path):
    check(project_of(cookies_session, "forecasting"), tmp_path, *WITH_KEY)


def check(project, folder, *arguments, **settings):
    """Check that all paths were asked, hundreds of times, and nothing was found."""
    with served(project, **settings) as address:
        said = findings(f"{address}/openapi.json", folder, "--max-examples", "200", *arguments)
    assert "No issues found" in said, said
    assert "5 selected / 5 total" in said
    assert int(re.search(r"(\d+) generated", said)[1]) > 300


def test_what_is_not_as_described_is_found(project, tmp_path):
    """A service without a key, held to the description of one with a key: the checks are at work."""
    with served(project) as guarded, served(project, REQUIRE_API_KEY="false") as unguarded:
        (tmp_path / "described.json").write_bytes(urlopen(f"{guarded}/openapi.json").read())
        said = findings("described.json", tmp_path, *WITH_KEY, "--url", unguarded, "--max-examples", "20")
    assert "Missing required header accepted" in said, said
