"""Lets only those in who have the key."""

import hmac
from collections.abc import Collection, Mapping

from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from handrail.serving.predicting import Predicting

HEADER = "X-API-Key"
NAME = HEADER.lower().encode()
BEHIND = {
    "docs": ("/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"),
    "metrics": ("/metrics",),
    "version": ("/version",),
}


class ApiKeyMiddleware:
    """Refuses a prediction without the right key before anything of the request is read.

    behind: the paths that ask for it
    """

    def __init__(self, app: ASGIApp, key: str, behind: Collection[str], predicting: Predicting) -> None:
        self._app, self._key, self._behind = app, key.encode(), frozenset(behind)
        self._predicting = predicting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        guarded = scope["type"] == "http" and _route_path(scope) in self._behind
        if guarded and not admits(dict(scope["headers"]), self._key):
            status, said = self._predicting.refuse("key", HEADER, "missing or wrong")
            await Response(said, status, media_type="application/json")(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _route_path(scope: Scope) -> str:
    """Return the path by which a route is found: a proxy may have put another in front of it."""
    return scope["path"].removeprefix(scope.get("root_path", ""))


def admits(headers: Mapping[bytes, bytes], key: bytes) -> bool:
    """Return whether the headers of a request hold the key, in a time that tells nothing of it."""
    return hmac.compare_digest(headers.get(NAME, b""), key)
