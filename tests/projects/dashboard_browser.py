"""The dashboard of a project in a real browser."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.template.baking import own_environment

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MILLISECONDS = 120_000
WIDTH, HEIGHT = 1280, 1500
SAID = re.compile(r"http://127\.0\.0\.1:(\d+) shows the dashboard")


def browser_there() -> str | None:
    """Return the path of a browser of this machine, None where there is none."""
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


@contextmanager
def served(folder: Path, *arguments: str) -> Generator[str]:
    """Serve the dashboard of a baked project on a free port; yield its address, and end it by SIGTERM."""
    command = ("uv", "run", "late-flights", "dashboard", "--port", "0", *arguments)
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=own_environment(), stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            lines: list[str] = []
            for line in process.stdout or ():
                lines.append(line)
                found = SAID.match(line)
                if found:
                    yield f"http://127.0.0.1:{found[1]}"
                    break
            else:
                log.seek(0)
                raise AssertionError(f"it did not begin: {lines} {log.read()}")
        finally:
            process.terminate()
            process.communicate(timeout=60)


@dataclass
class Seen:
    """A page that was opened: what it has asked for, and what the browser has said of it."""

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All that can be read on it."""
        return self.page.get_by_test_id("stMain").inner_text()


@contextmanager
def opened(address: str, last: str, *, zone: str = "America/Los_Angeles") -> Generator[Seen]:
    """Open a page in a new browser, and wait until the heading `last` and every chart are there."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=browser_there(),
            args=list(QUIET),
            headless=True,
            timezone_id=zone,
            viewport={"width": WIDTH, "height": HEIGHT},
        )
        seen = Seen(context.new_page())
        context.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on("websocket", lambda socket: seen.requests.append(socket.url))
        seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
        seen.page.on("console", lambda said: seen.errors.append(said.text) if said.type == "error" else None)
        # The server may still be starting: a refused connection is no page of it.
        seen.page.goto(_when_there(address), timeout=WAIT_MILLISECONDS)
        seen.page.get_by_role("heading", name=last, exact=True).wait_for(timeout=WAIT_MILLISECONDS)
        seen.page.wait_for_function(
            "() => !document.querySelector('[data-testid=stStatusWidget]')", timeout=WAIT_MILLISECONDS
        )
        seen.page.locator("[data-testid=stVegaLiteChart] .marks").first.wait_for(timeout=WAIT_MILLISECONDS)
        yield seen
        context.close()


def _when_there(address: str) -> str:
    """Return an address once something answers there."""
    from time import monotonic, sleep
    from urllib.error import URLError
    from urllib.request import urlopen

    until = monotonic() + WAIT_MILLISECONDS / 1000
    while monotonic() < until:
        try:
            with urlopen(f"{address}/_stcore/health", timeout=5):
                return address
        except (URLError, OSError):
            sleep(0.1)
    raise AssertionError(f"nothing answers at {address}")
