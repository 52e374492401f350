"""Where a server that a verb starts listens."""

import socket

from handrail.errors import ProjectError


def listener(verb: str, host: str, port: int) -> socket.socket:
    """Return a socket that listens, on a free port for 0; raises ProjectError where that can't be."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise ProjectError(f"{verb}: can't listen on {host}:{port}: {error}; see --host and --port") from None
