"""Show every run of training in MLflow's own pages."""

import subprocess
from argparse import ArgumentParser, Namespace
from pathlib import Path

from handrail.config.settings import Settings
from handrail.errors import ProjectError


def add_arguments(parser: ArgumentParser) -> None:
    """Take the port."""
    parser.add_argument(
        "--port", type=int, default=5000, help="where to answer on this machine (%(default)s)"
    )


def run(options: Namespace, settings: Settings) -> int:
    """Serve the pages until stopped; where runs are on a server, say which."""
    from handrail.console import say
    from handrail.training.tracking import Tracking, local_store, server

    uri = Tracking().uri
    if uri:
        say(f"the runs are on {uri}")
        return 0
    store = Path(local_store(settings).removeprefix("sqlite:///"))
    if not store.is_file():
        raise ProjectError(f"{store}: no run is tracked yet; run `train` first")
    say(f"http://127.0.0.1:{options.port} shows the runs in half a minute; Ctrl+C ends it")
    command, environment = server(settings, options.port)
    try:
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603
    except KeyboardInterrupt:
        return 0
