"""The verb `tracking`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.cli.verb import verb
from handrail.errors import ProjectError

if TYPE_CHECKING:
    from handrail.config.settings import Settings


@verb()
@click.option("--port", type=int, default=5000, metavar="PORT", help="where to answer on this machine (5000)")
def tracking(settings: "Settings", port: int) -> int:
    """Show every run of training in MLflow's own pages.

    They are served until stopped; where the runs are on a server, it is named.
    """
    from handrail.cli.processes import serve_until_stopped
    from handrail.config.settings import instead
    from handrail.console import say
    from handrail.training.tracking import local_store, server, tracking_server

    address = tracking_server(settings)
    if address:
        say(f"the runs are on {address}")
        return 0
    store = Path(local_store(settings).removeprefix("sqlite:///"))
    if not store.is_file():
        raise ProjectError(f"{store}: no run is tracked yet; run `train` first{instead(settings, store)}")
    say(f"http://127.0.0.1:{port} shows the runs in half a minute; Ctrl+C ends it")
    return serve_until_stopped(*server(settings, port))
