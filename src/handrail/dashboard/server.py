"""How the page is served: by Streamlit, on this machine, with nothing told to anybody else."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from handrail.config.settings import Settings
from handrail.errors import ProjectError
from handrail.listening import listener

# What is said here wins over a user's own ~/.streamlit/config.toml.
OPTIONS = {
    "browser.gatherUsageStats": "false",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "client.toolbarMode": "minimal",
    "logger.hideWelcomeMessage": "true",
    "server.enableCORS": "true",
    "server.enableXsrfProtection": "true",
    "server.fileWatcherType": "none",
    "server.headless": "true",
    "server.showEmailPrompt": "false",
}
LOCAL = ("127.0.0.1", "localhost", "::1")


def command_of(settings: Settings, host: str, port: int) -> tuple[list[str], dict[str, str]]:
    """Return the command, and its environment, that serves the page at an address.

    Raises ProjectError where Streamlit is not installed.
    """
    if find_spec("streamlit") is None:
        raise ProjectError(
            "dashboard: streamlit is not installed; it comes with handrail[dashboard], in the group "
            "dashboard of pyproject.toml: run `uv sync`"
        )
    options = OPTIONS | {"server.address": host, "server.port": str(port)}
    said = [part for name, value in options.items() for part in (f"--{name}", value)]
    if host in LOCAL:  # no other name, which a page from elsewhere could have made one of this machine's
        said += [part for name in LOCAL for part in ("--server.allowedHosts", name)]
    script = Path(__file__).with_name("script.py")
    root = settings.root.as_posix()
    given = [settings.project.package, root, *([str(settings.sample)] if settings.sample else [])]
    return [sys.executable, "-m", "streamlit", "run", str(script), *said, "--", *given], dict(os.environ)


def free_port(host: str, port: int) -> int:
    """Return the port, or a free one for 0; raises ProjectError where it can't be listened on."""
    with listener("dashboard", host, port) as listening:
        return listening.getsockname()[1]
