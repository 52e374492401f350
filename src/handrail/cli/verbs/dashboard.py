"""The verb `dashboard`."""

from typing import TYPE_CHECKING

import click

from handrail.cli.verb import verb

if TYPE_CHECKING:
    from handrail.config.settings import Settings


@verb()
@click.option("--host", default="127.0.0.1", metavar="HOST", help="address to listen on (default: 127.0.0.1)")
@click.option("--port", type=int, default=8501, metavar="PORT", help="port to listen on (default: 8501)")
def dashboard(settings: "Settings", host: str, port: int) -> int:
    """Show the KPIs, predictions, live accuracy, drift, alerts and costs on a page.

    It is served until stopped, to this machine alone; it asks nobody who they are.
    """
    from handrail.cli.processes import serve_until_stopped
    from handrail.console import say
    from handrail.dashboard.server import LOCAL, command_of, free_port

    port = free_port(host, port)
    command = command_of(settings, host, port)
    if host not in LOCAL:
        say(f"whoever reaches {host} sees the page: put a proxy with a sign-in before it")
    say(f"http://{host}:{port} shows the dashboard in a few seconds; Ctrl+C ends it")
    return serve_until_stopped(*command)
