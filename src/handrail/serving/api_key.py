"""Lets only those predict who have the key."""

import hmac
from collections.abc import Iterable

from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from handrail.serving.predicting import refusal
from handrail.serving.telemetry import Telemetry

HEADER = "X-API-Key"
NAME = HEADER.lower().encode()


class ApiKeyMiddleware:
    """Refuses a prediction without the right key before anything of the request is read."""

    def __init__(self, app: ASGIApp, key: str, telemetry: Telemetry) -> None:
        self._app, self._key, self._telemetry = app, key.encode(), telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] != "http" or scope["path"] != "/predict" or admits(scope["headers"], self._key):
            await self._app(scope, receive, send)
            return
        self._telemetry.refused("key")
        answer = Response(refusal(HEADER, "missing or wrong"), 401, media_type="application/json")
        await answer(scope, receive, send)


def admits(headers: Iterable[tuple[bytes, bytes]], key: bytes) -> bool:
    """Return whether the headers of a request hold the key, in a time that tells nothing of it."""
    given = b""
    for name, value in headers:
        if name == NAME:
            given = value
    return hmac.compare_digest(given, key)
