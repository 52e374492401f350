"""The verb `serve`."""

import json
from typing import TYPE_CHECKING

import click

from handrail.cli.verb import verb

if TYPE_CHECKING:
    from handrail.config.settings import Settings


@verb()
@click.option("--host", default="127.0.0.1", metavar="HOST", help="address to listen on (default: 127.0.0.1)")
@click.option("--port", type=int, default=8000, metavar="PORT", help="port to listen on (default: 8000)")
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, metavar="N", help="processes that answer (default: 1)"
)
@click.option("--rehearse", is_flag=True, help="start on a free port, ask for one prediction, stop")
def serve(settings: "Settings", host: str, port: int, workers: int, rehearse: bool) -> int:
    """Serve predictions over HTTP."""
    if rehearse:
        _rehearse(settings)
        return 0
    return _serve(settings, host, port, workers)


def _serve(settings: "Settings", host: str, port: int, workers: int) -> int:
    from handrail.console import say
    from handrail.listening import listener
    from handrail.serving.server import run_alone, run_workers

    app = settings.project.create_app(settings)
    with listener("serve", host, port) as listening:
        say(f"{app.title}, version {app.version}: http://{host}:{listening.getsockname()[1]}/docs")
        if workers > 1:
            return 0 if run_workers(settings, listening, workers) else 1
        return 0 if run_alone(app, settings, listening) else 1


def _rehearse(settings: "Settings") -> None:
    from handrail.console import progress, say
    from handrail.serving.dry_run import ask_once

    with progress("serve"):
        answer, seconds = ask_once(settings)
    say(f"asked:    {json.dumps(answer['record'], default=str, ensure_ascii=False)}")
    say(f"answered: {json.dumps(answer['predictions'][0])}")
    say(f"by the {answer['source']} of {answer['version']}, in {1000 * seconds:.1f} ms over HTTP")
