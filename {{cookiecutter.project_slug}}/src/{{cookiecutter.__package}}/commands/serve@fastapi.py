"""Serve predictions over HTTP."""

import json
from argparse import ArgumentParser, Namespace

from ..settings import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Take the address."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--rehearse", action="store_true", help="start on a free port, ask for one prediction, stop"
    )


def run(options: Namespace, settings: Settings) -> int:
    """Serve until stopped, or rehearse it."""
    return _rehearse(settings) if options.rehearse else _serve(options, settings)


def _serve(options: Namespace, settings: Settings) -> int:
    import uvicorn

    from ..console import say
    from ..serve.api import create_app

    app = create_app(settings)
    say(f"{app.title}, version {app.version}: http://{options.host}:{options.port}/docs")
    config = uvicorn.Config(app, host=options.host, port=options.port, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else 1


def _rehearse(settings: Settings) -> int:
    from ..console import progress, say
    from ..serve.rehearsal import rehearse

    with progress("serve"):
        answer, seconds = rehearse(settings)
    say(f"asked:    {json.dumps(answer['record'], default=str)}")
    say(f"answered: {json.dumps(answer['predictions'][0])}")
    say(f"by the {answer['source']} of {answer['version']}, in {1000 * seconds:.1f} ms over HTTP")
    return 0
