"""Serve predictions over HTTP."""

from argparse import ArgumentParser, Namespace

from ..settings import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Take the address."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")


def run(options: Namespace, settings: Settings) -> int:
    """Serve until stopped."""
    import uvicorn

    from ..console import say
    from ..serve.api import create_app

    app = create_app(settings)
    say(f"{app.title}, version {app.version}: http://{options.host}:{options.port}/docs")
    server = uvicorn.Server(
        uvicorn.Config(app, host=options.host, port=options.port, log_level="warning", access_log=False)
    )
    server.run()
    return 0 if server.started else 1
