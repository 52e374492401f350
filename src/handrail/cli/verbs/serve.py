"""Serve predictions over HTTP."""

import json
import socket
from argparse import ArgumentParser, Namespace

from handrail.config.settings import Settings
from handrail.errors import ProjectError


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

    from handrail.console import say
    from handrail.serving.api import create_app

    app = create_app(settings)
    with _listener(options.host, options.port) as listener:
        say(f"{app.title}, version {app.version}: http://{options.host}:{listener.getsockname()[1]}/docs")
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        server.run(sockets=[listener])
    return 0 if server.started else 1


def _listener(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise ProjectError(f"serve: can't listen on {host}:{port}: {error}; see --host and --port") from None


def _rehearse(settings: Settings) -> int:
    from handrail.console import progress, say
    from handrail.serving.dry_run import ask_once

    with progress("serve"):
        answer, seconds = ask_once(settings)
    say(f"asked:    {json.dumps(answer['record'], default=str, ensure_ascii=False)}")
    say(f"answered: {json.dumps(answer['predictions'][0])}")
    say(f"by the {answer['source']} of {answer['version']}, in {1000 * seconds:.1f} ms over HTTP")
    return 0
